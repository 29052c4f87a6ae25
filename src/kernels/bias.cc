// Bias and activation over a block of a product, in the cache where the product left it.
#include "kernels/products.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/bias.cc"
#include "hwy/foreach_target.h"
#include "kernels/math-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

// x = f(x + bias) for each vector, the last one of a row in part.
template <class T, class F>
HWY_INLINE void map_rows(int64_t rows, int64_t columns, T* x, int64_t stride, const T* bias, const F& f) {
  const hn::ScalableTag<T> d;
  constexpr int64_t kLanes = hn::MaxLanes(d);
  const auto at = [&](T* to, int64_t j, auto width) HWY_ATTR {
    auto v = width.load(d, to + j);
    if (bias) v = hn::Add(v, width.load(d, bias + j));
    width.store(f(v), d, to + j);
  };
  for (int64_t i = 0; i < rows; ++i) {
    int64_t j = 0;
    for (; j + kLanes <= columns; j += kLanes) at(x + i * stride, j, WholeVector());
    if (j < columns) at(x + i * stride, j, PartVector{columns - j});
  }
}

template <class T>
HWY_INLINE void run(int64_t rows, int64_t columns, T* x, int64_t stride, const T* bias, Activation activation) {
  const hn::ScalableTag<T> d;
  const auto with = [&](const auto& f) HWY_ATTR { map_rows(rows, columns, x, stride, bias, f); };
  switch (activation) {
    case Activation::none: return with([](auto v) HWY_ATTR { return v; });
    case Activation::relu:  // NaN stays NaN
      return with([d](auto v) HWY_ATTR { return hn::IfThenZeroElse(hn::Lt(v, hn::Zero(d)), v); });
    case Activation::gelu: return with([d](auto v) HWY_ATTR { return gelu(d, v); });
    case Activation::gelu_tanh: return with([d](auto v) HWY_ATTR { return gelu_tanh(d, v); });
    case Activation::silu: return with([d](auto v) HWY_ATTR { return silu(d, v); });
    case Activation::tanh: return with([d](auto v) HWY_ATTR { return tanh(d, v); });
    case Activation::sigmoid: return with([d](auto v) HWY_ATTR { return sigmoid(d, v); });
  }
}
void BiasSingle(int64_t rows, int64_t columns, float* x, int64_t stride, const float* bias, Activation activation) {
  run(rows, columns, x, stride, bias, activation);
}
void BiasDouble(int64_t rows, int64_t columns, double* x, int64_t stride, const double* bias, Activation activation) {
  run(rows, columns, x, stride, bias, activation);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {

HWY_EXPORT(BiasSingle);
HWY_EXPORT(BiasDouble);

void add_bias_activate(int64_t rows, int64_t columns, float* x, int64_t stride, const float* bias,
                       Activation activation) {
  HWY_DYNAMIC_DISPATCH(BiasSingle)(rows, columns, x, stride, bias, activation);
}
void add_bias_activate(int64_t rows, int64_t columns, double* x, int64_t stride, const double* bias,
                       Activation activation) {
  HWY_DYNAMIC_DISPATCH(BiasDouble)(rows, columns, x, stride, bias, activation);
}

}  // namespace heed::kernels
#endif
