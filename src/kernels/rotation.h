// Rows whose first 2·pairs columns are turned pair by pair, each row by angles of its own:
//   (a, b) -> (a cos − b sin, b cos + a sin)
// The other columns are copied. With −sin in place of sin it is the inverse, and the gradient.
#pragma once

#include <cstdint>

namespace heed::kernels {

enum class Pairs { halves, neighbours };  // column c with c + pairs, or 2c with 2c + 1

// [rows][pairs]
template <class T>
struct Angles {
  const T *cosines, *sines;
  int64_t pairs;
};

// Row i of x is at x + i·x_stride; y is [rows][width] and does not overlap x.
void rotate(int64_t rows, int64_t width, const float* x, int64_t x_stride, float* y, const Angles<float>& angles,
            Pairs pairs);
void rotate(int64_t rows, int64_t width, const double* x, int64_t x_stride, double* y, const Angles<double>& angles,
            Pairs pairs);

}  // namespace heed::kernels
