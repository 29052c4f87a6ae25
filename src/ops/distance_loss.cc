// Losses between numbers, made of ops: their gradients follow.
#include <heed/ops.h>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

Tensor reduced(const Tensor& loss, Reduction reduction) {
  if (reduction == Reduction::none) return loss;
  return reduction == Reduction::sum ? sum(loss) : mean(loss);
}

void expect_alike(const char* op, const Tensor& x, const Tensor& target) {
  check(x.shape() == target.shape() && x.dtype() == target.dtype(), op, "x is {} {}, the target {} {}", name(x.dtype()),
        x.shape(), name(target.dtype()), target.shape());
}

}  // namespace

Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
  expect_alike("mse_loss", x, target);
  return reduced(square(x - target), reduction);
}

Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
  expect_alike("l1_loss", x, target);
  return reduced(abs(x - target), reduction);
}

// With a = |d| and c = min(a, delta): c(a - c/2) is a²/2 below delta and delta(a - delta/2) above.
Tensor huber_loss(const Tensor& x, const Tensor& target, double delta, Reduction reduction) {
  expect_alike("huber_loss", x, target);
  check(delta > 0, "huber_loss", "delta {} is not positive", delta);
  const Tensor a = abs(x - target), c = clamp(a, 0, delta);
  return reduced(c * (a - c * 0.5), reduction);
}

// -(t log σ(x) + (1-t) log(1-σ(x))) = softplus(x) - t x, which never overflows.
Tensor binary_cross_entropy(const Tensor& logits, const Tensor& targets, Reduction reduction) {
  expect_alike("binary_cross_entropy", logits, targets);
  return reduced(softplus(logits) - targets * logits, reduction);
}

// p log p - p log q, with 0 log 0 = 0.
Tensor kl_divergence(const Tensor& log_q, const Tensor& p, Reduction reduction) {
  expect_alike("kl_divergence", log_q, p);
  check(p.rank() >= 1, "kl_divergence", "a scalar is no distribution");
  const Tensor nothing = equal(p, 0.0);
  const Tensor entropy =
      where(nothing, Tensor::zeros({}, p.dtype()), p * log(where(nothing, Tensor::full({}, 1, p.dtype()), p)));
  return reduced(sum(entropy - p * log_q, {-1}), reduction);
}

// x·y / max(|x||y|, epsilon) over the last dimension.
Tensor cosine_similarity(const Tensor& x, const Tensor& y, double epsilon) {
  check(x.rank() >= 1 && y.rank() >= 1, "cosine_similarity", "wanted at least one dimension, got {} and {}", x.shape(),
        y.shape());
  const Tensor squares = sum(square(x), {-1}) * sum(square(y), {-1});
  return sum(x * y, {-1}) * rsqrt(maximum(squares, Tensor::full({}, epsilon * epsilon, x.dtype())));
}

Tensor cosine_loss(const Tensor& x, const Tensor& y, Reduction reduction) {
  return reduced(1.0 - cosine_similarity(x, y), reduction);
}

}  // namespace heed
