#include <heed/ops.h>

#include "base/check.h"
#include "kernels/order.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

// kernel(x, values, indices, rows, n) on rows along `dim`, of which it gives the first k.
template <class Kernel>
Ordered ordered(const char* op, const Tensor& x, int dim, int64_t k, const Kernel& kernel) {
  const Tensor rows = x.transpose(dim, -1).packed();
  Shape shape = rows.shape();
  const int64_t n = shape.back(), count = rows.numel() / std::max<int64_t>(n, 1);
  shape[x.rank() - 1] = k;
  Tensor values(shape, x.dtype()), indices(shape, Dtype::i64);
  dispatch_floating(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    if (values.numel() > 0) kernel(rows.data<T>(), values.data<T>(), indices.data<int64_t>(), count, n);
  });
  indices = indices.transpose(dim, -1);
  values =
      record(op, values.transpose(dim, -1), {x}, [dim, indices, shape = x.shape()](const Tensor& dy, Gradients& d) {
        d.add(0, scatter_add(Tensor::zeros(shape, dy.dtype()), dim, indices, dy));
      });
  return {values, indices};
}

}  // namespace

// y_i = x[index_i], dx[index_i] = dy_i
Ordered sort(const Tensor& x, int dim, bool descending) {
  dim = wrap_dim(dim, x.rank(), "sort");
  return ordered("sort", x, dim, x.shape()[dim],
                 [=](const auto* from, auto* values, int64_t* indices, int64_t rows, int64_t n) {
                   kernels::sort_rows(from, values, indices, rows, n, descending);
                 });
}

// y_i = x[index_i], dx[index_i] = dy_i, 0 for those that are not among the best
Ordered topk(const Tensor& x, int64_t k, int dim, bool largest) {
  dim = wrap_dim(dim, x.rank(), "topk");
  check(k >= 0 && k <= x.shape()[dim], "topk", "got k = {} for dimension {} of shape {}, which has {}", k, dim,
        x.shape(), x.shape()[dim]);
  return ordered("topk", x, dim, k, [=](const auto* from, auto* values, int64_t* indices, int64_t rows, int64_t n) {
    kernels::top_rows(from, values, indices, rows, n, k, largest);
  });
}

}  // namespace heed
