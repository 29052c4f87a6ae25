#include "kernels/pooling.h"

#include <heed/ops.h>

#include "base/check.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

enum class Pooling { max, average };

// x (…, height, width), or (…, width) as an image of height 1.
kernels::PoolingShape checked_shape(const char* op, const Tensor& x, int axes, const PoolingOptions& options) {
  check(x.rank() >= axes, op, "x has shape {}, wanted {} dimensions or more", x.shape(), axes);
  const auto axis = [&](int i) {  // 0 the first of the pooled axes
    const size_t at = static_cast<size_t>(i);
    const int64_t stride = options.stride[at] == 0 ? options.kernel[at] : options.stride[at];
    const kernels::ConvolutionAxis axis{x.dim(i - axes), options.kernel[at], stride, options.padding[at], 1};
    check(axis.kernel >= 1 && axis.stride >= 1 && axis.padding >= 0 && axis.padding <= axis.kernel / 2, op,
          "kernel {}, stride {} and padding {} make no pooling (the padding is at most half of the kernel)",
          axis.kernel, axis.stride, axis.padding);
    check(axis.output() >= 1, op, "a kernel of {} does not fit into {} with padding {}", axis.kernel, axis.input,
          axis.padding);
    return axis;
  };
  kernels::PoolingShape shape;
  if (axes == 2) shape.height = axis(0);
  shape.width = axis(axes - 1);
  shape.planes = shape.input_plane() == 0 ? 0 : x.numel() / shape.input_plane();
  return shape;
}

Shape pooled(Shape shape, int axes, const kernels::PoolingShape& pooling) {
  shape[shape.rank() - 1] = pooling.width.output();
  if (axes == 2) shape[shape.rank() - 2] = pooling.height.output();
  return shape;
}

// y = max over the window; dx[where it was] += dy
Tensor max_pool(const char* op, const Tensor& x, int axes, const PoolingOptions& options) {
  const kernels::PoolingShape shape = checked_shape(op, x, axes, options);
  return dispatch_floating(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const Tensor input = x.packed();
    Tensor y(pooled(x.shape(), axes, shape), x.dtype()), indices(y.shape(), Dtype::i64);
    kernels::max_pool(shape, input.data<T>(), y.data<T>(), indices.data<int64_t>());
    return record(op, y, {x}, [shape, indices, in = x.shape()](const Tensor& dy, Gradients& d) {
      Tensor dx(in, dy.dtype());
      kernels::max_pool_backward(shape, dy.packed().data<T>(), std::as_const(indices).data<int64_t>(), dx.data<T>());
      d.add(0, dx);
    });
  });
}

// y = mean over the window; dx += dy / count in the whole window
Tensor average_pool(const char* op, const Tensor& x, int axes, const PoolingOptions& options) {
  const kernels::PoolingShape shape = checked_shape(op, x, axes, options);
  const auto over = options.count_padding ? kernels::AverageOver::kernel : kernels::AverageOver::inside;
  return dispatch_floating(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const Tensor input = x.packed();
    Tensor y(pooled(x.shape(), axes, shape), x.dtype());
    kernels::average_pool(shape, over, input.data<T>(), y.data<T>());
    return record(op, y, {x}, [shape, over, in = x.shape()](const Tensor& dy, Gradients& d) {
      Tensor dx(in, dy.dtype());
      kernels::average_pool_backward(shape, over, dy.packed().data<T>(), dx.data<T>());
      d.add(0, dx);
    });
  });
}

PoolingOptions whole(const char* op, const Tensor& x) {
  check(x.rank() >= 3, op, "x has shape {}, wanted (N, C, …)", x.shape());
  return {.kernel = {x.numel() / std::max<int64_t>(1, x.dim(0) * x.dim(1)), 1}};
}

}  // namespace

Tensor max_pool1d(const Tensor& x, const PoolingOptions& options) { return max_pool("max_pool1d", x, 1, options); }
Tensor max_pool2d(const Tensor& x, const PoolingOptions& options) { return max_pool("max_pool2d", x, 2, options); }
Tensor average_pool1d(const Tensor& x, const PoolingOptions& options) {
  return average_pool("average_pool1d", x, 1, options);
}
Tensor average_pool2d(const Tensor& x, const PoolingOptions& options) {
  return average_pool("average_pool2d", x, 2, options);
}

// All places of a channel are one row.
Tensor global_max_pool(const Tensor& x) {
  const PoolingOptions options = whole("global_max_pool", x);
  return squeeze(max_pool("global_max_pool", reshape(x, {x.dim(0), x.dim(1), -1}), 1, options), 2);
}
Tensor global_average_pool(const Tensor& x) {
  const PoolingOptions options = whole("global_average_pool", x);
  return squeeze(average_pool("global_average_pool", reshape(x, {x.dim(0), x.dim(1), -1}), 1, options), 2);
}

}  // namespace heed
