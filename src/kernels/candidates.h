// What decoding asks of a row of logits x [n].
#pragma once

#include <cstdint>

namespace heed::kernels {

// log Σ exp(x_i); −inf where all are, and no finite number where one is NaN or +inf.
float row_log_sum_exp(const float* x, int64_t n);

// The k largest of those that are more than −inf: values and places, the largest first, of equal ones the first.
// Returns how many there are. Reads the row once and orders only what passes the k-th largest so far. No NaN; k > 0.
int64_t row_largest(const float* x, int64_t n, int64_t k, float* values, int32_t* places);

// The places of those that are at least `least`, in their order; returns how many. places [n].
int64_t row_above(const float* x, int64_t n, float least, int32_t* places);

// The place i with P(i−1) <= uniform < P(i), P(i) = Σ_{j<=i} exp(x_j − log_sum_exp), uniform in [0,1): i drawn with
// probability exp(x_i − log_sum_exp). Where rounding leaves some of `uniform` over at the end, the last place with
// x_i > −inf; −1 where there is none.
int64_t row_draw(const float* x, int64_t n, float log_sum_exp, double uniform);

}  // namespace heed::kernels
