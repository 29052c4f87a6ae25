#include "kernels/dropout.h"

#include <heed/ops.h>

#include "base/check.h"
#include "tensor/dtype.h"

namespace heed {

// y = x m / (1 − p), m the decisions of the counter; dx = dy m / (1 − p), with the same decisions made again
Tensor dropout(const Tensor& x, double p, Random& from) {
  check(p >= 0 && p < 1, "dropout", "p = {} is outside of [0, 1)", p);
  if (p == 0) return x;
  return dispatch_floating(x.dtype(), "dropout", [&](auto zero) {
    using T = decltype(zero);
    const Random here = from.take(static_cast<uint64_t>(kernels::dropout_positions(x.numel())));
    const kernels::DropoutKey key{here.seed, here.stream, here.position};
    Tensor y(x.shape(), x.dtype());
    kernels::dropout(x.packed().data<T>(), y.data<T>(), x.numel(), p, key);
    return record("dropout", y, {x}, [p, key](const Tensor& dy, Gradients& d) {
      Tensor dx(dy.shape(), dy.dtype());
      kernels::dropout_backward(dy.packed().data<T>(), dx.data<T>(), dy.numel(), p, key);
      d.add(0, dx);
    });
  });
}

}  // namespace heed
