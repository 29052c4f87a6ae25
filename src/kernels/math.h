// Functions of one variable over arrays, and their gradients: f32 and f64 by vectors, on every instruction set.
//
// Largest error in units of the last place, measured by math_test.cc (f32: every 61st bit pattern of all; f64: 15
// million random numbers), and stated again in docs/accuracy.md:
//
//                     f32   f64                       f32   f64                       f32   f64
//   exp               1.1   1.1     erf               6.0   2.0     sqrt, square,
//   exp2              1.1   1.1     gelu              7.0   7.0     reciprocal        0.5   0.5
//   log               0.9   0.9     silu              3.3   3.3     rsqrt             1.5   1.5
//   tanh              2.6   2.6     softplus          1.8   1.8     the others        0     0
//   sigmoid           2.4   2.4     elu               2.1   2.1
//   sin, cos          1.6   1.6     (gelu and silu: where the result's factors are not denormal)
//
// gelu_tanh: 2e-7 max(1, |y|) absolutely in f32. NaN, +-inf, -0 and denormals are right everywhere.
#pragma once

#include <cstdint>

namespace heed::kernels {

enum class Unary {
  exp,
  exp2,
  log,
  sqrt,
  rsqrt,
  square,
  reciprocal,
  sin,
  cos,
  tanh,
  sigmoid,
  erf,
  gelu,       // x Phi(x), exactly
  gelu_tanh,  // its approximation by tanh
  silu,
  softplus,
  relu,
  leaky_relu,  // x > 0 ? x : parameter x
  elu,         // x > 0 ? x : parameter (e^x - 1)
  neg,
  abs,
  sign,  // -1, 0, 1; NaN stays NaN
  floor,
  ceil,
  round,  // halves to even
};
inline constexpr int kUnaryCount = static_cast<int>(Unary::round) + 1;

const char* name(Unary function);

// y[i] = f(x[i]); y may be x.
template <class T>
void map(Unary function, const T* x, T* y, int64_t n, double parameter = 0);

// What the gradient is made from, at most one of the two: the op keeps only this, and map_backward reads nothing else.
bool gradient_needs_input(Unary function);
bool gradient_needs_output(Unary function);

// dx[i] = f'(x[i]) dy[i]; dx may be x, y or dy.
template <class T>
void map_backward(Unary function, const T* x, const T* y, const T* dy, T* dx, int64_t n, double parameter = 0);

}  // namespace heed::kernels
