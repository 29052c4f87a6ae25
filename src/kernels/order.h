// Rows in order. T is float, double or an integer type; a NaN is larger than everything.
#pragma once

#include <cstdint>

namespace heed::kernels {

// values and indices [rows][n]: each row sorted, equal ones in the order in which they stood; index: where a value was.
template <class T>
void sort_rows(const T* x, T* values, int64_t* indices, int64_t rows, int64_t n, bool descending);

// values and indices [rows][k]: the k largest (or smallest) of each row, the best first. k <= n.
template <class T>
void top_rows(const T* x, T* values, int64_t* indices, int64_t rows, int64_t n, int64_t k, bool largest);

}  // namespace heed::kernels
