// Tensors: values that share storage. A copy is a second handle on the same elements; views change shape, never the
// bytes.
//
//   heed::Tensor x = heed::tensor({{1, 2, 3}, {4, 5, 6}});
//   heed::Tensor column = x.slice(1, 0, 1);                  // a view: shape (2, 1), strides (3, 1)
//   x.at<float>({0, 0}) = 7;
//   std::cout << column << '\n';                              // the view sees the 7
//   heed::Tensor zeros = heed::Tensor::zeros({2, 3}, heed::Dtype::f64);
#pragma once

#include <heed/base.h>

#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace heed {

enum class Dtype : uint8_t { f32, f64, bf16, f16, i64, i32, u8, boolean };

const char* name(Dtype dtype);  // "f32"
int64_t size_of(Dtype dtype);   // bytes of one element
bool is_floating(Dtype dtype);

// 16-bit floats are storage: they convert, they do not calculate.
struct bf16 {
  uint16_t bits = 0;
  bf16() = default;
  explicit bf16(float value);
  explicit operator float() const;
};
struct f16 {
  uint16_t bits = 0;
  f16() = default;
  explicit f16(float value);
  explicit operator float() const;
};

template <class T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>) return Dtype::f32;
  if constexpr (std::is_same_v<T, double>) return Dtype::f64;
  if constexpr (std::is_same_v<T, bf16>) return Dtype::bf16;
  if constexpr (std::is_same_v<T, f16>) return Dtype::f16;
  if constexpr (std::is_same_v<T, int64_t>) return Dtype::i64;
  if constexpr (std::is_same_v<T, int32_t>) return Dtype::i32;
  if constexpr (std::is_same_v<T, uint8_t>) return Dtype::u8;
  if constexpr (std::is_same_v<T, bool>) return Dtype::boolean;
}

inline constexpr int kMaxRank = 8;

// Up to eight sizes, one a dimension. Also used for strides and indices.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  Shape(const std::vector<int64_t>& sizes) : Shape(std::span(sizes)) {}
  explicit Shape(std::span<const int64_t> sizes);

  int rank() const { return rank_; }
  size_t size() const { return static_cast<size_t>(rank_); }
  int64_t& operator[](int i) { return sizes_[i]; }
  int64_t operator[](int i) const { return sizes_[i]; }
  int64_t* begin() { return sizes_; }
  int64_t* end() { return sizes_ + rank_; }
  const int64_t* begin() const { return sizes_; }
  const int64_t* end() const { return sizes_ + rank_; }
  const int64_t* data() const { return sizes_; }
  int64_t back() const { return sizes_[rank_ - 1]; }
  int64_t numel() const;  // the product; Error where it does not fit into 64 bits

  void push_back(int64_t size);
  void insert(int position, int64_t size);
  void erase(int position);
  bool operator==(const Shape& other) const;
  std::string text() const;  // "(2, 3)"

 private:
  int64_t sizes_[kMaxRank] = {};
  int rank_ = 0;
};

std::ostream& operator<<(std::ostream& out, const Shape& shape);

struct Storage;
// What an op computed from a tensor's elements and keeps beside them, so that it need not do so again.
struct Derived {
  virtual ~Derived() = default;
};
namespace autograd {
struct Place;  // where a tensor stands on the tape: floor 3's business
}

class Tensor {
 public:
  Tensor() = default;                                             // no tensor: defined() is false
  explicit Tensor(const Shape& shape, Dtype dtype = Dtype::f32);  // contiguous, elements not set
  static Tensor zeros(const Shape& shape, Dtype dtype = Dtype::f32);
  static Tensor full(const Shape& shape, double value, Dtype dtype = Dtype::f32);
  // Elements that somebody else owns; `owner` is kept alive as long as a tensor looks at them.
  static Tensor wrap(void* data, const Shape& shape, Dtype dtype, std::shared_ptr<void> owner = nullptr);
  // The same for elements that are handed over: from now on they are written to through tensors alone.
  static Tensor adopt(void* data, const Shape& shape, Dtype dtype, std::shared_ptr<void> owner);

  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const;
  const Shape& strides() const;  // in elements; 0 where a dimension is repeated
  int rank() const { return shape().rank(); }
  int64_t dim(int i) const;  // size of dimension i, negative from the end
  int64_t numel() const;
  Dtype dtype() const;
  bool contiguous() const;

  // Through what is not const the elements may be written to until an op next reads them. Who writes later asks again:
  // asking is what tells derived() that the elements change.
  void* raw();
  const void* raw() const;
  template <class T>
  T* data() {
    expect(dtype_of<T>());
    return static_cast<T*>(raw());
  }
  template <class T>
  const T* data() const {
    expect(dtype_of<T>());
    return static_cast<const T*>(raw());
  }
  // The elements of a contiguous tensor.
  template <class T>
  std::span<const T> span() const {
    expect_contiguous();
    return {data<T>(), static_cast<size_t>(numel())};
  }
  template <class T>
  std::span<T> span() {
    expect_contiguous();
    return {data<T>(), static_cast<size_t>(numel())};
  }
  template <class T>
  T& at(const Shape& index) {
    return data<T>()[offset_of(index)];
  }
  template <class T>
  const T& at(const Shape& index) const {
    return data<T>()[offset_of(index)];
  }
  double item() const;                     // the one element of a one-element tensor, of any dtype
  double value(const Shape& index) const;  // one element, of any dtype, as a double
  std::vector<double> values() const;      // all of them, in order

  // Views without a place on the tape (floor 4's functions of these names record their gradients).
  Tensor view(const Shape& shape) const;  // of a contiguous tensor; one size may be -1
  Tensor transpose(int a, int b) const;
  Tensor permute(const Shape& order) const;
  Tensor slice(int dim, int64_t begin, int64_t end, int64_t step = 1) const;
  Tensor select(int dim, int64_t index) const;  // slice of one, without the dimension
  Tensor expand(const Shape& shape) const;      // broadcasts: repeated dimensions have stride 0
  Tensor squeeze(int dim) const;
  Tensor unsqueeze(int dim) const;
  Tensor as_strided(const Shape& shape, const Shape& strides, int64_t offset) const;
  Tensor operator[](int64_t index) const { return select(0, index); }

  const Tensor packed() const;           // itself when contiguous, else a contiguous copy: to be read
  Tensor clone() const;                  // always a contiguous copy
  Tensor to(Dtype dtype) const;          // itself when it has the dtype, else a converted copy
  void fill(double value);               // sets every element, through strides
  void copy_from(const Tensor& source);  // elementwise, broadcasting, converting
  bool shares_storage(const Tensor& other) const;
  bool sole_owner() const;  // nobody else holds this handle's storage
  // What was kept last of these elements; null once somebody asked to write to them, here or through another view.
  // Nothing is kept of elements that wrap() shares with their owner, who may write unseen.
  std::shared_ptr<const Derived> derived() const;
  void keep(std::shared_ptr<const Derived> derived) const;

  // Gradients (floor 3).
  Tensor& requires_grad(bool wanted);
  bool requires_grad() const;
  Tensor grad() const;  // undefined before the first backward
  void zero_grad();
  Tensor detach() const;  // the same elements, off the tape
  const std::shared_ptr<autograd::Place>& place() const;
  void set_place(std::shared_ptr<autograd::Place> place);

 private:
  struct Impl;
  explicit Tensor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  Tensor make_view(const Shape& shape, const Shape& strides, int64_t offset) const;
  void expect(Dtype dtype) const;
  void expect_contiguous() const;
  int64_t offset_of(const Shape& index) const;

  std::shared_ptr<Impl> impl_;
};

// From literals: heed::tensor({{1, 2}, {3, 4}}).
Tensor tensor(std::initializer_list<double> values, Dtype dtype = Dtype::f32);
Tensor tensor(std::initializer_list<std::initializer_list<double>> rows, Dtype dtype = Dtype::f32);
Tensor scalar(double value, Dtype dtype = Dtype::f32);
template <class T>
Tensor tensor_from(const std::vector<T>& values, const Shape& shape);

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op);  // Error naming op and both shapes
Shape contiguous_strides(const Shape& shape);
int wrap_dim(int dim, int rank, const char* op);  // -1 is the last dimension; Error where there is none

std::string text(const Tensor& tensor);  // as a person reads it; large tensors are abridged
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

// ---- random numbers ------------------------------------------------------------------------------------
//
// Random numbers: counter-based, so that the same seed gives the same bits on every machine and with any number of
// threads.
//
//   heed::seed(1);
//   heed::Tensor noise = heed::randn({2, 3});
//   heed::Tensor again = heed::randn({2, 3}, heed::Random{.seed = 1});   // the same numbers

// A place in the sequence (seed, stream): a value. Taking numbers moves `position` forward.
struct Random {
  uint64_t seed = 0;
  uint64_t stream = 0;
  uint64_t position = 0;  // in calls of Philox, four 32-bit words each

  // Reserves `calls` calls and returns where they begin.
  Random take(uint64_t calls) {
    Random here = *this;
    position += calls;
    return here;
  }
};

Random& random();           // the calling thread's own; what functions use that are handed none
void seed(uint64_t value);  // random() = {value, 0, 0}

Tensor rand(const Shape& shape, Random& from = random(), Dtype dtype = Dtype::f32);   // uniform in [0, 1)
Tensor randn(const Shape& shape, Random& from = random(), Dtype dtype = Dtype::f32);  // normal, mean 0, deviation 1
Tensor randn(const Shape& shape, Random&& from, Dtype dtype = Dtype::f32);
Tensor randint(int64_t low, int64_t high, const Shape& shape, Random& from = random());  // i64 in [low, high)
Tensor permutation(int64_t n, Random& from = random());                                  // i64, 0 to n-1 shuffled

}  // namespace heed
