#include "ops/operands.h"

namespace heed {

void check_same_dtype(const Tensor& a, const Tensor& b, const char* op) {
  check(a.dtype() == b.dtype(), op, "got {} and {}, wanted one dtype; to() converts", name(a.dtype()), name(b.dtype()));
}

void check_boolean(const Tensor& x, const char* op) {
  check(x.dtype() == Dtype::boolean, op, "got {}, wanted bool", name(x.dtype()));
}

Tensor binary(kernels::Binary kind, const char* op, const Tensor& a, const Tensor& b) {
  check_same_dtype(a, b, op);
  return dispatch_floating(a.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    Tensor y(a.shape() == b.shape() ? a.shape() : broadcast_shapes(a.shape(), b.shape(), op), a.dtype());
    kernels::binary(kind, operand_strides<2>(y.shape(), {&a, &b}), a.data<T>(), b.data<T>(), y.data<T>());
    return y;
  });
}

Tensor binary(kernels::Binary kind, const char* op, const Tensor& a, double b) {
  return dispatch_floating(a.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    Tensor y(a.shape(), a.dtype());
    const T number = static_cast<T>(b);
    kernels::binary(kind, operand_strides<2>(y.shape(), {&a, nullptr}), a.data<T>(), &number, y.data<T>());
    return y;
  });
}

Tensor binary(kernels::Binary kind, const char* op, double a, const Tensor& b) {
  return dispatch_floating(b.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    Tensor y(b.shape(), b.dtype());
    const T number = static_cast<T>(a);
    kernels::binary(kind, operand_strides<2>(y.shape(), {nullptr, &b}), &number, b.data<T>(), y.data<T>());
    return y;
  });
}

}  // namespace heed
