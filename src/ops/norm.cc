#include <heed/ops.h>

#include <cmath>

#include "base/check.h"
#include "ops/dims.h"

namespace heed {
namespace {

// Off the tape.
Tensor norm_of(const Tensor& x, double p, const Dims& dims) {
  NoGrad off;
  if (p == 2) return sqrt(sum(square(x), dims, true));
  if (p == 1) return sum(abs(x), dims, true);
  if (std::isinf(p)) return max(abs(x), dims, true);
  return pow(sum(pow(abs(x), p), dims, true), 1 / p);
}

}  // namespace

// y = (Σ |x|ᵖ)^(1/p), dx = sign(x) (|x|/y)ᵖ⁻¹ dy; for p = 2 that is x/y dy. 0 where y = 0.
// p = ∞: y = max |x|, dx = sign(x) dy where |x| = y, shared by those that are equal.
Tensor norm(const Tensor& x, double p, const Dims& dims, bool keep) {
  check(p > 0, "norm", "got p = {}, wanted more than 0", p);
  check(is_floating(x.dtype()), "norm", "got {}, wanted f32 or f64", name(x.dtype()));
  const Tensor y = norm_of(x, p, dims);
  return record("norm", keep ? y : y.view(without_dims(x, dims)), {x},
                [x, y, p, dims](const Tensor& gradient, Gradients& d) {
                  const Tensor dy = where(equal(y, 0), 0, gradient.packed().view(y.shape()));
                  const Tensor divisor = masked_fill(y, equal(y, 0), 1);
                  if (p == 2) return d.add(0, x * (dy / divisor));
                  if (p == 1) return d.add(0, sign(x) * dy);
                  if (!std::isinf(p)) return d.add(0, sign(x) * pow(abs(x) / divisor, p - 1) * dy);
                  const Tensor mask = equal(abs(x), y).to(x.dtype());
                  d.add(0, sign(x) * mask * (dy / sum(mask, dims, true)));
                });
}

}  // namespace heed
