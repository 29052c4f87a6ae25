// Convolution over one or two axes, channels first; x is (batch, channels, height, width), a row of weights belongs to
// a filter: (filters, channels/groups, kernel height, kernel width). One axis: leave `height` as it is.
//
//   y[b,o,i,j] = bias[o] + sum over c,u,v of weight[o,c,u,v] x[b, c of o's group, i*stride - padding + u*dilation, …]
//
// (a correlation, as the whole field has it). What lies outside of x counts as 0.
#pragma once

#include <algorithm>
#include <cstdint>

namespace heed::kernels {

struct ConvolutionAxis {
  int64_t input = 1;  // length of x along this axis
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t padding = 0;  // on either side
  int64_t dilation = 1;

  int64_t span() const { return (kernel - 1) * dilation + 1; }  // of x, that one output looks at
  int64_t output() const { return input + 2 * padding < span() ? 0 : (input + 2 * padding - span()) / stride + 1; }
  // Where output `at` looks with its kernel's element `tap`: outside of [0, input) lies padding.
  int64_t position(int64_t at, int64_t tap) const { return at * stride - padding + tap * dilation; }
  // The outputs [begin, end) whose `tap` looks at x and not at padding.
  struct Range {
    int64_t begin, end;
  };
  Range outputs_inside(int64_t tap) const {
    const int64_t shift = position(0, tap);
    const int64_t begin = shift < 0 ? (-shift + stride - 1) / stride : 0;
    const int64_t end = shift >= input ? 0 : std::min(output(), (input - 1 - shift) / stride + 1);
    return {begin, std::max(begin, end)};
  }
  bool operator==(const ConvolutionAxis&) const = default;
};

struct ConvolutionShape {
  int64_t batch = 1, channels = 1, filters = 1, groups = 1;  // groups divides channels and filters
  ConvolutionAxis height, width;

  int64_t input_image() const { return channels * height.input * width.input; }  // elements of one
  int64_t output_image() const { return filters * height.output() * width.output(); }
  int64_t weights() const { return filters * (channels / groups) * height.kernel * width.kernel; }
  bool operator==(const ConvolutionShape&) const = default;
};

// bias: (filters) or null.
void convolution(const ConvolutionShape& shape, const float* x, const float* weight, const float* bias, float* y);
void convolution(const ConvolutionShape& shape, const double* x, const double* weight, const double* bias, double* y);

// What backward reads and what it writes (it overwrites); a null result is not computed. x is needed for weight's
// gradient, weight for x's.
template <class T>
struct ConvolutionGradient {
  const T* x = nullptr;
  const T* weight = nullptr;
  const T* dy = nullptr;
  T* dx = nullptr;
  T* dweight = nullptr;
  T* dbias = nullptr;
};
void convolution_backward(const ConvolutionShape& shape, const ConvolutionGradient<float>& gradient);
void convolution_backward(const ConvolutionShape& shape, const ConvolutionGradient<double>& gradient);

}  // namespace heed::kernels
