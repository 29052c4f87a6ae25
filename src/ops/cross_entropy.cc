#include "kernels/cross_entropy.h"

#include <heed/ops.h>

#include "base/check.h"
#include "kernels/linear_cross_entropy.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

// Targets and options that fit (rows, classes).
void check_targets(const char* op, const Tensor& targets, int64_t classes, Dtype dtype,
                   const CrossEntropyOptions& options) {
  check(targets.dtype() == Dtype::i64, op, "the targets are {}, wanted i64", name(targets.dtype()));
  check(options.smoothing >= 0 && options.smoothing < 1, op, "smoothing {} is outside of [0, 1)", options.smoothing);
  if (const Tensor& weights = options.class_weights; weights.defined())
    check(weights.shape() == Shape{classes} && weights.dtype() == dtype, op,
          "the class weights are {} {}, wanted {} ({})", name(weights.dtype()), weights.shape(), name(dtype), classes);
  const Tensor packed = targets.packed();
  const int64_t* values = packed.data<int64_t>();
  for (int64_t row = 0; row < packed.numel(); ++row)
    check(values[row] == options.ignored || (values[row] >= 0 && values[row] < classes), op,
          "target {} of row {} is outside of 0 to {}", values[row], row, classes - 1);
}

Shape without_last(Shape shape) {
  shape.erase(shape.rank() - 1);
  return shape;
}

// What a sum over rows is divided by for the mean: the weights of the targets' classes. All ignored: the mean is 0.
template <class T>
double divisor(const kernels::CrossEntropy<T>& of, Reduction reduction) {
  if (reduction != Reduction::mean) return 1;
  double total = 0;
  for (int64_t row = 0; row < of.rows; ++row) total += kernels::target_weight(of, row);
  return total > 0 ? total : 1;
}

// The inputs of the kernel, kept alive.
struct Problem {
  Tensor logits, targets, class_weights;
  CrossEntropyOptions options;

  template <class T>
  kernels::CrossEntropy<T> pointers() const {
    return {.logits = logits.defined() ? logits.data<T>() : nullptr,
            .targets = targets.data<int64_t>(),
            .class_weights = class_weights.defined() ? class_weights.data<T>() : nullptr,
            .smoothing = options.smoothing,
            .ignored = options.ignored,
            .rows = targets.numel(),
            .classes = logits.defined() ? logits.dim(-1) : 0};
  }
};

}  // namespace

// loss_i = −log p_target, dlogits = (p − one-hot) · the row's weight: kernels/cross_entropy.h has both in full.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& options) {
  const char* op = "cross_entropy";
  check(logits.rank() >= 1 && targets.shape() == without_last(logits.shape()), op,
        "logits of shape {} and targets of shape {}", logits.shape(), targets.shape());
  check_targets(op, targets, logits.dim(-1), logits.dtype(), options);
  return dispatch_floating(logits.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const Problem problem{logits.packed().detach(), targets.packed(),
                          options.class_weights.defined() ? options.class_weights.packed().detach() : Tensor(),
                          options};
    Tensor losses(targets.shape(), logits.dtype()), log_sums(targets.shape(), logits.dtype());
    const auto of = problem.pointers<T>();
    kernels::cross_entropy(of, losses.data<T>(), log_sums.data<T>());
    const double divide = divisor(of, options.reduction);
    const Tensor loss = options.reduction == Reduction::none ? losses : sum(losses) / divide;
    return record(op, loss, {logits}, [problem, log_sums, divide](const Tensor& dy, Gradients& d) {
      const Tensor scales = (dy / divide).expand(log_sums.shape()).packed();
      Tensor dx(problem.logits.shape(), dy.dtype());
      kernels::cross_entropy_backward(problem.pointers<T>(), std::as_const(log_sums).template data<T>(),
                                      scales.data<T>(), dx.data<T>());
      d.add(0, dx);
    });
  });
}

// The gradients come with the loss, in one pass; backward scales them.
Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& targets,
                            const CrossEntropyOptions& options) {
  const char* op = "linear_cross_entropy";
  check(x.rank() >= 1 && weight.rank() == 2 && x.dim(-1) == weight.dim(1), op, "x of shape {} and weight of shape {}",
        x.shape(), weight.shape());
  const int64_t classes = weight.dim(0);
  check(targets.shape() == without_last(x.shape()), op, "x of shape {} and targets of shape {}", x.shape(),
        targets.shape());
  check(weight.dtype() == x.dtype(), op, "x is {}, the weight {}", name(x.dtype()), name(weight.dtype()));
  check(!bias.defined() || (bias.shape() == Shape{classes} && bias.dtype() == x.dtype()), op,
        "the bias does not fit {} classes", classes);
  check(options.reduction != Reduction::none, op, "the reduction none would need a loss a row; take mean or sum");
  check_targets(op, targets, classes, x.dtype(), options);
  return dispatch_floating(x.dtype(), op, [&](auto zero) {
    using T = decltype(zero);
    const Tensor input = x.packed(), rows = weight.packed(), shift = bias.defined() ? bias.packed() : bias;
    const Problem problem{Tensor(), targets.packed(),
                          options.class_weights.defined() ? options.class_weights.packed() : Tensor(), options};
    const double divide = divisor(problem.pointers<T>(), options.reduction);
    const Tensor scales = Tensor::full(targets.shape(), 1 / divide, x.dtype());
    std::vector<Tensor> gradients(3);
    const auto wanted = [&](size_t i, const Tensor& of) -> T* {
      if (!recording() || !of.defined() || !of.requires_grad()) return nullptr;
      gradients[i] = Tensor(of.shape(), of.dtype());
      return gradients[i].template data<T>();
    };
    const double loss = kernels::linear_cross_entropy(
        {.rows = targets.numel(),
         .width = weight.dim(1),
         .classes = classes,
         .x = input.data<T>(),
         .weight = rows.data<T>(),
         .bias = shift.defined() ? shift.data<T>() : nullptr,
         .targets = problem.targets.data<int64_t>(),
         .class_weights = problem.class_weights.defined() ? problem.class_weights.data<T>() : nullptr,
         .row_weights = scales.data<T>(),
         .ignored = options.ignored,
         .smoothing = options.smoothing},
        {.dx = wanted(0, x), .dweight = wanted(1, weight), .dbias = wanted(2, bias)});
    return record(op, scalar(loss, x.dtype()), {x, weight, bias}, [gradients](const Tensor& dy, Gradients& d) {
      for (int i = 0; i < 3; ++i)
        if (gradients[static_cast<size_t>(i)].defined()) d.add(i, gradients[static_cast<size_t>(i)] * dy);
    });
  });
}

}  // namespace heed
