// Batch norm and group norm.
#include <heed/ops.h>

#include <cmath>

#include "base/check.h"
#include "kernels/channel_norm.h"
#include "ops/pointer.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

enum class ChannelNorm { batch, inference, group };

struct SavedChannels {
  ChannelNorm kind;
  int64_t groups;
  Tensor x, weight, mean, rstd;
};

int64_t inner_of(const Tensor& x) {
  int64_t inner = 1;
  for (int i = 2; i < x.rank(); ++i) inner *= x.dim(i);
  return inner;
}

template <class T>
T* wanted(bool needed, Tensor& tensor, const Shape& shape) {
  if (!needed) return nullptr;
  tensor = Tensor(shape, dtype_of<T>());
  return tensor.data<T>();
}

void check_channels(const char* op, const Tensor& x, std::initializer_list<Tensor> of_channels) {
  check(x.rank() >= 2, op, "x has shape {}, wanted (N, C, …)", x.shape());
  for (const Tensor& tensor : of_channels)
    check(!tensor.defined() || (tensor.shape() == Shape{x.dim(1)} && tensor.dtype() == x.dtype()), op,
          "x is {} {}, one of its weights or statistics {} {}, wanted ({})", name(x.dtype()), x.shape(),
          tensor.defined() ? name(tensor.dtype()) : "", tensor.defined() ? tensor.shape() : Shape(), x.dim(1));
}

// The derivation stands in kernels/channel_norm.h.
template <class T>
void backward(const SavedChannels& saved, const Tensor& gradient, Gradients& d) {
  const Tensor dy = gradient.packed();
  const Shape channels{saved.x.dim(1)};
  Tensor dx(saved.x.shape(), saved.x.dtype()), dweight, dbias;
  const kernels::ChannelNormBackward<T> of{.x = saved.x.data<T>(),
                                           .weight = pointer<T>(saved.weight),
                                           .mean = saved.mean.data<T>(),
                                           .rstd = saved.rstd.data<T>(),
                                           .out_gradient = dy.data<T>(),
                                           .x_gradient = dx.data<T>(),
                                           .weight_gradient = wanted<T>(d.needs(1), dweight, channels),
                                           .bias_gradient = wanted<T>(d.needs(2), dbias, channels),
                                           .batch = saved.x.dim(0),
                                           .channels = saved.x.dim(1),
                                           .inner = inner_of(saved.x)};
  switch (saved.kind) {
    case ChannelNorm::batch: kernels::batch_norm_backward(of); break;
    case ChannelNorm::inference: kernels::batch_norm_inference_backward(of); break;
    case ChannelNorm::group: kernels::group_norm_backward(of, saved.groups); break;
  }
  d.add(0, dx);
  if (d.needs(1)) d.add(1, dweight);
  if (d.needs(2)) d.add(2, dbias);
}

template <class T>
Tensor recorded(const char* op, const SavedChannels& saved, const Tensor& y, const Tensor& x, const Tensor& weight,
                const Tensor& bias) {
  return record(op, y, {x, weight, bias}, [saved](const Tensor& dy, Gradients& d) { backward<T>(saved, dy, d); });
}

// 1 / √(v + ε)
template <class T>
Tensor reciprocal_deviation(const Tensor& variance, double epsilon) {
  Tensor rstd(variance.shape(), variance.dtype());
  for (int64_t c = 0; c < variance.numel(); ++c)
    rstd.data<T>()[c] = static_cast<T>(1 / std::sqrt(static_cast<double>(variance.at<T>({c})) + epsilon));
  return rstd;
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor running_mean,
                  Tensor running_variance, const BatchNormOptions& options) {
  const char* op = "batch_norm";
  check_channels(op, x, {weight, bias, running_mean, running_variance});
  check(running_mean.defined() == running_variance.defined(), op, "a running mean and a running variance go together");
  check(options.training || running_mean.defined(), op, "without training, running statistics are needed");
  check(!running_mean.defined() || (running_mean.contiguous() && running_variance.contiguous()), op,
        "running statistics must be contiguous");
  check(!options.training || x.numel() / std::max<int64_t>(1, x.dim(1)) > 1 || x.numel() == 0, op,
        "shape {} has one element a channel, which has no variance", x.shape());
  return dispatch_floating(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const Shape channels{x.dim(1)};
    SavedChannels saved{options.training ? ChannelNorm::batch : ChannelNorm::inference,
                        0,
                        x.packed().detach(),
                        weight.defined() ? weight.packed().detach() : weight,
                        Tensor(channels, x.dtype()),
                        Tensor(channels, x.dtype())};
    if (!options.training)
      saved.mean = running_mean.clone(), saved.rstd = reciprocal_deviation<T>(running_variance, options.epsilon);
    const Tensor shift = bias.defined() ? bias.packed() : bias;
    Tensor y(x.shape(), x.dtype());
    const kernels::ChannelNorm<T> of{.x = std::as_const(saved.x).template data<T>(),
                                     .weight = pointer<T>(saved.weight),
                                     .bias = pointer<T>(shift),
                                     .out = y.data<T>(),
                                     .mean = saved.mean.template data<T>(),
                                     .rstd = saved.rstd.template data<T>(),
                                     .batch = x.dim(0),
                                     .channels = x.dim(1),
                                     .inner = inner_of(x),
                                     .epsilon = options.epsilon};
    if (!options.training)
      kernels::batch_norm_inference(of);
    else if (!running_mean.defined())
      kernels::batch_norm(of);
    else
      kernels::batch_norm(
          of, {.mean = running_mean.data<T>(), .variance = running_variance.data<T>(), .momentum = options.momentum});
    return recorded<T>(op, saved, y, x, weight, bias);
  });
}

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double epsilon) {
  const char* op = "group_norm";
  check_channels(op, x, {weight, bias});
  check(groups >= 1 && x.dim(1) % groups == 0, op, "{} groups do not divide {} channels", groups, x.dim(1));
  return dispatch_floating(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const Shape statistics{x.dim(0), groups};
    SavedChannels saved{ChannelNorm::group,
                        groups,
                        x.packed().detach(),
                        weight.defined() ? weight.packed().detach() : weight,
                        Tensor(statistics, x.dtype()),
                        Tensor(statistics, x.dtype())};
    const Tensor shift = bias.defined() ? bias.packed() : bias;
    Tensor y(x.shape(), x.dtype());
    kernels::group_norm(kernels::ChannelNorm<T>{.x = std::as_const(saved.x).template data<T>(),
                                                .weight = pointer<T>(saved.weight),
                                                .bias = pointer<T>(shift),
                                                .out = y.data<T>(),
                                                .mean = saved.mean.template data<T>(),
                                                .rstd = saved.rstd.template data<T>(),
                                                .batch = x.dim(0),
                                                .channels = x.dim(1),
                                                .inner = inner_of(x),
                                                .epsilon = epsilon},
                        groups);
    return recorded<T>(op, saved, y, x, weight, bias);
  });
}

}  // namespace heed
