// Mathematics of vectors, f32 and f64: function(d, x) for a tag d and a vector x of it. Largest errors: see math.h.
//
//   exp exp2 log tanh sigmoid sin cos erf; expm1_nonpositive, log1p_unit, normal
//   gelu gelu_tanh silu softplus, with _derivative; sigmoid is softplus' own
//
// All are right at 0, -0, denormals, +-inf and NaN.
#if defined(HEED_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_MATH_INL_H_
#undef HEED_KERNELS_MATH_INL_H_
#else
#define HEED_KERNELS_MATH_INL_H_
#endif

#include "kernels/activation-inl.h"
#include "kernels/error_function-inl.h"
#include "kernels/exponential-inl.h"
#include "kernels/logarithm-inl.h"
#include "kernels/trigonometry-inl.h"

#endif  // HEED_KERNELS_MATH_INL_H_
