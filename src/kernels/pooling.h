// Pooling over one or two axes of (planes, height, width), a plane being a channel of an image. One axis: leave
// `height` as it is. f32 and f64; a thread works on planes of its own.
#pragma once

#include <cstdint>

#include "kernels/convolution.h"

namespace heed::kernels {

struct PoolingShape {
  int64_t planes = 1;
  ConvolutionAxis height, width;

  int64_t input_plane() const { return height.input * width.input; }  // elements of one
  int64_t output_plane() const { return height.output() * width.output(); }
};

// y[p,i,j] = the largest x in the window of (i, j); padding never wins, a NaN always does. indices: where it was found
// in its plane (the first such place). A window without any x gives -infinity and -1.
template <class T>
void max_pool(const PoolingShape& shape, const T* x, T* y, int64_t* indices);
// dx[p, indices[p,i,j]] += dy[p,i,j], from zero. dx is overwritten.
template <class T>
void max_pool_backward(const PoolingShape& shape, const T* dy, const int64_t* indices, T* dx);

// What an average divides by: the kernel's area, or the number of x that the window holds. One without any gives 0.
enum class AverageOver { kernel, inside };

// y[p,i,j] = (sum of x in the window of (i, j)) / count
template <class T>
void average_pool(const PoolingShape& shape, AverageOver over, const T* x, T* y);
// dx[p,r,c] = sum of dy[p,i,j] / count over the windows (i, j) that hold (r, c). dx is overwritten.
template <class T>
void average_pool_backward(const PoolingShape& shape, AverageOver over, const T* dy, T* dx);

// One value a plane of `size` elements: its largest element with its index, its mean.
template <class T>
void global_max_pool(int64_t planes, int64_t size, const T* x, T* y, int64_t* indices);
template <class T>
void global_max_pool_backward(int64_t planes, int64_t size, const T* dy, const int64_t* indices, T* dx);
template <class T>
void global_average_pool(int64_t planes, int64_t size, const T* x, T* y);
template <class T>
void global_average_pool_backward(int64_t planes, int64_t size, const T* dy, T* dx);

}  // namespace heed::kernels
