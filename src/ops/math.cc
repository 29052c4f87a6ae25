// Functions of one variable.
#include <heed/ops.h>

#include "ops/map.h"

namespace heed {

using kernels::Unary;

// y = eˣ, dx = dy y
Tensor exp(const Tensor& x) { return mapped(Unary::exp, "exp", x); }
// y = 2ˣ, dx = dy y ln 2
Tensor exp2(const Tensor& x) { return mapped(Unary::exp2, "exp2", x); }
// y = ln x, dx = dy/x
Tensor log(const Tensor& x) { return mapped(Unary::log, "log", x); }
// dx = dy cos x
Tensor sin(const Tensor& x) { return mapped(Unary::sin, "sin", x); }
// dx = -dy sin x
Tensor cos(const Tensor& x) { return mapped(Unary::cos, "cos", x); }
// y = 2/√π ∫₀ˣ e^(-t²) dt, dx = dy 2/√π e^(-x²)
Tensor erf(const Tensor& x) { return mapped(Unary::erf, "erf", x); }
// y = √x, dx = dy/(2y)
Tensor sqrt(const Tensor& x) { return mapped(Unary::sqrt, "sqrt", x); }
// y = 1/√x, dx = -dy y³/2
Tensor rsqrt(const Tensor& x) { return mapped(Unary::rsqrt, "rsqrt", x); }
// y = x², dx = 2 x dy
Tensor square(const Tensor& x) { return mapped(Unary::square, "square", x); }
// y = 1/x, dx = -dy y²
Tensor reciprocal(const Tensor& x) { return mapped(Unary::reciprocal, "reciprocal", x); }
// y = |x|, dx = dy sign(x), 0 at 0
Tensor abs(const Tensor& x) { return mapped(Unary::abs, "abs", x); }
// -1, 0 or 1; dx = 0, as for the steps below
Tensor sign(const Tensor& x) { return mapped(Unary::sign, "sign", x); }
Tensor floor(const Tensor& x) { return mapped(Unary::floor, "floor", x); }
Tensor ceil(const Tensor& x) { return mapped(Unary::ceil, "ceil", x); }
Tensor round(const Tensor& x) { return mapped(Unary::round, "round", x); }

}  // namespace heed
