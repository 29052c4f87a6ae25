#include "autograd/accumulate.h"

#include "base/check.h"
#include "kernels/elementwise.h"
#include "kernels/reduce.h"
#include "tensor/dtype.h"

namespace heed::autograd {
namespace {

// Sums dimension `dim` away: (outer, n, inner) -> (outer, 1, inner).
Tensor sum_dim(const Tensor& x, int dim) {
  Shape shape = x.shape();
  kernels::ReduceShape reduce{.outer = 1, .n = shape[dim], .inner = 1};
  for (int i = 0; i < dim; ++i) reduce.outer *= shape[i];
  for (int i = dim + 1; i < shape.rank(); ++i) reduce.inner *= shape[i];
  shape[dim] = 1;
  Tensor y(shape, x.dtype());
  dispatch_floating(x.dtype(), "backward",
                    [&](auto zero) { kernels::sum(reduce, x.data<decltype(zero)>(), y.data<decltype(zero)>()); });
  return y;
}

}  // namespace

Tensor sum_to(const Tensor& gradient, const Shape& shape) {
  if (gradient.shape() == shape) return gradient;
  const int shift = gradient.rank() - shape.rank();
  check(shift >= 0 && broadcast_shapes(gradient.shape(), shape, "backward") == gradient.shape(), "backward",
        "a gradient of shape {} does not sum to its input's shape {}", gradient.shape().text(), shape.text());
  Tensor sum = gradient.packed();
  for (int i = 0; i < gradient.rank(); ++i)
    if (const int64_t wanted = i < shift ? 1 : shape[i - shift]; sum.shape()[i] != wanted) sum = sum_dim(sum, i);
  return sum.view(shape);
}

void accumulate(Tensor& sum, const Tensor& gradient) {
  if (!sum.defined()) {
    sum = gradient;
    return;
  }
  Tensor total = sum.sole_owner() && sum.contiguous() ? sum : sum.clone();
  const Tensor added = gradient.packed();
  dispatch_floating(total.dtype(), "backward", [&](auto zero) {
    kernels::accumulate(added.data<decltype(zero)>(), total.data<decltype(zero)>(), total.numel());
  });
  sum = total;
}

}  // namespace heed::autograd
