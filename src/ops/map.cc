#include "ops/map.h"

#include "tensor/dtype.h"

namespace heed {
namespace {

template <class T>
const T* elements(const Tensor& x) {
  return x.defined() ? x.data<T>() : nullptr;
}

}  // namespace

// dx = dy f'(x); the tape keeps x or y, whichever f' is made from
Tensor mapped(kernels::Unary f, const char* op, const Tensor& any, double parameter) {
  return dispatch_floating(any.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    Tensor x = any.packed(), y(x.shape(), x.dtype());
    kernels::map(f, x.data<T>(), y.data<T>(), y.numel(), parameter);
    if (!kernels::gradient_needs_input(f)) x = Tensor();
    const Tensor output = kernels::gradient_needs_output(f) ? y : Tensor();
    return record(op, y, {any}, [=](const Tensor& gradient, Gradients& d) {
      const Tensor dy = gradient.packed();
      Tensor dx(dy.shape(), dy.dtype());
      kernels::map_backward(f, elements<T>(x), elements<T>(output), dy.data<T>(), dx.data<T>(), dx.numel(), parameter);
      d.add(0, dx);
    });
  });
}

}  // namespace heed
