// Softmax and log-softmax over the last axis, x [rows][n].
#pragma once

#include <cstdint>

namespace heed::kernels {

// out = exp(x - m) / sum exp(x - m), m = max x. A row that is -inf throughout looks nowhere: its result is zeros.
// out may be x.
void softmax(const float* x, float* out, int64_t rows, int64_t n);
void softmax(const double* x, double* out, int64_t rows, int64_t n);

// y = softmax(x): dx = y (dy - sum dy y). Writes dx; dx may be dy.
void softmax_backward(const float* y, const float* dy, float* dx, int64_t rows, int64_t n);
void softmax_backward(const double* y, const double* dy, double* dx, int64_t rows, int64_t n);

// out = x - m - log sum exp(x - m). A row that is -inf throughout stays -inf. out may be x.
void log_softmax(const float* x, float* out, int64_t rows, int64_t n);
void log_softmax(const double* x, double* out, int64_t rows, int64_t n);

// y = log_softmax(x): dx = dy - exp(y) sum dy. Writes dx; dx may be dy.
void log_softmax_backward(const float* y, const float* dy, float* dx, int64_t rows, int64_t n);
void log_softmax_backward(const double* y, const double* dy, double* dx, int64_t rows, int64_t n);

}  // namespace heed::kernels
