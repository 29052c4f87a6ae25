#include "kernels/convolution.h"

#include <heed/ops.h>

#include "base/check.h"
#include "ops/pointer.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

struct ConvolutionSizes {
  const char* op;
  Shape x, weight;  // (N, in, height, width), (out, in/groups, kernel height, kernel width)
};

kernels::ConvolutionShape checked_shape(const ConvolutionSizes& sizes, const ConvolutionOptions& options) {
  const char* op = sizes.op;
  const Shape &x = sizes.x, &weight = sizes.weight;
  const int64_t groups = options.groups;
  check(groups >= 1 && x[1] % groups == 0 && weight[0] % groups == 0, op,
        "{} groups do not divide {} channels and {} filters", groups, x[1], weight[0]);
  check(weight[1] == x[1] / groups, op, "the weight has shape {}, which wants {} channels in {} groups; x has {}",
        weight.text(), weight[1] * groups, groups, x[1]);
  const auto axis = [&](int i) {
    const size_t at = static_cast<size_t>(i);
    const kernels::ConvolutionAxis axis{x[2 + i], weight[2 + i], options.stride[at], options.padding[at],
                                        options.dilation[at]};
    check(axis.stride >= 1 && axis.dilation >= 1 && axis.padding >= 0 && axis.kernel >= 1, op,
          "stride {}, dilation {}, padding {} and kernel {} make no convolution", axis.stride, axis.dilation,
          axis.padding, axis.kernel);
    check(axis.output() >= 1, op, "a kernel that spans {} does not fit into {} with padding {}", axis.span(),
          axis.input, axis.padding);
    return axis;
  };
  return {.batch = x[0], .channels = x[1], .filters = weight[0], .groups = groups, .height = axis(0), .width = axis(1)};
}

// dW, dx and db are the kernel's; x, W and dy are what it needs for them.
template <class T>
void backward(const kernels::ConvolutionShape& shape, const Tensor& x, const Tensor& weight, const Tensor& dy,
              Gradients& d) {
  const Tensor packed = dy.packed();
  Tensor dx, dweight, dbias;
  if (d.needs(0)) dx = Tensor(x.shape(), x.dtype());
  if (d.needs(1) || d.needs(2)) dweight = Tensor(weight.shape(), x.dtype());
  if (d.needs(2)) dbias = Tensor({shape.filters}, x.dtype());
  kernels::convolution_backward(shape, kernels::ConvolutionGradient<T>{.x = x.data<T>(),
                                                                       .weight = weight.data<T>(),
                                                                       .dy = packed.data<T>(),
                                                                       .dx = pointer<T>(dx),
                                                                       .dweight = pointer<T>(dweight),
                                                                       .dbias = pointer<T>(dbias)});
  if (d.needs(0)) d.add(0, dx);
  if (d.needs(1)) d.add(1, dweight);
  if (d.needs(2)) d.add(2, dbias);
}

Tensor convolution(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                   const ConvolutionOptions& options) {
  const kernels::ConvolutionShape shape = checked_shape({op, x.shape(), weight.shape()}, options);
  check(weight.dtype() == x.dtype(), op, "x is {}, the weight {}", name(x.dtype()), name(weight.dtype()));
  check(!bias.defined() || (bias.shape() == Shape{shape.filters} && bias.dtype() == x.dtype()), op,
        "the bias is {} {}, wanted {} ({})", bias.defined() ? name(bias.dtype()) : "",
        bias.defined() ? bias.shape() : Shape(), name(x.dtype()), shape.filters);
  return dispatch_floating(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const Tensor input = x.packed().detach(), filters = weight.packed().detach();
    const Tensor shift = bias.defined() ? bias.packed() : bias;
    Tensor y({shape.batch, shape.filters, shape.height.output(), shape.width.output()}, x.dtype());
    if (y.numel() > 0)
      kernels::convolution(shape, input.data<T>(), filters.data<T>(), shift.defined() ? shift.data<T>() : nullptr,
                           y.data<T>());
    return record(op, y, {x, weight, bias},
                  [=](const Tensor& dy, Gradients& d) { backward<T>(shape, input, filters, dy, d); });
  });
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvolutionOptions& options) {
  check(x.rank() == 4 && weight.rank() == 4, "conv2d", "x has shape {} and weight {}, wanted four dimensions each",
        x.shape(), weight.shape());
  return convolution("conv2d", x, weight, bias, options);
}

// One axis is the width of an image of height 1.
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvolutionOptions& options) {
  check(x.rank() == 3 && weight.rank() == 3, "conv1d", "x has shape {} and weight {}, wanted three dimensions each",
        x.shape(), weight.shape());
  const ConvolutionOptions wide{.stride = {1, options.stride[0]},
                                .padding = {0, options.padding[0]},
                                .dilation = {1, options.dilation[0]},
                                .groups = options.groups};
  return squeeze(convolution("conv1d", unsqueeze(x, 2), unsqueeze(weight, 2), bias, wide), 2);
}

}  // namespace heed
