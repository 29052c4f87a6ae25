// Sine and cosine of vectors.
//
// x = q pi/2 + r with |r| <= pi/4; pi/2 in three parts, each product exact in a fused multiply-add (Cody and Waite), up
// to kLimit. The few arguments beyond it are left to the C library, which reduces them with as many digits as it takes.
#if defined(HEED_KERNELS_TRIGONOMETRY_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_TRIGONOMETRY_INL_H_
#undef HEED_KERNELS_TRIGONOMETRY_INL_H_
#else
#define HEED_KERNELS_TRIGONOMETRY_INL_H_
#endif

#include <cmath>

#include "hwy/highway.h"
#include "kernels/exponential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

template <class T>
struct Trigonometry;

template <>
struct Trigonometry<float> {
  static constexpr int kSignShift = 30;
  static constexpr float kLimit = 131072;
  static constexpr float kHalfPi[] = {0x1.921fb6p+0f, -0x1.777a5cp-25f, -0x1.ee59dap-50f};
  static constexpr float kSine[] = {-0.1666666666f, 0.008333331691f, -0.0001983998958f, 2.723757724e-6f};
  static constexpr float kCosine[] = {0.04166666666f, -0.001388888752f, 2.480051929e-5f, -2.72906524e-7f};
};

template <>
struct Trigonometry<double> {
  static constexpr int kSignShift = 62;
  static constexpr double kLimit = 1e6;
  static constexpr double kHalfPi[] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110};
  static constexpr double kSine[] = {-0.1666666666666666667,   0.008333333333333330999,  -0.0001984126984126402042,
                                     2.755731921854283492e-6,  -2.505210596137700055e-8, 1.605848950955874176e-10,
                                     -7.584263996034166567e-13};
  static constexpr double kCosine[] = {0.04166666666666666667,  -0.001388888888888888759, 0.00002480158730158406569,
                                       -2.75573192209600783e-7, 2.087675564036913269e-9,  -1.147043747526649877e-11,
                                       4.744519109648004605e-14};
};

// sin r = r + r^3 S(r^2), cos r = 1 - r^2/2 + r^4 C(r^2), for |r| <= pi/4 or a little more.
template <class D, class V>
HWY_INLINE V sine_reduced(D d, V r, V square) {
  return hn::MulAdd(hn::Mul(r, square), polynomial(d, square, Trigonometry<hn::TFromD<D>>::kSine), r);
}
template <class D, class V>
HWY_INLINE V cosine_reduced(D d, V square) {
  const V rest = hn::Mul(hn::Mul(square, square), polynomial(d, square, Trigonometry<hn::TFromD<D>>::kCosine));
  const V halved = hn::Mul(square, hn::Set(d, 0.5)), one = hn::Set(d, 1), top = hn::Sub(one, halved);
  return hn::Add(top, hn::Add(hn::Sub(hn::Sub(one, top), halved), rest));  // with the rounding error of 1 - r^2/2
}

// sin(x + quarters * pi/2), |x| <= kLimit. Quadrant q: sin r, cos r, -sin r, -cos r.
template <int kQuarters, class D, class V>
HWY_INLINE V sine_shifted(D d, V x) {
  using T = hn::TFromD<D>;
  using C = Trigonometry<T>;
  const hn::RebindToUnsigned<D> du;
  using U = hn::TFromD<decltype(du)>;
  const V magic = hn::Set(d, Exponential<T>::kMagic);
  const V n_with_magic = hn::MulAdd(x, hn::Set(d, static_cast<T>(0.636619772367581343)), magic);
  const V n = hn::Sub(n_with_magic, magic);
  V r = hn::NegMulAdd(n, hn::Set(d, C::kHalfPi[0]), x);
  r = hn::NegMulAdd(n, hn::Set(d, C::kHalfPi[1]), r);
  r = hn::NegMulAdd(n, hn::Set(d, C::kHalfPi[2]), r);
  const V square = hn::Mul(r, r);
  const auto quadrant = hn::Add(hn::BitCast(du, n_with_magic), hn::Set(du, U{kQuarters}));
  const auto odd = hn::RebindMask(d, hn::TestBit(quadrant, hn::Set(du, U{1})));
  const auto sign = hn::ShiftLeft<C::kSignShift>(hn::And(quadrant, hn::Set(du, U{2})));
  const V value = hn::IfThenElse(odd, cosine_reduced(d, square), sine_reduced(d, r, square));
  return hn::Xor(value, hn::BitCast(d, sign));
}

template <class D, class V, class T>
HWY_NOINLINE V replace_large(D d, V x, V y, T (*function)(T)) {
  HWY_ALIGN T from[HWY_LANES(T)], to[HWY_LANES(T)];
  hn::Store(x, d, from);
  hn::Store(y, d, to);
  for (size_t i = 0; i < hn::Lanes(d); ++i)
    if (std::abs(from[i]) > Trigonometry<T>::kLimit) to[i] = function(from[i]);
  return hn::Load(d, to);
}

template <class D, class V>
HWY_INLINE auto any_large(D d, V x) {
  return !hn::AllFalse(d, hn::Gt(hn::Abs(x), hn::Set(d, Trigonometry<hn::TFromD<D>>::kLimit)));
}

template <class D, class V>
HWY_INLINE V sin(D d, V x) {
  using T = hn::TFromD<D>;
  const V y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, sine_shifted<0>(d, x));  // -0 stays -0
  if (HWY_UNLIKELY(any_large(d, x))) return replace_large(d, x, y, static_cast<T (*)(T)>(std::sin));
  return y;
}

template <class D, class V>
HWY_INLINE V cos(D d, V x) {
  using T = hn::TFromD<D>;
  const V y = sine_shifted<1>(d, x);
  if (HWY_UNLIKELY(any_large(d, x))) return replace_large(d, x, y, static_cast<T (*)(T)>(std::cos));
  return y;
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#endif  // HEED_KERNELS_TRIGONOMETRY_INL_H_
