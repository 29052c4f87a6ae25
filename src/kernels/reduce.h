// Reductions of the middle dimension of a contiguous (outer, n, inner) array to (outer, inner). T is float or double.
// Sums are taken in blocks of a fixed size and in a fixed order: the same bits for any number of threads and on every
// instruction set, and an error that grows with the blocks, not with n.
#pragma once

#include <cstdint>

namespace heed::kernels {

struct ReduceShape {
  int64_t outer = 1, n = 1, inner = 1;
};

template <class T>
void sum(const ReduceShape& shape, const T* x, T* y);
template <class T>
void product(const ReduceShape& shape, const T* x, T* y);

// The largest or smallest element and its place, the first of equal ones; a NaN wins over everything. n >= 1; y or
// index may be null.
enum class Extreme { largest, smallest };
template <class T>
void extreme(Extreme which, const ReduceShape& shape, const T* x, T* y, int64_t* index);
// dx of y = extreme(x): dy goes in equal shares to all that are equal to y; NaN where y is.
template <class T>
void extreme_backward(const ReduceShape& shape, const T* x, const T* y, const T* dy, T* dx);

// log Σ exp(x) without overflow; −inf where all are.
template <class T>
void log_sum_exp(const ReduceShape& shape, const T* x, T* y);

// y[i] = x[0] + … + x[i], or with `reverse` x[i] + … + x[n-1]; y (outer, n, inner).
template <class T>
void cumulative_sum(const ReduceShape& shape, const T* x, T* y, bool reverse);

}  // namespace heed::kernels
