// Comparisons, logic, and choice by a condition. Only a choice has a gradient.
#include <heed/ops.h>

#include "ops/operands.h"

namespace heed {
namespace {

using kernels::Compare;
using kernels::Logical;

// The dtypes that compare; booleans as bytes.
template <class Function>
decltype(auto) dispatch_comparable(Dtype dtype, const char* op, Function&& function) {
  switch (dtype) {
    case Dtype::f32: return function(float{});
    case Dtype::f64: return function(double{});
    case Dtype::i64: return function(int64_t{});
    case Dtype::i32: return function(int32_t{});
    case Dtype::u8:
    case Dtype::boolean: return function(uint8_t{});
    default: fail(ErrorKind::usage, op, "got {}, which does not compare; to() converts", name(dtype));
  }
}

Tensor compare(Compare kind, const char* op, const Tensor& a, const Tensor& b) {
  check_same_dtype(a, b, op);
  Tensor y(broadcast_shapes(a.shape(), b.shape(), op), Dtype::boolean);
  dispatch_comparable(a.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    kernels::compare(kind, operand_strides<2>(y.shape(), {&a, &b}), static_cast<const T*>(a.raw()),
                     static_cast<const T*>(b.raw()), y.data<bool>());
  });
  return y;
}

// A number that the integers of `a` cannot hold is compared in f64.
Tensor compare(Compare kind, const char* op, const Tensor& a, double b) {
  return dispatch_comparable(a.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const T number = convert<T>(b);
    if (std::is_integral_v<T> && static_cast<double>(number) != b) return compare(kind, op, a.to(Dtype::f64), b);
    Tensor y(a.shape(), Dtype::boolean);
    kernels::compare(kind, operand_strides<2>(y.shape(), {&a, nullptr}), static_cast<const T*>(a.raw()), &number,
                     y.data<bool>());
    return y;
  });
}

Tensor logical(Logical kind, const char* op, const Tensor& a, const Tensor& b) {
  check_boolean(a, op);
  check_boolean(b, op);
  Tensor y(broadcast_shapes(a.shape(), b.shape(), op), Dtype::boolean);
  kernels::logical(kind, operand_strides<2>(y.shape(), {&a, &b}), a.data<bool>(), b.data<bool>(), y.data<bool>());
  return y;
}

// The types that elements are moved as.
template <class Function>
decltype(auto) dispatch_movable(Dtype dtype, Function&& function) {
  switch (dtype) {
    case Dtype::bf16:
    case Dtype::f16: return function(uint16_t{});
    case Dtype::u8:
    case Dtype::boolean: return function(uint8_t{});
    case Dtype::f32: return function(float{});
    case Dtype::f64: return function(double{});
    case Dtype::i32: return function(int32_t{});
    default: return function(int64_t{});
  }
}

// A tensor or a number to choose.
struct Choice {
  const Tensor* tensor = nullptr;
  alignas(8) std::array<char, 8> number{};

  explicit Choice(const Tensor& tensor) : tensor(&tensor) {}
  Choice(double value, Dtype dtype) {
    dispatch(dtype, [&](auto zero) {
      using T = decltype(zero);
      new (number.data()) T(convert<T>(value));
    });
  }
  const void* data() const { return tensor ? tensor->raw() : number.data(); }
  Shape shape() const { return tensor ? tensor->shape() : Shape(); }
};

Tensor choose(const char* op, const Tensor& condition, const Choice& yes, const Choice& no) {
  check_boolean(condition, op);
  if (yes.tensor && no.tensor) check_same_dtype(*yes.tensor, *no.tensor, op);
  const Shape shape = broadcast_shapes(condition.shape(), broadcast_shapes(yes.shape(), no.shape(), op), op);
  Tensor y(shape, (yes.tensor ? yes : no).tensor->dtype());
  const auto strides = operand_strides<3>(shape, {&condition, yes.tensor, no.tensor});
  dispatch_movable(y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::choose(strides, condition.data<bool>(), static_cast<const T*>(yes.data()),
                    static_cast<const T*>(no.data()), static_cast<T*>(y.raw()));
  });
  return y;
}

}  // namespace

Tensor equal(const Tensor& a, const Tensor& b) { return compare(Compare::equal, "equal", a, b); }
Tensor not_equal(const Tensor& a, const Tensor& b) { return compare(Compare::not_equal, "not_equal", a, b); }
Tensor less(const Tensor& a, const Tensor& b) { return compare(Compare::less, "less", a, b); }
Tensor less_equal(const Tensor& a, const Tensor& b) { return compare(Compare::less_equal, "less_equal", a, b); }
Tensor greater(const Tensor& a, const Tensor& b) { return compare(Compare::greater, "greater", a, b); }
Tensor greater_equal(const Tensor& a, const Tensor& b) {
  return compare(Compare::greater_equal, "greater_equal", a, b);
}
Tensor equal(const Tensor& a, double b) { return compare(Compare::equal, "equal", a, b); }
Tensor not_equal(const Tensor& a, double b) { return compare(Compare::not_equal, "not_equal", a, b); }
Tensor less(const Tensor& a, double b) { return compare(Compare::less, "less", a, b); }
Tensor less_equal(const Tensor& a, double b) { return compare(Compare::less_equal, "less_equal", a, b); }
Tensor greater(const Tensor& a, double b) { return compare(Compare::greater, "greater", a, b); }
Tensor greater_equal(const Tensor& a, double b) { return compare(Compare::greater_equal, "greater_equal", a, b); }

Tensor logical_and(const Tensor& a, const Tensor& b) { return logical(Logical::both, "logical_and", a, b); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return logical(Logical::either, "logical_or", a, b); }
Tensor logical_xor(const Tensor& a, const Tensor& b) { return logical(Logical::one, "logical_xor", a, b); }
Tensor logical_not(const Tensor& x) {
  check_boolean(x, "logical_not");
  const Tensor in = x.packed();
  Tensor y(x.shape(), Dtype::boolean);
  kernels::logical_not(in.data<bool>(), y.data<bool>(), y.numel());
  return y;
}

// dyes = dy where the condition holds, dno = dy where it does not, 0 elsewhere
Tensor where(const Tensor& condition, const Tensor& yes, const Tensor& no) {
  return record("where", choose("where", condition, Choice(yes), Choice(no)), {yes, no},
                [condition](const Tensor& dy, Gradients& d) {
                  if (d.needs(0)) d.add(0, where(condition, dy, 0));
                  if (d.needs(1)) d.add(1, where(condition, 0, dy));
                });
}
Tensor where(const Tensor& condition, const Tensor& yes, double no) {
  return record("where", choose("where", condition, Choice(yes), Choice(no, yes.dtype())), {yes},
                [condition](const Tensor& dy, Gradients& d) { d.add(0, where(condition, dy, 0)); });
}
Tensor where(const Tensor& condition, double yes, const Tensor& no) {
  return record("where", choose("where", condition, Choice(yes, no.dtype()), Choice(no)), {no},
                [condition](const Tensor& dy, Gradients& d) { d.add(0, where(condition, 0, dy)); });
}

// dx = 0 where the mask is true, dy elsewhere
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) {
  return record("masked_fill", choose("masked_fill", mask, Choice(value, x.dtype()), Choice(x)), {x},
                [mask](const Tensor& dy, Gradients& d) { d.add(0, where(mask, 0, dy)); });
}

}  // namespace heed
