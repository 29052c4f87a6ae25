#include "kernels/convolution.h"

#include <algorithm>

#include "base/threads.h"
#include "kernels/onednn.h"

namespace heed::kernels {
namespace {

bool is_empty(const ConvolutionShape& s) {
  return s.batch == 0 || s.input_image() == 0 || s.output_image() == 0 || s.weights() == 0;
}

// With nothing to sum over, y is the bias and every gradient but the bias' is zero.
template <class T>
void convolve_nothing(const ConvolutionShape& s, const T* bias, T* y) {
  const int64_t plane = s.height.output() * s.width.output();
  for (int64_t row = 0; row < s.batch * s.filters; ++row)
    std::fill_n(y + row * plane, plane, bias ? bias[row % s.filters] : T{0});
}

template <class T>
void sum_over_images(const ConvolutionShape& s, const T* dy, T* dbias) {
  const int64_t plane = s.height.output() * s.width.output();
  for (int64_t o = 0; o < s.filters; ++o) {
    T sum = 0;
    for (int64_t b = 0; b < s.batch; ++b)
      for (int64_t i = 0; i < plane; ++i) sum += dy[(b * s.filters + o) * plane + i];
    dbias[o] = sum;
  }
}

template <class T>
void differentiate_nothing(const ConvolutionShape& s, const ConvolutionGradient<T>& g) {
  if (g.dx) std::fill_n(g.dx, s.batch * s.input_image(), T{0});
  if (g.dweight) std::fill_n(g.dweight, s.weights(), T{0});
  if (g.dbias) sum_over_images(s, g.dy, g.dbias);
}

// The plain loops, one (output row, weight row) pair at a time: visit(x offset, y offset, weight offset, count) for
// each run of outputs j0, j0+1, … of one row that meets x inside, x advancing by the stride.
template <class Visit>
void visit_rows(const ConvolutionShape& s, int64_t b, int64_t o, const Visit& visit) {
  const int64_t group_channels = s.channels / s.groups, first_channel = o / (s.filters / s.groups) * group_channels;
  const ConvolutionAxis &h = s.height, &w = s.width;
  for (int64_t c = 0; c < group_channels; ++c)
    for (int64_t u = 0; u < h.kernel; ++u)
      for (int64_t v = 0; v < w.kernel; ++v) {
        const int64_t weight = ((o * group_channels + c) * h.kernel + u) * w.kernel + v;
        const auto [begin, end] = w.outputs_inside(v);
        for (int64_t i = 0; i < h.output() && begin < end; ++i) {
          const int64_t row = h.position(i, u);
          if (row < 0 || row >= h.input) continue;
          const int64_t x = ((b * s.channels + first_channel + c) * h.input + row) * w.input + w.position(begin, v);
          visit(x, ((b * s.filters + o) * h.output() + i) * w.output() + begin, weight, end - begin);
        }
      }
}

}  // namespace

void convolution(const ConvolutionShape& s, const float* x, const float* weight, const float* bias, float* y) {
  if (is_empty(s)) return convolve_nothing(s, bias, y);
  onednn::convolution(s, x, weight, bias, y);
}

void convolution_backward(const ConvolutionShape& s, const ConvolutionGradient<float>& g) {
  if (is_empty(s)) return differentiate_nothing(s, g);
  if (g.dx || g.dweight) onednn::convolution_backward(s, g);
  if (g.dbias && !g.dweight) sum_over_images(s, g.dy, g.dbias);
}

void convolution(const ConvolutionShape& s, const double* x, const double* weight, const double* bias, double* y) {
  convolve_nothing(s, bias, y);
  if (is_empty(s)) return;
  parallel_items(s.batch * s.filters, [&](int64_t item) {
    visit_rows(s, item / s.filters, item % s.filters, [&](int64_t from, int64_t to, int64_t weight_at, int64_t count) {
      for (int64_t j = 0; j < count; ++j) y[to + j] += weight[weight_at] * x[from + j * s.width.stride];
    });
  });
}

// y += weight · x, so dx += weight · dy and dweight += x · dy over the same runs; images and filters are independent.
void convolution_backward(const ConvolutionShape& s, const ConvolutionGradient<double>& g) {
  differentiate_nothing(s, g);
  if (is_empty(s)) return;
  if (g.dx)
    parallel_items(s.batch, [&](int64_t b) {
      for (int64_t o = 0; o < s.filters; ++o)
        visit_rows(s, b, o, [&](int64_t from, int64_t to, int64_t weight_at, int64_t count) {
          for (int64_t j = 0; j < count; ++j) g.dx[from + j * s.width.stride] += g.weight[weight_at] * g.dy[to + j];
        });
    });
  if (g.dweight)
    parallel_items(s.filters, [&](int64_t o) {
      for (int64_t b = 0; b < s.batch; ++b)
        visit_rows(s, b, o, [&](int64_t from, int64_t to, int64_t weight_at, int64_t count) {
          for (int64_t j = 0; j < count; ++j) g.dweight[weight_at] += g.x[from + j * s.width.stride] * g.dy[to + j];
        });
    });
}

}  // namespace heed::kernels
