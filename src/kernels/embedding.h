// Embedding: rows of a table by index, and the gradient back into the rows.
#pragma once

#include <cstdint>

namespace heed::kernels {

// The first position whose index is outside [0, table_rows), or -1. The functions below take indices that are inside.
int64_t first_out_of_range(const int64_t* indices, int64_t n, int64_t table_rows);

// out[i] = table[indices[i]]: table [table_rows][width], out [n][width].
void gather_rows(const float* table, const int64_t* indices, float* out, int64_t n, int64_t width);
void gather_rows(const double* table, const int64_t* indices, double* out, int64_t n, int64_t width);

// The gradient of the table in its sparse form: rows [count], ascending and unique, and gradients [count][width], each
// the sum over the positions i with indices[i] == row, added in ascending i. Positions whose index is `padding` are
// left out. `rows` and `gradients` have room for n rows; returns count. T is float or double. The same bits for any
// number of threads.
template <class T>
int64_t sparse_row_gradient(const int64_t* indices, const T* out_gradient, int64_t n, int64_t width, int64_t* rows,
                            T* gradients, int64_t padding = -1);

// table_gradient[indices[i]] += out_gradient[i], in ascending i. Accumulates: rows that no index names are not touched.
template <class T>
void scatter_add_rows(const int64_t* indices, const T* out_gradient, T* table_gradient, int64_t n, int64_t width,
                      int64_t padding = -1);

}  // namespace heed::kernels
