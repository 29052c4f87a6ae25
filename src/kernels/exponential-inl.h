// Exponential functions of vectors: exp of anything and, in half the time, of what is at most 88; exp2, expm1 of what
// is not positive, tanh, sigmoid.
//
// x = n ln 2 + r with |r| <= ln 2 / 2, e^x = 2^n e^r, e^r = 1 + r + r^2 q(r); q interpolates at Chebyshev points.
// n is made by adding 1.5 * 2^(mantissa bits): the sum's last bits are n as an integer, and no conversion is needed.
#if defined(HEED_KERNELS_EXPONENTIAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_EXPONENTIAL_INL_H_
#undef HEED_KERNELS_EXPONENTIAL_INL_H_
#else
#define HEED_KERNELS_EXPONENTIAL_INL_H_
#endif

#include <type_traits>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// c[0] + c[1] x + ..., by Horner's rule; the last terms first.
template <size_t kFrom = 0, class D, class V, class T, size_t kCount>
HWY_INLINE V polynomial(D d, V x, const T (&c)[kCount]) {
  if constexpr (kFrom + 1 == kCount) {
    return hn::Set(d, c[kFrom]);
  } else {
    return hn::MulAdd(polynomial<kFrom + 1>(d, x, c), x, hn::Set(d, c[kFrom]));
  }
}

// NaN stays NaN: x86's Min and Max return their second operand where either is none.
template <class D, class V, class T = hn::TFromD<D>>
HWY_INLINE V clamp_keeping_nan(D d, V x, T low, T high) {
  return hn::Min(hn::Set(d, high), hn::Max(hn::Set(d, low), x));
}

template <class T>
struct Exponential;

template <>
struct Exponential<float> {
  static constexpr int kMantissaBits = 23;
  static constexpr uint32_t kOneBits = 0x3F800000;
  static constexpr float kMagic = 0x1.8p23f;
  static constexpr float kLowest = -104, kHighest = 89;     // e^x is 0 below and infinite above
  static constexpr float kLowest2 = -151, kHighest2 = 129;  // 2^x likewise
  static constexpr float kAllButOne = -30;                  // e^x - 1 is -1 below
  static constexpr float kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;
  // (e^r - 1 - r) / r^2
  static constexpr float kQ[] = {0.5f, 0.1666657338f, 0.04166655011f, 0.008363773874f, 0.001392692661f};
};

template <>
struct Exponential<double> {
  static constexpr int kMantissaBits = 52;
  static constexpr uint64_t kOneBits = 0x3FF0000000000000;
  static constexpr double kMagic = 0x1.8p52;
  static constexpr double kLowest = -746, kHighest = 710;
  static constexpr double kLowest2 = -1076, kHighest2 = 1025;
  static constexpr double kAllButOne = -60;
  static constexpr double kLn2High = 0x1.62e42fefa38p-1, kLn2Low = 0x1.ef35793c7673p-45;
  static constexpr double kQ[] = {0.5,
                                  0.1666666666666667144,
                                  0.04166666666666667007,
                                  0.0083333333333255447,
                                  0.001388888888888332667,
                                  0.0001984126987686435493,
                                  0.00002480158732700718673,
                                  2.755725283351690975e-6,
                                  2.755727181021979957e-7,
                                  2.510627473357329469e-8,
                                  2.091544229778011522e-9};
};

// 2^n, n + kMagic given, -126 <= n <= 127 (f32), -1022 <= n <= 1023 (f64).
template <class D, class V>
HWY_INLINE V power_of_two(D d, V n_with_magic) {
  using C = Exponential<hn::TFromD<D>>;
  const hn::RebindToUnsigned<D> du;
  const auto shifted = hn::ShiftLeft<C::kMantissaBits>(hn::BitCast(du, n_with_magic));
  return hn::BitCast(d, hn::Add(shifted, hn::Set(du, C::kOneBits)));
}

// p * 2^n with one rounding, also where the result is denormal or overflows: in two steps of n/2.
template <class D, class V>
HWY_INLINE V scale_by_power(D d, V p, V n) {
  using C = Exponential<hn::TFromD<D>>;
  const V magic = hn::Set(d, C::kMagic);
  const V half = hn::MulAdd(n, hn::Set(d, 0.5), magic);
  const V rest = hn::Add(hn::Sub(n, hn::Sub(half, magic)), magic);
  return hn::Mul(hn::Mul(p, power_of_two(d, half)), power_of_two(d, rest));
}
#if HWY_TARGET <= HWY_AVX3
HWY_INLINE hn::Vec512<float> scale_by_power(hn::Full512<float>, hn::Vec512<float> p, hn::Vec512<float> n) {
  return hn::Vec512<float>{_mm512_scalef_ps(p.raw, n.raw)};
}
HWY_INLINE hn::Vec512<double> scale_by_power(hn::Full512<double>, hn::Vec512<double> p, hn::Vec512<double> n) {
  return hn::Vec512<double>{_mm512_scalef_pd(p.raw, n.raw)};
}
#endif

// e^r - 1 for |r| <= ln 2 / 2.
template <class D, class V>
HWY_INLINE V expm1_reduced(D d, V r) {
  return hn::MulAdd(hn::Mul(r, r), polynomial(d, r, Exponential<hn::TFromD<D>>::kQ), r);
}

// n with kMagic added, n, and r of x = n ln 2 + r.
template <class V>
struct ReducedExponent {
  V n_with_magic, n, r;
};
template <class D, class V>
HWY_INLINE ReducedExponent<V> reduce_exponent(D d, V x) {
  using T = hn::TFromD<D>;
  using C = Exponential<T>;
  const V magic = hn::Set(d, C::kMagic);
  const V n_with_magic = hn::MulAdd(x, hn::Set(d, static_cast<T>(1.44269504088896340736)), magic);
  const V n = hn::Sub(n_with_magic, magic);
  const V r = hn::NegMulAdd(n, hn::Set(d, C::kLn2Low), hn::NegMulAdd(n, hn::Set(d, C::kLn2High), x));
  return {n_with_magic, n, r};
}

template <class D, class V>
HWY_INLINE V exp(D d, V x) {
  using C = Exponential<hn::TFromD<D>>;
  const auto reduced = reduce_exponent(d, clamp_keeping_nan(d, x, C::kLowest, C::kHighest));
  return scale_by_power(d, hn::Add(expm1_reduced(d, reduced.r), hn::Set(d, 1)), reduced.n);
}

// Added to a number of f32, it leaves the exponent's bits of 2^n, n the integer next to it, in the lowest places: those
// of 0 for n = -127, of infinity for n = 128. To multiply by that power keeps NaN, where a sum of bits may not.
inline constexpr float kExponentMagic = Exponential<float>::kMagic + 127;
template <class D, class V>
HWY_INLINE V power_of_exponent(D d, V n_with_magic) {
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(hn::RebindToUnsigned<D>(), n_with_magic)));
}

// e^x for f32 and x <= 88, with 0 below -87, where results turn denormal: what softmax and its kin need. NaN stays NaN.
// One constant is enough for ln 2 where the product is fused.
template <class D, class V>
HWY_INLINE V exp_at_most_88(D d, V x) {
  static_assert(std::is_same_v<hn::TFromD<D>, float>);
  constexpr float kP[] = {1.0f, 1.0f, 0.4999999341f, 0.1666652006f, 0.0416683948f, 0.00836878612f, 0.00138144526f};
  const V magic = hn::Set(d, kExponentMagic);
  const V n_with_magic = hn::MulAdd(x, hn::Set(d, 1.44269504f), magic);
  const V r = hn::NegMulAdd(hn::Sub(n_with_magic, magic), hn::Set(d, 0.693147182f), x);
  const V y = hn::Mul(polynomial(d, r, kP), power_of_exponent(d, n_with_magic));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -87.0f)), y);
}

template <class D, class V>
HWY_INLINE V exp2(D d, V x) {
  using T = hn::TFromD<D>;
  using C = Exponential<T>;
  const V clamped = clamp_keeping_nan(d, x, C::kLowest2, C::kHighest2);
  const V n = hn::Round(clamped);
  const V r = hn::Mul(hn::Sub(clamped, n), hn::Set(d, static_cast<T>(0.693147180559945309417)));
  return scale_by_power(d, hn::Add(expm1_reduced(d, r), hn::Set(d, 1)), n);
}

// e^x - 1 for x <= 0, without cancellation: 2^n (e^r - 1) + (2^n - 1).
template <class D, class V>
HWY_INLINE V expm1_nonpositive(D d, V x) {
  using C = Exponential<hn::TFromD<D>>;
  const auto reduced = reduce_exponent(d, hn::Max(hn::Set(d, C::kAllButOne), x));
  const V power = power_of_two(d, reduced.n_with_magic);
  return hn::MulAdd(power, expm1_reduced(d, reduced.r), hn::Sub(power, hn::Set(d, 1)));
}

// tanh |x| = -E / (2 + E), E = e^(-2|x|) - 1.
template <class D, class V>
HWY_INLINE V tanh(D d, V x) {
  const V e = expm1_nonpositive(d, hn::Mul(hn::Abs(x), hn::Set(d, -2)));
  return hn::CopySign(hn::Div(e, hn::Add(e, hn::Set(d, 2))), x);
}

// 1 / (1 + e^-x) as e^min(x, 0) / (1 + e^-|x|): nothing overflows, and small results keep their digits.
template <class D, class V>
HWY_INLINE V sigmoid(D d, V x) {
  const V one = hn::Set(d, 1), e = exp(d, hn::Neg(hn::Abs(x)));
  return hn::Div(hn::IfThenElse(hn::Ge(x, hn::Zero(d)), one, e), hn::Add(one, e));
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#endif  // HEED_KERNELS_EXPONENTIAL_INL_H_
