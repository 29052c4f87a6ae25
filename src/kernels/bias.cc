// Bias and activation over a block of a product, in the cache where the product left it.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/products.h"

namespace heed::kernels {
namespace {

template <class T>
T gelu(T x) {  // x Φ(x), Hendrycks & Gimpel 2016
  return x / 2 * (1 + std::erf(x / std::numbers::sqrt2_v<T>));
}
template <class T>
T gelu_tanh(T x) {  // their approximation
  const T c = std::sqrt(2 * std::numbers::inv_pi_v<T>);
  return x / 2 * (1 + std::tanh(c * (x + T(0.044715) * x * x * x)));
}
template <class T>
T sigmoid(T x) {
  return 1 / (1 + std::exp(-x));
}

template <class T, class F>
void map(int64_t rows, int64_t columns, T* x, int64_t stride, const T* bias, const F& f) {
  for (int64_t i = 0; i < rows; ++i) {
    T* row = x + i * stride;
    if (bias)
      for (int64_t j = 0; j < columns; ++j) row[j] = f(row[j] + bias[j]);
    else
      for (int64_t j = 0; j < columns; ++j) row[j] = f(row[j]);
  }
}

template <class T>
void run(int64_t rows, int64_t columns, T* x, int64_t stride, const T* bias, Activation activation) {
  const auto with = [&](const auto& f) { map(rows, columns, x, stride, bias, f); };
  switch (activation) {
    case Activation::none: return with([](T v) { return v; });
    case Activation::relu: return with([](T v) { return v > 0 ? v : v == v ? T{0} : v; });
    case Activation::gelu: return with(gelu<T>);
    case Activation::gelu_tanh: return with(gelu_tanh<T>);
    case Activation::silu: return with([](T v) { return v * sigmoid(v); });
    case Activation::tanh: return with([](T v) { return std::tanh(v); });
    case Activation::sigmoid: return with(sigmoid<T>);
  }
}

}  // namespace

void add_bias_activate(int64_t rows, int64_t columns, float* x, int64_t stride, const float* bias,
                       Activation activation) {
  run(rows, columns, x, stride, bias, activation);
}
void add_bias_activate(int64_t rows, int64_t columns, double* x, int64_t stride, const double* bias,
                       Activation activation) {
  run(rows, columns, x, stride, bias, activation);
}

}  // namespace heed::kernels
