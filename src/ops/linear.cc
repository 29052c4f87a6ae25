#include <heed/ops.h>

#include <utility>

#include "autograd/engine.h"
#include "base/check.h"
#include "kernels/products.h"
#include "kernels/reduce.h"
#include "ops/map.h"
#include "ops/product.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

kernels::Activation kernel(Activation activation) {
  switch (activation) {
    case Activation::none: return kernels::Activation::none;
    case Activation::relu: return kernels::Activation::relu;
    case Activation::gelu: return kernels::Activation::gelu;
    case Activation::gelu_tanh: return kernels::Activation::gelu_tanh;
    case Activation::silu: return kernels::Activation::silu;
    case Activation::tanh: return kernels::Activation::tanh;
    case Activation::sigmoid: return kernels::Activation::sigmoid;
  }
  fail(ErrorKind::usage, "linear", "unknown activation {}", static_cast<int>(activation));
}

// Activations whose slope follows from their value need nothing but y for backward.
bool slope_from_output(Activation activation) {
  return activation == Activation::relu || activation == Activation::tanh || activation == Activation::sigmoid;
}

Tensor activated(const Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return relu(x);
    case Activation::gelu: return gelu(x);
    case Activation::gelu_tanh: return gelu_tanh(x);
    case Activation::silu: return silu(x);
    case Activation::tanh: return tanh(x);
    case Activation::sigmoid: return sigmoid(x);
  }
  return x;
}

// dy times the slope of an activation that slope_from_output; relu's is the same at its output as at its input.
Tensor before_activation(const Tensor& any, const Tensor& y, Activation activation) {
  Tensor dy = any.packed();
  if (activation == Activation::none) return dy;
  const kernels::Unary f = activation == Activation::relu   ? kernels::Unary::relu
                           : activation == Activation::tanh ? kernels::Unary::tanh
                                                            : kernels::Unary::sigmoid;
  return dispatch_floating(dy.dtype(), "linear", [&](auto zero) {
    using T = decltype(zero);
    Tensor dx(dy.shape(), dy.dtype());
    kernels::map_backward(f, y.data<T>(), y.data<T>(), std::as_const(dy).data<T>(), dx.data<T>(), dx.numel());
    return dx;
  });
}

void check_arguments(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check(x.rank() >= 1 && weight.rank() == 2 && x.dim(-1) == weight.dim(1), "linear",
        "x has shape {} and the weight {}, wanted (…, in) and (out, in)", x.shape(), weight.shape());
  check(x.dtype() == weight.dtype(), "linear", "x is {}, the weight {}", name(x.dtype()), name(weight.dtype()));
  check(!bias.defined() || (bias.shape() == Shape{weight.dim(0)} && bias.dtype() == x.dtype()), "linear",
        "the bias is {} {}, wanted {} ({})", bias.defined() ? name(bias.dtype()) : "",
        bias.defined() ? bias.shape() : Shape(), name(x.dtype()), weight.dim(0));
}

Tensor column_sums(const Tensor& dy) {
  return dispatch_floating(dy.dtype(), "linear", [&](auto zero) {
    using T = decltype(zero);
    Tensor sums({dy.dim(1)}, dy.dtype());
    kernels::sum({.outer = 1, .n = dy.dim(0), .inner = dy.dim(1)}, dy.data<T>(), sums.data<T>());
    return sums;
  });
}

// y = activation(x Wᵀ + b) for x (rows, in), off the tape.
template <class T>
void multiply_into(const Tensor& x, const Tensor& weight, const T* bias, Activation activation, Tensor* y) {
  const int64_t rows = x.dim(0), in = weight.dim(1), out = weight.dim(0);
  const auto packed = goes_by_panels(rows, recording()) ? packed_weight<T>(weight) : nullptr;
  if (packed)
    return kernels::multiply(kernels::PackedProduct<T>{.rows = rows,
                                                       .a = x.data<T>(),
                                                       .a_stride = in,
                                                       .weights = packed.get(),
                                                       .c = y->data<T>(),
                                                       .c_stride = out,
                                                       .bias = bias,
                                                       .activation = kernel(activation)});
  kernels::multiply(kernels::Product<T>{.rows = rows,
                                        .columns = out,
                                        .depth = in,
                                        .a = {x.data<T>(), in},
                                        .b = {weight.data<T>(), in, true},
                                        .c = y->data<T>(),
                                        .c_stride = out,
                                        .bias = bias,
                                        .activation = kernel(activation)});
}

Tensor fused(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
  return dispatch_floating(x.dtype(), "linear", [&](auto zero) {
    using T = decltype(zero);
    const Tensor b = bias.defined() ? bias.packed() : bias;
    Tensor y({x.dim(0), weight.dim(0)}, x.dtype());
    if (y.numel() > 0)
      multiply_into<T>(x.packed(), weight.packed(), b.defined() ? b.data<T>() : nullptr, activation, &y);
    return y;
  });
}

// dx = g W
Tensor input_gradient(const Tensor& g, const Tensor& weight) {
  return dispatch_floating(g.dtype(), "linear", [&](auto zero) {
    using T = decltype(zero);
    const Tensor rows = weight.packed();
    const auto packed = goes_by_panels(g.dim(0), true) ? packed_weight<T>(rows, Side::backward) : nullptr;
    if (!packed) return multiplied(g, rows);
    Tensor dx({g.dim(0), weight.dim(1)}, g.dtype());
    kernels::multiply(kernels::PackedProduct<T>{.rows = g.dim(0),
                                                .a = std::as_const(g).data<T>(),
                                                .a_stride = g.dim(1),
                                                .weights = packed.get(),
                                                .c = dx.data<T>(),
                                                .c_stride = dx.dim(1)});
    return dx;
  });
}

// dW = Σ gᵀ x and db = Σ g of the steps that a weight takes part in, each of few rows: of all rows together.
class RowProducts final : public autograd::Late {
 public:
  void add(const Tensor& g, const Tensor& x) {
    rows_ += g.dim(0), g_.push_back(g), x_.push_back(x);
    if (rows_ >= kTogether) fold();
  }
  Tensor sum() override {
    if (rows_ > 0) fold();
    return sum_;
  }

 private:
  static constexpr int64_t kTogether = 2048;
  void fold() {
    const Tensor some = multiplied(concat(g_, 0).transpose(0, 1), concat(x_, 0));
    sum_ = sum_.defined() ? sum_ + some : some;
    rows_ = 0, g_.clear(), x_.clear();
  }
  int64_t rows_ = 0;
  std::vector<Tensor> g_, x_;
  Tensor sum_;
};
class RowSums final : public autograd::Late {
 public:
  void add(const Tensor& g) { g_.push_back(g); }
  Tensor sum() override { return column_sums(concat(g_, 0)); }

 private:
  std::vector<Tensor> g_;
};

std::shared_ptr<autograd::Place> place_of(const Tensor& x) { return x.defined() ? x.place() : nullptr; }

// y = f(x Wᵀ + b), g = dy f': dx = g W, dW = gᵀ x, db = Σ g
Tensor linear_rows(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
  const Tensor y = fused(x, weight, bias, activation);
  return record("linear", y, {x, weight, bias},
                [=, x = x.detach(), weight = weight.detach(), places = std::pair(weight.place(), place_of(bias))](
                    const Tensor& dy, Gradients& d) {
                  const Tensor g = before_activation(dy, y, activation);
                  if (d.needs(0)) d.add(0, input_gradient(g, weight));
                  autograd::Engine& engine = *autograd::Engine::current();
                  const bool few = goes_by_panels(g.dim(0), true);
                  if (d.needs(1))
                    few ? engine.late<RowProducts>(places.first).add(g, x) : d.add(1, multiplied(g.transpose(0, 1), x));
                  if (d.needs(2)) few ? engine.late<RowSums>(places.second).add(g) : d.add(2, column_sums(g));
                });
}

bool taped(const Tensor& x) { return x.defined() && x.requires_grad(); }

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
  check_arguments(x, weight, bias);
  if (x.rank() != 2) {
    Shape shape = x.shape();
    const int64_t in = x.dim(-1);
    shape[shape.rank() - 1] = weight.dim(0);
    return reshape(linear(reshape(x, {in == 0 ? 0 : x.numel() / in, in}), weight, bias, activation), shape);
  }
  const bool needs_input = activation != Activation::none && !slope_from_output(activation) && recording() &&
                           (taped(x) || taped(weight) || taped(bias));
  if (needs_input) return activated(linear_rows(x, weight, bias, Activation::none), activation);
  return linear_rows(x, weight, bias, activation);
}

}  // namespace heed
