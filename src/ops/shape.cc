// Shapes: the same elements, elsewhere. Views where strides allow it; the gradient goes the way back.
#include <heed/ops.h>

#include "base/check.h"
#include "ops/dims.h"
#include "tensor/shape_format.h"

namespace heed {

// dx = dy in x's shape
Tensor reshape(const Tensor& x, const Shape& shape) {
  return record("reshape", x.packed().view(shape), {x},
                [from = x.shape()](const Tensor& dy, Gradients& d) { d.add(0, dy.packed().view(from)); });
}

// dx = dyᵀ
Tensor transpose(const Tensor& x, int a, int b) {
  return record("transpose", x.transpose(a, b), {x},
                [a, b](const Tensor& dy, Gradients& d) { d.add(0, dy.transpose(a, b)); });
}

// y[i…] = x[order(i…)], dx by the inverse order
Tensor permute(const Tensor& x, const Shape& order) {
  return record("permute", x.permute(order), {x},
                [order](const Tensor& dy, Gradients& d) { d.add(0, dy.permute(inverse_order(order))); });
}

// dx = 0 but dx[begin:end:step] = dy
Tensor slice(const Tensor& x, int dim, int64_t begin, int64_t end, int64_t step) {
  return record("slice", x.slice(dim, begin, end, step), {x}, [=](const Tensor& dy, Gradients& d) {
    d.add_to_part(0, dy, [=](const Tensor& dx) { return dx.slice(dim, begin, end, step); });
  });
}

// dx = 0 but dx[index] = dy
Tensor select(const Tensor& x, int dim, int64_t index) {
  return record("select", x.select(dim, index), {x}, [=](const Tensor& dy, Gradients& d) {
    d.add_to_part(0, dy, [=](const Tensor& dx) { return dx.select(dim, index); });
  });
}

Tensor squeeze(const Tensor& x, int dim) {
  dim = wrap_dim(dim, x.rank(), "squeeze");
  return record("squeeze", x.squeeze(dim), {x}, [dim](const Tensor& dy, Gradients& d) { d.add(0, dy.unsqueeze(dim)); });
}

Tensor unsqueeze(const Tensor& x, int dim) {
  dim = wrap_dim(dim, x.rank() + 1, "unsqueeze");
  return record("unsqueeze", x.unsqueeze(dim), {x},
                [dim](const Tensor& dy, Gradients& d) { d.add(0, dy.squeeze(dim)); });
}

// dx = Σ dy over what was repeated, which add() does
Tensor expand(const Tensor& x, const Shape& shape) {
  return record("expand", x.expand(shape), {x}, [](const Tensor& dy, Gradients& d) { d.add(0, dy); });
}

// Dimension by dimension: (outer, rest) -> (outer, times, rest).
Tensor repeat(const Tensor& x, const std::vector<int64_t>& times) {
  check(static_cast<int>(times.size()) == x.rank(), "repeat", "got {} numbers for shape {}, wanted one a dimension",
        times.size(), x.shape());
  Tensor y = x;
  Shape shape = x.shape();
  int64_t outer = 1;
  for (int i = 0; i < x.rank(); ++i) {
    const int64_t n = times[static_cast<size_t>(i)], rest = shape.numel() / std::max<int64_t>(outer, 1);
    check(n >= 0, "repeat", "got {} times for dimension {}", n, i);
    shape[i] = checked_multiply(shape[i], n, "repeat");
    if (n != 1)
      y = reshape(expand(reshape(y, {outer, 1, outer > 0 ? rest : 0}), {outer, n, outer > 0 ? rest : 0}), shape);
    outer *= shape[i];
  }
  return y;
}

}  // namespace heed
