// Layer norm and RMS norm, plain and of a sum: one op, of which the others are cases.
#include <heed/ops.h>

#include "base/check.h"
#include "kernels/norm.h"
#include "ops/pointer.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

using kernels::RowNormKind;

struct Arguments {
  const char* op;
  RowNormKind kind;
  double epsilon;
};

void check_arguments(const char* op, const Tensor& x, const Tensor& residual, const Tensor& weight,
                     const Tensor& bias) {
  check(x.rank() >= 1, op, "a scalar has no rows");
  check(!residual.defined() || (residual.shape() == x.shape() && residual.dtype() == x.dtype()), op,
        "x has shape {}, the residual is {} of {}", x.shape(), residual.defined() ? residual.shape() : Shape(),
        residual.defined() ? name(residual.dtype()) : "");
  for (const Tensor& scale : {weight, bias})
    check(!scale.defined() || (scale.shape() == Shape{x.dim(-1)} && scale.dtype() == x.dtype()), op,
          "x is {} {}, a weight or bias {} {}, wanted ({})", name(x.dtype()), x.shape(),
          scale.defined() ? name(scale.dtype()) : "", scale.defined() ? scale.shape() : Shape(), x.dim(-1));
}

Tensor packed(const Tensor& tensor) { return tensor.defined() ? tensor.packed().detach() : tensor; }

// What backward needs: s = x + residual (or x), its statistics, the weight.
struct SavedRows {
  RowNormKind kind;
  Tensor s, weight, mean, rstd;
};

// Inputs are recorded as x, residual, weight, bias; dys are those of the norm and of the sum.
template <class T>
void backward(const SavedRows& saved, std::span<const Tensor> dys, Gradients& d) {
  const Tensor dy = dys[0].packed(), ds = dys.size() > 1 ? dys[1].packed() : Tensor();
  const int64_t width = saved.s.dim(-1);
  Tensor dx(saved.s.shape(), saved.s.dtype()), dweight, dbias;
  if (d.needs(2)) dweight = Tensor({width}, saved.s.dtype());
  if (d.needs(3)) dbias = Tensor({width}, saved.s.dtype());
  kernels::row_norm_backward(saved.kind, kernels::RowNormBackward<T>{.x = saved.s.data<T>(),
                                                                     .weight = pointer<T>(saved.weight),
                                                                     .mean = pointer<T>(saved.mean),
                                                                     .rstd = saved.rstd.data<T>(),
                                                                     .out_gradient = dy.data<T>(),
                                                                     .sum_gradient = pointer<T>(ds),
                                                                     .x_gradient = dx.data<T>(),
                                                                     .weight_gradient = pointer<T>(dweight),
                                                                     .bias_gradient = pointer<T>(dbias),
                                                                     .rows = saved.rstd.numel(),
                                                                     .width = width});
  d.add(0, dx);
  if (d.needs(1)) d.add(1, d.needs(0) ? dx.clone() : dx);
  if (d.needs(2)) d.add(2, dweight);
  if (d.needs(3)) d.add(3, dbias);
}

// The norm, and with a residual also the sum.
std::vector<Tensor> row_norm(const Arguments& arguments, const Tensor& x, const Tensor& residual, const Tensor& weight,
                             const Tensor& bias) {
  const char* op = arguments.op;
  check_arguments(op, x, residual, weight, bias);
  return dispatch_floating(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const int64_t width = x.dim(-1), rows = width == 0 ? 0 : x.numel() / width;
    const Tensor in = packed(x), other = packed(residual), scale = packed(weight), shift = packed(bias);
    Tensor y(x.shape(), x.dtype()), sum, mean, rstd({rows}, x.dtype());
    if (residual.defined()) sum = Tensor(x.shape(), x.dtype());
    if (arguments.kind == RowNormKind::layer) mean = Tensor({rows}, x.dtype());
    kernels::row_norm(arguments.kind, kernels::RowNorm<T>{.x = in.data<T>(),
                                                          .residual = pointer<T>(other),
                                                          .weight = pointer<T>(scale),
                                                          .bias = pointer<T>(shift),
                                                          .out = y.data<T>(),
                                                          .sum = pointer<T>(sum),
                                                          .mean = pointer<T>(mean),
                                                          .rstd = rstd.data<T>(),
                                                          .rows = rows,
                                                          .width = width,
                                                          .epsilon = arguments.epsilon});
    std::vector<Tensor> outputs{y};
    if (sum.defined()) outputs.push_back(sum);
    const SavedRows saved{arguments.kind, sum.defined() ? sum.detach() : in, scale, mean, rstd};
    return record_all(op, std::move(outputs), std::vector<Tensor>{x, residual, weight, bias},
                      [saved](std::span<const Tensor> dys, Gradients& d) { backward<T>(saved, dys, d); });
  });
}

NormAndSum pair(const std::vector<Tensor>& outputs) { return {outputs[0], outputs[1]}; }

void check_residual(const char* op, const Tensor& residual) {
  check(residual.defined(), op, "the residual is undefined");
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon) {
  return row_norm({"layer_norm", RowNormKind::layer, epsilon}, x, {}, weight, bias)[0];
}
Tensor rms_norm(const Tensor& x, const Tensor& weight, double epsilon) {
  return row_norm({"rms_norm", RowNormKind::rms, epsilon}, x, {}, weight, {})[0];
}
NormAndSum layer_norm_residual(const Tensor& x, const Tensor& residual, const Tensor& weight, const Tensor& bias,
                               double epsilon) {
  check_residual("layer_norm_residual", residual);
  return pair(row_norm({"layer_norm_residual", RowNormKind::layer, epsilon}, x, residual, weight, bias));
}
NormAndSum rms_norm_residual(const Tensor& x, const Tensor& residual, const Tensor& weight, double epsilon) {
  check_residual("rms_norm_residual", residual);
  return pair(row_norm({"rms_norm_residual", RowNormKind::rms, epsilon}, x, residual, weight, {}));
}

}  // namespace heed
