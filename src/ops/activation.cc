// Activations.
#include <heed/ops.h>

#include "ops/map.h"

namespace heed {

using kernels::Unary;

// y = max(x, 0), dx = dy where x > 0
Tensor relu(const Tensor& x) { return mapped(Unary::relu, "relu", x); }
// y = x where x > 0, else s x; dx = dy or s dy           Maas, Hannun & Ng 2013
Tensor leaky_relu(const Tensor& x, double slope) { return mapped(Unary::leaky_relu, "leaky_relu", x, slope); }
// y = x where x > 0, else a (eˣ - 1); dx = dy or a eˣ dy  Clevert, Unterthiner & Hochreiter 2015, arXiv:1511.07289
Tensor elu(const Tensor& x, double alpha) { return mapped(Unary::elu, "elu", x, alpha); }
// dx = dy (1 - y²)
Tensor tanh(const Tensor& x) { return mapped(Unary::tanh, "tanh", x); }
// y = σ(x) = 1/(1 + e⁻ˣ), dx = dy y (1 - y)
Tensor sigmoid(const Tensor& x) { return mapped(Unary::sigmoid, "sigmoid", x); }
// y = x σ(x), dx = dy σ(x) (1 + x (1 - σ(x)))            Elfwing, Uchibe & Doya 2017, arXiv:1702.03118
Tensor silu(const Tensor& x) { return mapped(Unary::silu, "silu", x); }
// y = ln(1 + eˣ), dx = dy σ(x)
Tensor softplus(const Tensor& x) { return mapped(Unary::softplus, "softplus", x); }
// y = x Φ(x), dx = dy (Φ(x) + x φ(x))                    Hendrycks & Gimpel 2016, arXiv:1606.08415
Tensor gelu(const Tensor& x) { return mapped(Unary::gelu, "gelu", x); }
// y = x/2 (1 + tanh u), u = √(2/π) (x + 0.044715 x³); dx = dy ((1 + tanh u)/2 + x/2 (1 - tanh² u) u')
Tensor gelu_tanh(const Tensor& x) { return mapped(Unary::gelu_tanh, "gelu_tanh", x); }

}  // namespace heed
