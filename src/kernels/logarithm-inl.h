// Logarithms of vectors: log, and log(1 + z) for z of [0, 1].
//
// x = 2^e (1 + f) with sqrt(1/2) <= 1 + f < sqrt 2, log x = e ln 2 + log(1 + f).
#if defined(HEED_KERNELS_LOGARITHM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_LOGARITHM_INL_H_
#undef HEED_KERNELS_LOGARITHM_INL_H_
#else
#define HEED_KERNELS_LOGARITHM_INL_H_
#endif

#include <limits>

#include "hwy/highway.h"
#include "kernels/exponential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

template <class T>
struct Logarithm;

template <>
struct Logarithm<float> {
  static constexpr uint32_t kRootHalfBits = 0x3F3504F3, kMantissaMask = 0x007FFFFF;
  static constexpr float kIntegerBase = 0x1p23f;  // adding an integer below 2^23 to its bits adds it to the value
  static constexpr float kBias = 127, kLiftDenormals = 0x1p23f, kLiftedBy = 23;
  // (log(1 + f) - f + f^2/2) / f^3
  static constexpr float kP[] = {0.3333333118f,  -0.2499999696f, 0.2000071575f,  -0.1666780232f, 0.1424905765f,
                                 -0.1242568733f, 0.1168541992f,  -0.1147973385f, 0.06971611471f};
};

template <>
struct Logarithm<double> {
  static constexpr uint64_t kRootHalfBits = 0x3FE6A09E667F3BCD, kMantissaMask = 0x000FFFFFFFFFFFFF;
  static constexpr double kIntegerBase = 0x1p52;
  static constexpr double kBias = 1023, kLiftDenormals = 0x1p52, kLiftedBy = 52;
  // (2 atanh s - 2 s) / s^3, in s^2
  static constexpr double kW[] = {0.6666666666666669708, 0.3999999999989889051, 0.2857142862625383761,
                                  0.2222221108937949621, 0.181828924325368712,  0.153316117220550079,
                                  0.1461780715341732481};
};

// e ln 2 + log(1 + f), sqrt(1/2) <= 1 + f <= sqrt 2.
// f32: log(1 + f) = f - f^2/2 + f^3 P(f).
// f64: s = f / (2 + f), log(1 + f) = 2 atanh s = f - (f^2/2 - s (f^2/2 + s^2 W(s^2))).
template <class D, class V>
HWY_INLINE V log_reduced(D d, V f, V e) {
  using T = hn::TFromD<D>;
  using C = Exponential<T>;
  const V square = hn::Mul(f, f), low = hn::Mul(e, hn::Set(d, C::kLn2Low)), half = hn::Set(d, 0.5);
  V rest;
  if constexpr (sizeof(T) == 4) {
    const V cubic = hn::MulAdd(hn::Mul(square, f), polynomial(d, f, Logarithm<T>::kP), low);
    rest = hn::NegMulAdd(half, square, cubic);
  } else {
    const V s = hn::Div(f, hn::Add(f, hn::Set(d, 2))), z = hn::Mul(s, s), h = hn::Mul(half, square);
    const V tail = hn::MulAdd(z, polynomial(d, z, Logarithm<T>::kW), h);
    rest = hn::Sub(hn::MulAdd(s, tail, low), h);
  }
  return hn::MulAdd(e, hn::Set(d, C::kLn2High), hn::Add(f, rest));
}

template <class D, class V>
HWY_INLINE V log_of_positive(D d, V x) {
  using T = hn::TFromD<D>;
  using C = Logarithm<T>;
  const hn::RebindToUnsigned<D> du;
  const auto small = hn::Lt(x, hn::Set(d, std::numeric_limits<T>::min()));
  const auto bits = hn::BitCast(du, hn::IfThenElse(small, hn::Mul(x, hn::Set(d, C::kLiftDenormals)), x));
  const auto moved = hn::Add(bits, hn::Set(du, Exponential<T>::kOneBits - C::kRootHalfBits));
  const auto exponent = hn::ShiftRight<Exponential<T>::kMantissaBits>(moved);
  const auto mantissa = hn::Add(hn::And(moved, hn::Set(du, C::kMantissaMask)), hn::Set(du, C::kRootHalfBits));
  const V base = hn::Set(d, C::kIntegerBase);
  const V lift = hn::IfThenElse(small, hn::Set(d, C::kBias + C::kLiftedBy), hn::Set(d, C::kBias));
  const V e = hn::Sub(hn::Sub(hn::BitCast(d, hn::Or(exponent, hn::BitCast(du, base))), base), lift);
  return log_reduced(d, hn::Sub(hn::BitCast(d, mantissa), hn::Set(d, 1)), e);
}

// Natural logarithm; -inf at 0, NaN below.
template <class D, class V>
HWY_INLINE V log(D d, V x) {
  using T = hn::TFromD<D>;
  const V infinity = hn::Set(d, std::numeric_limits<T>::infinity()), zero = hn::Zero(d);
  const V finite = hn::IfThenElse(hn::Lt(x, infinity), log_of_positive(d, x), x);
  const V nan = hn::Set(d, std::numeric_limits<T>::quiet_NaN());
  return hn::IfThenElse(hn::Le(x, zero), hn::IfThenElse(hn::Lt(x, zero), nan, hn::Neg(infinity)), finite);
}

// log(1 + z) for 0 <= z <= 1; where 1 + z > sqrt 2 as ln 2 + log((1 + z) / 2).
template <class D, class V>
HWY_INLINE V log1p_unit(D d, V z) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, 1);
  const auto large = hn::Gt(z, hn::Set(d, static_cast<T>(0.41421356)));
  const V f = hn::IfThenElse(large, hn::Mul(hn::Sub(z, one), hn::Set(d, 0.5)), z);
  return log_reduced(d, f, hn::IfThenElseZero(large, one));
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#endif  // HEED_KERNELS_LOGARITHM_INL_H_
