#include <heed/ops.h>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

// A view: walking along a and b at once.
Tensor diagonal_view(const Tensor& x, int a, int b) {
  Shape shape = x.shape(), strides = x.strides();
  strides[a] += strides[b];
  shape.erase(b), strides.erase(b);
  return x.as_strided(shape, strides, 0);
}

}  // namespace

// y[…i…] = x[…i…i…]; dx is dy on the diagonal and 0 elsewhere
Tensor diagonal(const Tensor& x, int a, int b) {
  a = wrap_dim(a, x.rank(), "diagonal"), b = wrap_dim(b, x.rank(), "diagonal");
  check(a < b && x.shape()[a] == x.shape()[b], "diagonal",
        "dimensions {} and {} of shape {}: wanted two equal ones, in order", a, b, x.shape());
  return record("diagonal", diagonal_view(x, a, b), {x}, [a, b](const Tensor& dy, Gradients& d) {
    d.add_to_part(0, dy, [a, b](const Tensor& dx) { return diagonal_view(dx, a, b); });
  });
}

}  // namespace heed
