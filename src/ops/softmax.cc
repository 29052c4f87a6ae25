#include "kernels/softmax.h"

#include <heed/ops.h>

#include "base/check.h"
#include "tensor/dtype.h"

namespace heed {
namespace {

struct Rows {
  int64_t count, width;
};
Rows rows_of(const Tensor& x) { return {x.dim(-1) == 0 ? 0 : x.numel() / x.dim(-1), x.dim(-1)}; }

// y = e^x / Σ e^x: dx = y (dy − Σ dy y)
Tensor softmax_rows(const Tensor& x) {
  return dispatch_floating(x.dtype(), "softmax", [&](auto zero) {
    using T = decltype(zero);
    const auto [rows, width] = rows_of(x);
    Tensor y(x.shape(), x.dtype());
    kernels::softmax(x.packed().data<T>(), y.data<T>(), rows, width);
    return record("softmax", y, {x}, [y = y.detach()](const Tensor& dy, Gradients& d) {
      const auto [rows, width] = rows_of(y);
      Tensor dx(y.shape(), y.dtype());
      kernels::softmax_backward(y.data<T>(), dy.packed().data<T>(), dx.data<T>(), rows, width);
      d.add(0, dx);
    });
  });
}

// y = x − log Σ e^x: dx = dy − e^y Σ dy
Tensor log_softmax_rows(const Tensor& x) {
  return dispatch_floating(x.dtype(), "log_softmax", [&](auto zero) {
    using T = decltype(zero);
    const auto [rows, width] = rows_of(x);
    Tensor y(x.shape(), x.dtype());
    kernels::log_softmax(x.packed().data<T>(), y.data<T>(), rows, width);
    return record("log_softmax", y, {x}, [y = y.detach()](const Tensor& dy, Gradients& d) {
      const auto [rows, width] = rows_of(y);
      Tensor dx(y.shape(), y.dtype());
      kernels::log_softmax_backward(y.data<T>(), dy.packed().data<T>(), dx.data<T>(), rows, width);
      d.add(0, dx);
    });
  });
}

template <class Op>
Tensor along(const char* name, const Tensor& x, int dim, const Op& op) {
  check(x.rank() >= 1, name, "a scalar has no dimension to go along");
  dim = wrap_dim(dim, x.rank(), name);
  return dim == x.rank() - 1 ? op(x) : transpose(op(transpose(x, dim, -1)), dim, -1);
}

}  // namespace

Tensor softmax(const Tensor& x, int dim) { return along("softmax", x, dim, softmax_rows); }
Tensor log_softmax(const Tensor& x, int dim) { return along("log_softmax", x, dim, log_softmax_rows); }

}  // namespace heed
