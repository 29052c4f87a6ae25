#include "ops/map.h"

#include "tensor/dtype.h"

namespace heed {

Tensor mapped(kernels::Unary f, const char* op, const Tensor& any, double parameter) {
  return dispatch_floating(any.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const Tensor x = any.packed();
    Tensor y(x.shape(), x.dtype());
    kernels::map(f, x.data<T>(), y.data<T>(), y.numel(), parameter);
    return record(op, y, {any}, [=](const Tensor& dy, Gradients& d) {
      const Tensor packed = dy.packed();
      Tensor dx(x.shape(), x.dtype());
      kernels::map_backward(f, x.data<T>(), y.data<T>(), packed.data<T>(), dx.data<T>(), dx.numel(), parameter);
      d.add(0, dx);
    });
  });
}

}  // namespace heed
