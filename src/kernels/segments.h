// Passes over contiguous values that norms of channels and of gradients consist of: f32 by vectors, f64 by plain loops.
#pragma once

#include <cstdint>

namespace heed::kernels {

float segment_sum(const float* x, int64_t n);
double segment_sum(const double* x, int64_t n);

// sum (x - mean)^2
float segment_squares(const float* x, int64_t n, float mean);
double segment_squares(const double* x, int64_t n, double mean);

// sum x^2 in double: f32 values square without overflow.
double segment_sum_of_squares(const float* x, int64_t n);
double segment_sum_of_squares(const double* x, int64_t n);

// sum dy and sum dy (x - mean)
template <class T>
struct SegmentSums {
  T dy = 0, dy_x = 0;
};
SegmentSums<float> segment_gradient_sums(const float* x, const float* dy, int64_t n, float mean);
SegmentSums<double> segment_gradient_sums(const double* x, const double* dy, int64_t n, double mean);

// out = (x - mean) scale + shift; stream: past the caches.
void segment_scale(const float* x, float* out, int64_t n, float mean, float scale, float shift, bool stream);
void segment_scale(const double* x, double* out, int64_t n, double mean, double scale, double shift, bool stream);

// dx = dy from_dy + (x - mean) from_x + constant
template <class T>
struct SegmentGradient {
  T mean, from_dy, from_x, constant;
};
void segment_gradient(const float* x, const float* dy, float* dx, int64_t n, SegmentGradient<float> of, bool stream);
void segment_gradient(const double* x, const double* dy, double* dx, int64_t n, SegmentGradient<double> of,
                      bool stream);

// After streaming and before another thread reads.
void finish_streaming(bool streamed);

}  // namespace heed::kernels
