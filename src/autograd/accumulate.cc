#include "autograd/accumulate.h"

#include "base/check.h"
#include "kernels/elementwise.h"
#include "kernels/reduce.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"
#include "tensor/walk.h"

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

// Nobody else sees what is added.
void make_own(Tensor& sum) {
  if (!sum.sole_owner() || !sum.contiguous()) sum = sum.clone();
}

template <class T>
void add_row(const T* x, int64_t x_step, T* sum, int64_t sum_step, int64_t n) {
  if (x_step == 1 && sum_step == 1) return kernels::accumulate(x, sum, n);
  for (int64_t i = 0; i < n; ++i) sum[i * sum_step] += x[i * x_step];
}

}  // namespace

Tensor sum_to(const Tensor& gradient, const Shape& shape) {
  if (gradient.shape() == shape) return gradient;
  const int shift = gradient.rank() - shape.rank();
  check(shift >= 0 && broadcast_shapes(gradient.shape(), shape, "backward") == gradient.shape(), "backward",
        "a gradient of shape {} does not sum to its input's shape {}", gradient.shape(), shape);
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
  if (sum.dtype() == Dtype::bf16) {  // storage: it does not calculate
    Tensor total = sum.to(Dtype::f32);
    accumulate(total, gradient.to(Dtype::f32));
    sum = total.to(Dtype::bf16);
    return;
  }
  make_own(sum);
  const Tensor added = gradient.packed();
  dispatch_floating(sum.dtype(), "backward", [&](auto zero) {
    kernels::accumulate(added.data<decltype(zero)>(), sum.data<decltype(zero)>(), sum.numel());
  });
}

void accumulate_part(Tensor& sum, const Shape& shape, const Tensor& gradient, const Gradients::Part& part) {
  if (!sum.defined()) sum = Tensor::zeros(shape, gradient.dtype());
  make_own(sum);
  Tensor to = part(sum);
  const Tensor added = sum_to(gradient, to.shape());
  dispatch_floating(sum.dtype(), "backward", [&](auto zero) {
    auto* target = to.data<decltype(zero)>();
    const auto* origin = added.data<decltype(zero)>();
    kernels::for_pieces(walk_of(to.shape(), {to.strides(), added.strides()}), [=](const kernels::Piece<2>& piece) {
      add_row(origin + piece.at[1], piece.step[1], target + piece.at[0], piece.step[0], piece.n);
    });
  });
}

}  // namespace heed::autograd
