// Activations of vectors and their derivatives. They hold at +-inf too: what tends to 0 is 0, not inf * 0.
#if defined(HEED_KERNELS_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_ACTIVATION_INL_H_
#undef HEED_KERNELS_ACTIVATION_INL_H_
#else
#define HEED_KERNELS_ACTIVATION_INL_H_
#endif

#include <limits>

#include "hwy/highway.h"
#include "kernels/error_function-inl.h"
#include "kernels/exponential-inl.h"
#include "kernels/logarithm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

// x as a factor of something that vanishes for x -> -inf.
template <class D, class V>
HWY_INLINE V above_minus_infinity(D d, V x) {
  return hn::Max(hn::Set(d, std::numeric_limits<hn::TFromD<D>>::lowest()), x);
}

// silu(x) = x s(x), silu' = s + x s (1 - s), s = sigmoid. Hendrycks & Gimpel 2016; Ramachandran, Zoph & Le 2017.
template <class D, class V>
HWY_INLINE V silu(D d, V x) {
  return hn::Mul(above_minus_infinity(d, x), sigmoid(d, x));
}
template <class D, class V>
HWY_INLINE V silu_derivative(D d, V x) {
  const V s = sigmoid(d, x), near = clamp_keeping_nan<D, V>(d, x, -800, 800);
  return hn::MulAdd(hn::Mul(near, s), hn::Sub(hn::Set(d, 1), s), s);
}

// gelu(x) = x Phi(x), gelu' = Phi + x phi. Hendrycks & Gimpel 2016.
template <class D, class V>
HWY_INLINE V gelu(D d, V x) {
  return hn::Mul(above_minus_infinity(d, x), normal(d, x).probability);
}
template <class D, class V>
HWY_INLINE V gelu_derivative(D d, V x) {
  const auto [probability, density] = normal(d, x);
  return hn::MulAdd(clamp_keeping_nan<D, V>(d, x, -40, 40), density, probability);
}

// gelu with tanh: x (1 + tanh u) / 2 = x s(2u), u = sqrt(2/pi) (x + 0.044715 x^3). Both halves in one: 2u and d(2u)/dx.
template <class D, class V>
HWY_INLINE V gelu_tanh_exponent(D d, V x, V square) {
  using T = hn::TFromD<D>;
  const V twice = hn::Set(d, static_cast<T>(1.59576912160573071176));
  return hn::Mul(hn::Mul(twice, x), hn::MulAdd(square, hn::Set(d, static_cast<T>(0.044715)), hn::Set(d, 1)));
}
template <class D, class V>
HWY_INLINE V gelu_tanh(D d, V x) {
  return hn::Mul(above_minus_infinity(d, x), sigmoid(d, gelu_tanh_exponent(d, x, hn::Mul(x, x))));
}
// s + x s (1 - s) d(2u)/dx
template <class D, class V>
HWY_INLINE V gelu_tanh_derivative(D d, V x) {
  using T = hn::TFromD<D>;
  const V near = clamp_keeping_nan<D, V>(d, x, -30, 30), square = hn::Mul(near, near), one = hn::Set(d, 1);
  const V s = sigmoid(d, gelu_tanh_exponent(d, near, square));
  const V slope = hn::Mul(hn::Set(d, static_cast<T>(1.59576912160573071176)),
                          hn::MulAdd(square, hn::Set(d, static_cast<T>(3 * 0.044715)), one));
  return hn::MulAdd(hn::Mul(hn::Mul(near, s), hn::Sub(one, s)), slope, s);
}

// softplus(x) = log(1 + e^x) = max(x, 0) + log(1 + e^-|x|); its derivative is sigmoid.
template <class D, class V>
HWY_INLINE V softplus(D d, V x) {
  return hn::Add(hn::Max(hn::Zero(d), x), log1p_unit(d, exp(d, hn::Neg(hn::Abs(x)))));
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#endif  // HEED_KERNELS_ACTIVATION_INL_H_
