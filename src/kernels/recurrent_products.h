// The products of all steps of a recurrent layer, on the tile: A is read where it lies, B from panels.
#pragma once

#include <cstdint>

namespace heed::kernels::recurrent {

// to(j, i) = from(i, j) for i < rows, j < columns.
void transpose(int64_t rows, int64_t columns, const float* from, int64_t from_stride, float* to, int64_t to_stride);

// B (K, N), or its transpose given, in panels of 64 columns, [⌈N/64⌉][K][64], the last one padded with zeros.
constexpr int64_t panels_size(int64_t K, int64_t N) { return (N + 63) / 64 * 64 * K; }
void pack(int64_t K, int64_t N, const float* b, int64_t stride, float* panels);
void pack_transposed(int64_t K, int64_t N, const float* b, int64_t stride, float* panels);

// C (M, N) = A B, or C += A B. A(i, k) is a[i·a_stride + k], or a[k·a_stride + i] where a_by_columns.
struct Multiplication {
  int64_t M, N, K;
  const float* a;
  int64_t a_stride;
  bool a_by_columns;
  const float* panels;
  float* c;
  int64_t c_stride;
  bool add = false;
};
void multiply(const Multiplication& work);

}  // namespace heed::kernels::recurrent
