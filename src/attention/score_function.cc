// What trains the scores of sampled attention: with the reward r of what was drawn and a baseline b,
//   −Σ [(r − b) log p + λ H]
// whose gradient is an unbiased estimate of that of −E[Σ r] − λ Σ H for any b that does not depend on the draw.
// Williams 1992, doi:10.1007/BF00992696; Xu et al. 2015, arXiv:1502.03044 §4.1.
#include "attention/normalizers/sampled.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {
namespace attention {
namespace {

// Column `c` of the statistics, (B,H,T).
Tensor column(const Tensor& statistics, int c) { return statistics.select(3, c); }

}  // namespace

Draws draws_of(const Tensor& statistics, Dtype dtype) {
  return {clamp(column(statistics, 3), kNowhere).to(Dtype::i64), column(statistics, 1).to(dtype),
          column(statistics, 2).to(dtype)};
}

Tensor with_arrived(const Tensor& statistics, const Tensor& at_log_probability, const Tensor& at_entropy) {
  Tensor changed = statistics.clone();
  changed.select(3, 1).copy_from(at_log_probability), changed.select(3, 2).copy_from(at_entropy);
  return changed;
}

}  // namespace attention

Tensor score_function_loss(const Attended& sampled, const Tensor& reward, const ScoreFunctionOptions& options) {
  const Tensor &log_p = sampled.log_probability, &entropy = sampled.entropy;
  check(log_p.defined(), "score_function_loss", "there is no log-probability: wanted what attend gives with sampled()");
  check(std::isfinite(options.baseline) && std::isfinite(options.entropy_weight), "score_function_loss",
        "a baseline of {} and an entropy weight of {}: wanted finite numbers", options.baseline,
        options.entropy_weight);
  check(reward.dtype() == log_p.dtype(), "score_function_loss", "the reward is {}, the log-probability {}",
        name(reward.dtype()), name(log_p.dtype()));
  const bool fits = reward.rank() <= log_p.rank() &&
                    broadcast_shapes(reward.shape(), log_p.shape(), "score_function_loss") == log_p.shape();
  check(fits, "score_function_loss", "the reward has shape {}, which does not broadcast to {}", reward.shape(),
        log_p.shape());
  return -sum((reward.detach() - options.baseline) * log_p + entropy * options.entropy_weight);
}

double MovingBaseline::step(const Tensor& reward) {
  const double before = value;
  value = decay * value + (1 - decay) * mean(reward.detach().to(Dtype::f64)).item();
  return before;
}

}  // namespace heed
