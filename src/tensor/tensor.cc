#include <heed/tensor.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/check.h"
#include "tensor/arena.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {

namespace {

// What is derived from elements, until they are written to. Most tensors have nothing of the kind: writing asks a flag.
class DerivedCell {
 public:
  std::shared_ptr<const Derived> get() {
    if (!full_) return nullptr;
    std::lock_guard lock(mutex_);
    return derived_;
  }
  void set(std::shared_ptr<const Derived> derived) {
    std::lock_guard lock(mutex_);
    derived_.swap(derived);
    full_ = derived_ != nullptr;
  }
  void drop() {
    if (full_) set(nullptr);
  }

 private:
  std::atomic<bool> full_ = false;
  std::mutex mutex_;
  std::shared_ptr<const Derived> derived_;
};

enum class Owner { arena, handed_over, somebody_else };

}  // namespace

// Elements: a block of the arena, or other memory with its owner.
struct Storage {
  Storage(void* data, int64_t bytes, Owner kind, std::shared_ptr<void> owner)
      : data(data), bytes(bytes), kind(kind), owner(std::move(owner)) {}
  explicit Storage(int64_t bytes) : data(arena::allocate(bytes)), bytes(bytes), kind(Owner::arena) {}
  ~Storage() {
    if (kind == Owner::arena) arena::give_back(data);
  }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  void* data;
  int64_t bytes;  // all of them: no view reaches beyond
  Owner kind;
  std::shared_ptr<void> owner;
  DerivedCell derived;
};

struct Tensor::Impl {
  std::shared_ptr<Storage> storage;
  char* data;  // of the first element
  Shape shape, strides;
  int64_t numel;
  Dtype dtype;
  bool contiguous;
  std::shared_ptr<autograd::Place> place;

  static std::shared_ptr<Impl> around(void* data, const Shape& shape, Dtype dtype, Owner kind,
                                      std::shared_ptr<void> owner);
};

namespace {

int64_t checked_numel(const Shape& shape) {
  for (int64_t size : shape) check(size >= 0, "tensor", "negative size in shape {}", shape);
  for (int64_t size : shape)
    if (size == 0) return 0;
  return shape.numel();
}

bool is_contiguous(const Shape& shape, const Shape& strides) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return true;
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}

}  // namespace

Tensor::Tensor(const Shape& shape, Dtype dtype) {
  const int64_t numel = checked_numel(shape);
  auto storage = std::make_shared<Storage>(checked_multiply(numel, size_of(dtype), "tensor"));
  char* data = static_cast<char*>(storage->data);
  impl_ = std::make_shared<Impl>(
      Impl{std::move(storage), data, shape, contiguous_strides(shape), numel, dtype, true, nullptr});
}

Tensor Tensor::zeros(const Shape& shape, Dtype dtype) { return full(shape, 0, dtype); }

Tensor Tensor::full(const Shape& shape, double value, Dtype dtype) {
  Tensor result(shape, dtype);
  result.fill(value);
  return result;
}

std::shared_ptr<Tensor::Impl> Tensor::Impl::around(void* data, const Shape& shape, Dtype dtype, Owner kind,
                                                   std::shared_ptr<void> owner) {
  const int64_t numel = checked_numel(shape);
  const int64_t bytes = checked_multiply(numel, size_of(dtype), "tensor");
  auto storage = std::make_shared<Storage>(data, bytes, kind, std::move(owner));
  return std::make_shared<Impl>(Impl{std::move(storage), static_cast<char*>(data), shape, contiguous_strides(shape),
                                     numel, dtype, true, nullptr});
}

Tensor Tensor::wrap(void* data, const Shape& shape, Dtype dtype, std::shared_ptr<void> owner) {
  return Tensor(Impl::around(data, shape, dtype, Owner::somebody_else, std::move(owner)));
}
Tensor Tensor::adopt(void* data, const Shape& shape, Dtype dtype, std::shared_ptr<void> owner) {
  return Tensor(Impl::around(data, shape, dtype, Owner::handed_over, std::move(owner)));
}

Tensor Tensor::make_view(const Shape& shape, const Shape& strides, int64_t offset) const {
  char* data = impl_->data + offset * size_of(impl_->dtype);
  return Tensor(std::make_shared<Impl>(Impl{impl_->storage, data, shape, strides, checked_numel(shape), impl_->dtype,
                                            is_contiguous(shape, strides), nullptr}));
}

// The views above stay within the elements that they begin with; these strides are the caller's own.
Tensor Tensor::as_strided(const Shape& shape, const Shape& strides, int64_t offset) const {
  check(shape.rank() == strides.rank(), "as_strided", "shape {} and strides {} differ in rank", shape, strides);
  const int64_t size = size_of(dtype());
  if (checked_numel(shape) == 0) return make_view(shape, strides, 0);
  const int64_t before = (impl_->data - static_cast<char*>(impl_->storage->data)) / size;
  int64_t low = checked_add(before, offset, "as_strided"), high = low;
  for (int i = 0; i < shape.rank(); ++i) {
    const int64_t reach = checked_multiply(shape[i] - 1, strides[i], "as_strided");
    int64_t& bound = reach < 0 ? low : high;
    bound = checked_add(bound, reach, "as_strided");
  }
  check(low >= 0 && high < impl_->storage->bytes / size, "as_strided",
        "shape {} with strides {} from {} on reaches beyond the {} elements", shape, strides, offset,
        impl_->storage->bytes / size);
  return make_view(shape, strides, offset);
}

static const auto& defined_impl(const auto& impl) {
  check(impl != nullptr, "tensor", "an undefined tensor was used");
  return impl;
}

const Shape& Tensor::shape() const { return defined_impl(impl_)->shape; }
const Shape& Tensor::strides() const { return defined_impl(impl_)->strides; }
int64_t Tensor::dim(int i) const { return shape()[wrap_dim(i, rank(), "dim")]; }
int64_t Tensor::numel() const { return defined_impl(impl_)->numel; }
Dtype Tensor::dtype() const { return defined_impl(impl_)->dtype; }
bool Tensor::contiguous() const { return defined_impl(impl_)->contiguous; }
void* Tensor::raw() {
  defined_impl(impl_)->storage->derived.drop();
  return impl_->data;
}
const void* Tensor::raw() const { return defined_impl(impl_)->data; }

void Tensor::expect(Dtype dtype) const {
  check(this->dtype() == dtype, "tensor", "holds {}, its elements were asked for as {}", name(this->dtype()),
        name(dtype));
}
// Texts of shapes cost more than what they guard here: they are made when something is wrong.
void Tensor::expect_contiguous() const {
  if (contiguous()) [[likely]]
    return;
  fail(ErrorKind::usage, "tensor", "a span was asked of a view with shape {} and strides {}; take packed() first",
       shape(), strides());
}

int64_t Tensor::offset_of(const Shape& index) const {
  const Shape &sizes = shape(), &steps = strides();
  if (index.rank() != sizes.rank()) [[unlikely]]
    fail(ErrorKind::usage, "tensor", "index {} has not the rank of shape {}", index.text(), sizes);
  int64_t offset = 0;
  for (int i = 0; i < sizes.rank(); ++i) {
    if (index[i] < 0 || index[i] >= sizes[i]) [[unlikely]]
      fail(ErrorKind::usage, "tensor", "index {} is outside of shape {}", index.text(), sizes);
    offset += index[i] * steps[i];
  }
  return offset;
}

double Tensor::value(const Shape& index) const {
  const int64_t offset = offset_of(index);
  return dispatch(dtype(),
                  [&](auto zero) { return convert<double>(static_cast<const decltype(zero)*>(raw())[offset]); });
}

double Tensor::item() const {
  check(numel() == 1, "item", "the tensor has shape {}, wanted one element", shape());
  return dispatch(dtype(), [&](auto zero) { return convert<double>(*static_cast<const decltype(zero)*>(raw())); });
}

std::vector<double> Tensor::values() const {
  const Tensor all = to(Dtype::f64).packed();
  const double* first = all.data<double>();
  return {first, first + all.numel()};
}

bool Tensor::shares_storage(const Tensor& other) const {
  return impl_ && other.impl_ && impl_->storage == other.impl_->storage;
}
bool Tensor::sole_owner() const {
  return impl_.use_count() == 1 && impl_->storage.use_count() == 1 && impl_->storage->kind == Owner::arena;
}

std::shared_ptr<const Derived> Tensor::derived() const { return defined_impl(impl_)->storage->derived.get(); }
void Tensor::keep(std::shared_ptr<const Derived> derived) const {
  if (defined_impl(impl_)->storage->kind != Owner::somebody_else) impl_->storage->derived.set(std::move(derived));
}

const std::shared_ptr<autograd::Place>& Tensor::place() const { return defined_impl(impl_)->place; }
void Tensor::set_place(std::shared_ptr<autograd::Place> place) { defined_impl(impl_)->place = std::move(place); }

Tensor Tensor::detach() const {
  auto copy = std::make_shared<Impl>(*defined_impl(impl_));
  copy->place = nullptr;
  return Tensor(std::move(copy));
}

Tensor tensor(std::initializer_list<double> values, Dtype dtype) {
  return tensor_from(std::vector<double>(values), {static_cast<int64_t>(values.size())}).to(dtype);
}

Tensor tensor(std::initializer_list<std::initializer_list<double>> rows, Dtype dtype) {
  const size_t columns = rows.size() ? rows.begin()->size() : 0;
  std::vector<double> values;
  for (const auto& row : rows) {
    check(row.size() == columns, "tensor", "rows of {} and of {} values", columns, row.size());
    values.insert(values.end(), row);
  }
  return tensor_from(values, {static_cast<int64_t>(rows.size()), static_cast<int64_t>(columns)}).to(dtype);
}

Tensor scalar(double value, Dtype dtype) { return Tensor::full({}, value, dtype); }

template <class T>
Tensor tensor_from(const std::vector<T>& values, const Shape& shape) {
  check(shape.numel() == static_cast<int64_t>(values.size()), "tensor", "{} values for shape {}", values.size(), shape);
  Tensor result(shape, dtype_of<T>());
  std::copy(values.begin(), values.end(), result.template data<T>());
  return result;
}
template Tensor tensor_from(const std::vector<float>&, const Shape&);
template Tensor tensor_from(const std::vector<double>&, const Shape&);
template Tensor tensor_from(const std::vector<int64_t>&, const Shape&);
template Tensor tensor_from(const std::vector<int32_t>&, const Shape&);
template Tensor tensor_from(const std::vector<uint8_t>&, const Shape&);
template Tensor tensor_from(const std::vector<bool>&, const Shape&);

}  // namespace heed
