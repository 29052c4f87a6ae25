#include "autograd/accumulate.h"

#include "base/check.h"
#include "base/threads.h"
#include "tensor/dtype.h"

namespace heed::autograd {
namespace {

template <class T>
void add_into(T* sum, const T* gradient, int64_t n) {
  parallel(n, 1 << 15, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sum[i] += gradient[i];
  });
}

// Sums dimension `dim` away: (outer, reduced, inner) -> (outer, 1, inner).
Tensor sum_dim(const Tensor& x, int dim) {
  Shape shape = x.shape();
  int64_t outer = 1, inner = 1;
  const int64_t reduced = shape[dim];
  for (int i = 0; i < dim; ++i) outer *= shape[i];
  for (int i = dim + 1; i < shape.rank(); ++i) inner *= shape[i];
  shape[dim] = 1;
  Tensor y = Tensor::zeros(shape, x.dtype());
  dispatch_floating(x.dtype(), "backward", [&](auto zero) {
    using T = decltype(zero);
    const T* from = x.data<T>();
    T* to = y.data<T>();
    parallel(outer * inner, 1 + (1 << 15) / std::max<int64_t>(reduced, 1), [=](int64_t begin, int64_t end) {
      for (int64_t o = begin / inner; o * inner < end; ++o) {
        const int64_t first = std::max(begin - o * inner, int64_t{0}), last = std::min(end - o * inner, inner);
        for (int64_t r = 0; r < reduced; ++r)
          for (int64_t i = first; i < last; ++i) to[o * inner + i] += from[(o * reduced + r) * inner + i];
      }
    });
  });
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
    add_into(total.data<decltype(zero)>(), added.data<decltype(zero)>(), total.numel());
  });
  sum = total;
}

}  // namespace heed::autograd
