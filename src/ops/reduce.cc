// Reductions over some or all dimensions. Below, y keeps the reduced dimensions with size 1: it broadcasts with x.
#include "kernels/reduce.h"

#include <heed/ops.h>

#include <cmath>
#include <limits>

#include "base/check.h"
#include "ops/dims.h"
#include "ops/operands.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

using kernels::Binary;
using kernels::Extreme;
using kernels::ReduceShape;

// x arranged so that what is reduced lies together, and the shapes of the result.
struct Reduction {
  Tensor x;           // packed (outer, n, inner)
  ReduceShape sizes;  // of x
  Shape kept, ones;   // the result without the reduced dimensions, and with size 1 in their place
  Shape order;        // the dimensions of x in this arrangement; empty: as they were
};

// Reduced dimensions that are not neighbours are moved to the end.
Reduction arranged(const Tensor& x, const Shape& dims, const char* op) {
  const unsigned chosen = chosen_dims(x, dims, op);
  const auto is_chosen = [chosen](int i) { return (chosen >> i & 1) != 0; };
  Reduction result{.x = {}, .sizes = {}, .kept = {}, .ones = x.shape()};
  Shape order, reduced;
  int changes = 0;
  for (int i = 0; i < x.rank(); ++i) {
    const int64_t size = x.shape()[i];
    if (is_chosen(i)) {
      changes += reduced.rank() > 0 && !is_chosen(i - 1);
      reduced.push_back(i), result.sizes.n *= size, result.ones[i] = 1;
    } else {
      order.push_back(i), result.kept.push_back(size);
      (reduced.rank() > 0 ? result.sizes.inner : result.sizes.outer) *= size;
    }
  }
  if (changes > 0) {
    for (int64_t i : reduced) order.push_back(i);
    result.sizes.outer *= std::exchange(result.sizes.inner, 1);
    result.x = x.permute(order).packed();
    result.order = order;
  } else {
    result.x = x.packed();
  }
  return result;
}

// kernel(sizes, x, y)
template <class Kernel>
Tensor reduced(const char* op, const Tensor& x, const Shape& dims, bool keep, const Kernel& kernel) {
  return dispatch_floating(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const Reduction reduction = arranged(x, dims, op);
    Tensor y(keep ? reduction.ones : reduction.kept, x.dtype());
    if (y.numel() > 0) kernel(reduction.sizes, reduction.x.data<T>(), y.data<T>());
    return y;
  });
}

Tensor sum_of(const char* op, const Tensor& x, const Shape& dims, bool keep) {
  return reduced(op, x, dims, keep,
                 [](const ReduceShape& sizes, const auto* in, auto* y) { kernels::sum(sizes, in, y); });
}

Tensor product_of(const Tensor& x, const Shape& dims, bool keep) {
  return reduced("product", x, dims, keep,
                 [](const ReduceShape& sizes, const auto* in, auto* y) { kernels::product(sizes, in, y); });
}

Tensor extreme_of(Extreme which, const char* op, const Tensor& x, const Shape& dims, bool keep) {
  return reduced(op, x, dims, keep, [&](const ReduceShape& sizes, const auto* in, auto* y) {
    check(sizes.n > 0, op, "nothing to choose from in shape {}", x.shape());
    kernels::extreme(which, sizes, in, y, nullptr);
  });
}

Tensor restored(const Tensor& dy, const Shape& ones) { return dy.packed().view(ones); }

Tensor extreme_gradient(const char* op, const Tensor& x, const Tensor& y, const Tensor& dy, const Shape& dims) {
  return dispatch_floating(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const Reduction reduction = arranged(x, dims, op);
    const Tensor found = y.packed(), gradient = dy.packed();
    Tensor dx(reduction.x.shape(), x.dtype());
    if (dx.numel() > 0)
      kernels::extreme_backward(reduction.sizes, reduction.x.data<T>(), found.data<T>(), gradient.data<T>(),
                                dx.data<T>());
    return reduction.order.size() == 0 ? dx : dx.permute(inverse_order(reduction.order));
  });
}

// dx = dy where x = y, shared by those that are equal
Tensor extreme(Extreme which, const char* op, const Tensor& x, const Dims& dims, bool keep) {
  const Tensor y = extreme_of(which, op, x, dims, keep);
  return record(op, y, {x},
                [op, x, y, dims](const Tensor& dy, Gradients& d) { d.add(0, extreme_gradient(op, x, y, dy, dims)); });
}

Tensor place_of(Extreme which, const char* op, const Tensor& x, std::optional<int> dim, bool keep) {
  const Reduction reduction = arranged(x, dim ? Dims(*dim) : Dims(), op);
  Tensor index(keep ? reduction.ones : reduction.kept, Dtype::i64);
  if (index.numel() == 0) return index;
  check(reduction.sizes.n > 0, op, "nothing to choose from in shape {}", x.shape());
  dispatch_floating(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    kernels::extreme<T>(which, reduction.sizes, reduction.x.data<T>(), nullptr, index.data<int64_t>());
  });
  return index;
}

Tensor scanned(const Tensor& x, int dim, bool reverse) {
  return dispatch_floating(x.dtype(), "cumulative_sum", [&](auto zero) {
    using T = decltype(zero);
    const Reduction reduction = arranged(x, Dims(dim), "cumulative_sum");
    Tensor y(x.shape(), x.dtype());
    if (y.numel() > 0) kernels::cumulative_sum(reduction.sizes, reduction.x.data<T>(), y.data<T>(), reverse);
    return y;
  });
}

}  // namespace

// y = Σ x, dx = dy everywhere
Tensor sum(const Tensor& x, const Dims& dims, bool keep) {
  const Tensor y = sum_of("sum", x, dims, keep);
  return record("sum", y, {x}, [ones = with_ones(x, dims), shape = x.shape()](const Tensor& dy, Gradients& d) {
    d.add(0, restored(dy, ones).expand(shape));
  });
}

// y = Σ x / n, dx = dy / n everywhere
Tensor mean(const Tensor& x, const Dims& dims, bool keep) {
  const Tensor total = sum_of("mean", x, dims, keep);
  const double n = count_of(x, dims);
  return record("mean", binary(Binary::divide, "mean", total, n), {x},
                [n, ones = with_ones(x, dims), shape = x.shape()](const Tensor& dy, Gradients& d) {
                  d.add(0, (restored(dy, ones) / n).expand(shape));
                });
}

// y = Π x, dx_i = dy Π_{j≠i} x_j: y/x_i, but 0 where another element is 0
Tensor product(const Tensor& x, const Dims& dims, bool keep) {
  return record("product", product_of(x, dims, keep), {x}, [x, dims](const Tensor& dy, Gradients& d) {
    const Tensor zero = equal(x, 0), is_zero = zero.to(x.dtype()), others = where(zero, 1, x);
    const Tensor only = equal(sum_of("product", is_zero, dims, true), is_zero);
    d.add(0, where(only, restored(dy, with_ones(x, dims)) * product_of(others, dims, true) / others, 0));
  });
}

Tensor max(const Tensor& x, const Dims& dims, bool keep) { return extreme(Extreme::largest, "max", x, dims, keep); }
Tensor min(const Tensor& x, const Dims& dims, bool keep) { return extreme(Extreme::smallest, "min", x, dims, keep); }

// y = Σ (x - m)² / (n - c), dx = 2 (x - m) dy / (n - c); what goes through the mean m adds up to 0
Tensor variance(const Tensor& x, const Dims& dims, bool keep, double correction) {
  const double n = count_of(x, dims), divisor = std::max(n - correction, 0.0);
  const Tensor m = binary(Binary::divide, "variance", sum_of("variance", x, dims, true), n);
  const Tensor centred = binary(Binary::subtract, "variance", x, m);
  const Tensor squares = binary(Binary::multiply, "variance", centred, centred);
  const Tensor y = binary(Binary::divide, "variance", sum_of("variance", squares, dims, keep), divisor);
  return record("variance", y, {x}, [x, m, divisor](const Tensor& dy, Gradients& d) {
    d.add(0, (x - m) * (restored(dy, m.shape()) * (2 / divisor)));
  });
}

// log Σ exp(x), dx = exp(x - y) dy
Tensor log_sum_exp(const Tensor& x, const Dims& dims, bool keep) {
  const Tensor y = reduced("log_sum_exp", x, dims, keep, [](const ReduceShape& sizes, const auto* in, auto* out) {
    kernels::log_sum_exp(sizes, in, out);
  });
  return record("log_sum_exp", y, {x}, [x, y, dims](const Tensor& dy, Gradients& d) {
    const Shape ones = with_ones(x, dims);
    const Tensor finite = masked_fill(y, equal(y, -std::numeric_limits<double>::infinity()), 0);  // exp(-inf) = 0
    d.add(0, exp(x - finite.view(ones)) * restored(dy, ones));
  });
}

// y[i] = x[0] + … + x[i], dx[i] = dy[i] + … + dy[n-1]
Tensor cumulative_sum(const Tensor& x, int dim) {
  dim = wrap_dim(dim, x.rank(), "cumulative_sum");
  return record("cumulative_sum", scanned(x, dim, false), {x},
                [dim](const Tensor& dy, Gradients& d) { d.add(0, scanned(dy, dim, true)); });
}

Tensor argmax(const Tensor& x, std::optional<int> dim, bool keep) {
  return place_of(Extreme::largest, "argmax", x, dim, keep);
}
Tensor argmin(const Tensor& x, std::optional<int> dim, bool keep) {
  return place_of(Extreme::smallest, "argmin", x, dim, keep);
}

}  // namespace heed
