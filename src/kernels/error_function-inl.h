// The error function of vectors, and the normal distribution (for GELU) from the scaled complement
// erfcx(a) = e^(a^2) erfc(a), which is smooth, so that small tails keep their digits.
#if defined(HEED_KERNELS_ERROR_FUNCTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_ERROR_FUNCTION_INL_H_
#undef HEED_KERNELS_ERROR_FUNCTION_INL_H_
#else
#define HEED_KERNELS_ERROR_FUNCTION_INL_H_
#endif

#include "hwy/highway.h"
#include "kernels/exponential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

template <class T>
struct ErrorFunction;

template <>
struct ErrorFunction<float> {
  static constexpr float kOne = 3.92f;  // erf rounds to 1 from here on
  // erf(x) / x = P(x^2) / Q(x^2), interpolated on [0, 3.93]
  static constexpr float kP[] = {1.128379185f,     0.1838422828f,   0.05443545328f,  0.003833110754f,
                                 0.0003915744937f, 5.034106603e-6f, -1.490043846e-8f};
  static constexpr float kQ[] = {1.0f, 0.4962596341f, 0.1136605894f, 0.01547043356f, 0.001320346091f, 6.642549652e-5f};
  // erfcx(a) (1 + 2a), in (a - c) / (a + c)
  static constexpr float kCentre = 3, kFarthest = 15;  // of |x|; a tail beyond kFarthest is 0
  static constexpr float kScaled[] = {1.253008058f,    -0.1356211491f,   -0.04756231817f,  0.1296467149f,
                                      -0.1192719193f,  0.06829302906f,   -0.02379466453f,  0.002576856517f,
                                      0.002001771226f, -0.000788120753f, -0.0002735959993f};
};

template <>
struct ErrorFunction<double> {
  static constexpr double kOne = 6;
  // erf(x) / x for x <= 1, in x^2
  static constexpr double kP[] = {1.128379167095512574,     -0.3761263890318374806,     0.1128379167095487867,
                                  -0.02686617064507679325,  0.005223977624818014467,    -0.0008548326980833789905,
                                  0.0001205533111164271092, -0.00001492559526683118157, 1.646100048412136803e-6,
                                  -1.635031270105469501e-7, 1.465977527404743581e-8,    -1.137284885679167367e-9,
                                  5.957176147748911404e-11};
  static constexpr double kCentre = 3.75, kFarthest = 39.5;
  static constexpr double kScaled[] = {
      1.237512630837827581,      -0.1402405985855466808,    0.00358541548546377914,     0.08227673849011203692,
      -0.1088039301417123592,    0.09230432116153115558,    -0.05869339859030941246,    0.02836227740045772254,
      -0.009746579553431873662,  0.001755626017152003847,   0.0002937136663108861601,   -0.0002901549652957092613,
      0.00005164891346959986193, 0.00002238725963823013435, -0.00001144299092680543826, -9.801666755858577512e-7,
      1.748119046839196428e-6,   -4.815839621672849021e-8,  -2.526146526771550472e-7,   1.599633521557370784e-8,
      3.285083556233315909e-8,   -8.782125734803520237e-10, -2.41082153654223304e-9};
};

// e^(a^2) erfc(a), a >= 0.
template <class D, class V>
HWY_INLINE V scaled_complement(D d, V a) {
  using C = ErrorFunction<hn::TFromD<D>>;
  const V centre = hn::Set(d, C::kCentre), one = hn::Set(d, 1);
  const V t = hn::Div(hn::Sub(a, centre), hn::Add(a, centre));
  return hn::Div(polynomial(d, t, C::kScaled), hn::MulAdd(hn::Set(d, 2), a, one));
}

// e^(-factor x^2) with the rounding error of x^2 made good.
template <class D, class V, class T = hn::TFromD<D>>
HWY_INLINE V exp_of_square(D d, V x, T factor) {
  const V square = hn::Mul(x, x), error = hn::MulSub(x, x, square), scale = hn::Set(d, -factor);
  const V e = exp(d, hn::Mul(square, scale));
  return hn::MulAdd(e, hn::Mul(error, scale), e);
}

// f32: one quotient. f64: near 0 a polynomial, elsewhere 1 - erfc.
template <class D, class V>
HWY_INLINE V erf(D d, V x) {
  using T = hn::TFromD<D>;
  using C = ErrorFunction<T>;
  const V one = hn::Set(d, 1), limit = hn::Set(d, C::kOne), magnitude = hn::Abs(x);
  const V near = hn::Min(limit, magnitude), square = hn::Mul(near, near);
  V y;
  if constexpr (sizeof(T) == 4) {
    y = hn::Div(hn::Mul(near, polynomial(d, square, C::kP)), polynomial(d, square, C::kQ));
  } else {
    const V tail = hn::Mul(exp_of_square(d, near, T{1}), scaled_complement(d, near));
    y = hn::IfThenElse(hn::Le(near, one), hn::Mul(near, polynomial(d, square, C::kP)), hn::Sub(one, tail));
  }
  return hn::CopySign(hn::IfThenElse(hn::Ge(magnitude, limit), one, y), x);
}

// Phi(x), the probability of less than x, and its derivative phi(x) = e^(-x^2/2) / sqrt(2 pi).
template <class V>
struct Normal {
  V probability, density;
};
template <class D, class V>
HWY_INLINE Normal<V> normal(D d, V x) {
  using T = hn::TFromD<D>;
  const V a = hn::Min(hn::Set(d, ErrorFunction<T>::kFarthest), hn::Abs(x));
  const V e = exp_of_square(d, a, T{0.5});
  const V scaled = scaled_complement(d, hn::Mul(a, hn::Set(d, static_cast<T>(0.707106781186547524401))));
  const V tail = hn::Mul(hn::Mul(hn::Set(d, 0.5), scaled), e);
  const V probability = hn::IfThenElse(hn::Gt(x, hn::Zero(d)), hn::Sub(hn::Set(d, 1), tail), tail);
  return {probability, hn::Mul(e, hn::Set(d, static_cast<T>(0.398942280401432677940)))};
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#endif  // HEED_KERNELS_ERROR_FUNCTION_INL_H_
