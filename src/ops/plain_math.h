// Functions of one variable and their derivatives in plain loops.
#pragma once
#include <heed/tensor.h>
#include <cmath>
#include "base/threads.h"
#include "tensor/dtype.h"
namespace heed::kernels {
enum class Unary {
  exp,
  exp2,
  log,
  sin,
  cos,
  erf,
  sqrt,
  rsqrt,
  square,
  reciprocal,
  abs,
  sign,
  floor,
  ceil,
  round,
  relu,
  leaky_relu,
  elu,
  tanh,
  sigmoid,
  silu,
  softplus,
  gelu,
  gelu_tanh
};
inline double sigmoid_of(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
inline double value(Unary op, double x, double p) {
  switch (op) {
    case Unary::exp: return std::exp(x);
    case Unary::exp2: return std::exp2(x);
    case Unary::log: return std::log(x);
    case Unary::sin: return std::sin(x);
    case Unary::cos: return std::cos(x);
    case Unary::erf: return std::erf(x);
    case Unary::sqrt: return std::sqrt(x);
    case Unary::rsqrt: return 1 / std::sqrt(x);
    case Unary::square: return x * x;
    case Unary::reciprocal: return 1 / x;
    case Unary::abs: return std::abs(x);
    case Unary::sign: return x > 0 ? 1 : x < 0 ? -1 : x;
    case Unary::floor: return std::floor(x);
    case Unary::ceil: return std::ceil(x);
    case Unary::round: return std::nearbyint(x);
    case Unary::relu: return x > 0 ? x : x != x ? x : 0;
    case Unary::leaky_relu: return x > 0 ? x : p * x;
    case Unary::elu: return x > 0 ? x : p * std::expm1(x);
    case Unary::tanh: return std::tanh(x);
    case Unary::sigmoid: return sigmoid_of(x);
    case Unary::silu: return x * sigmoid_of(x);
    case Unary::softplus: return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
    case Unary::gelu: return x * 0.5 * std::erfc(-x * M_SQRT1_2);
    case Unary::gelu_tanh: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }
  return 0;
}
// d/dx at input x, output y
inline double slope(Unary op, double x, double y, double p) {
  switch (op) {
    case Unary::exp: return y;
    case Unary::exp2: return y * M_LN2;
    case Unary::log: return 1 / x;
    case Unary::sin: return std::cos(x);
    case Unary::cos: return -std::sin(x);
    case Unary::erf: return M_2_SQRTPI * std::exp(-x * x);
    case Unary::sqrt: return 0.5 / y;
    case Unary::rsqrt: return -0.5 * y * y * y;
    case Unary::square: return 2 * x;
    case Unary::reciprocal: return -y * y;
    case Unary::abs: return x > 0 ? 1 : x < 0 ? -1 : 0;
    case Unary::relu: return x > 0;
    case Unary::leaky_relu: return x > 0 ? 1 : p;
    case Unary::elu: return x > 0 ? 1 : p * std::exp(x);
    case Unary::tanh: return 1 - y * y;
    case Unary::sigmoid: return y * (1 - y);
    case Unary::silu: {
      const double s = sigmoid_of(x);
      return s * (1 + x * (1 - s));
    }
    case Unary::softplus: return sigmoid_of(x);
    case Unary::gelu: return 0.5 * std::erfc(-x * M_SQRT1_2) + x * std::exp(-0.5 * x * x) * 0.3989422804014327;
    case Unary::gelu_tanh: {
      const double c = std::sqrt(2 / M_PI), t = std::tanh(c * (x + 0.044715 * x * x * x));
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x);
    }
    default: return 0;
  }
}
template <class T>
void map(Unary op, const T* x, T* y, int64_t n, double p = 0) {
  parallel(n, 4096, [=](int64_t b, int64_t e) {
    for (int64_t i = b; i < e; ++i) y[i] = static_cast<T>(value(op, x[i], p));
  });
}
template <class T>
void map_backward(Unary op, const T* x, const T* y, const T* dy, T* dx, int64_t n, double p = 0) {
  parallel(n, 4096, [=](int64_t b, int64_t e) {
    for (int64_t i = b; i < e; ++i) dx[i] = static_cast<T>(dy[i] * slope(op, x[i], y[i], p));
  });
}
}  // namespace heed::kernels
