// The visual sentinel (Lu et al. 2017, arXiv:1612.01887): the softmax runs over the keys and one score z more. With λ
// the log-sum-exp over the keys, β = e^z / (e^z + e^λ) = σ(z − λ), so the keys' weights only shrink by 1 − β.
#include <heed/attention.h>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {

Sentinel with_sentinel(const Attended& over_keys, const Tensor& sentinel, const Tensor& score) {
  check(over_keys.log_sum_exp.defined(), "with_sentinel", "the attention has no log_sum_exp: wanted one by softmax");
  check(score.shape() == over_keys.log_sum_exp.shape() && sentinel.shape() == over_keys.out.shape(), "with_sentinel",
        "the sentinel has shape {} and its score {}, wanted {} and {}", sentinel.shape(), score.shape(),
        over_keys.out.shape(), over_keys.log_sum_exp.shape());
  const Tensor beta = sigmoid(score - over_keys.log_sum_exp), share = unsqueeze(beta, -1);
  return {share * sentinel + (1 - share) * over_keys.out, beta};
}

Tensor visual_sentinel(const Tensor& x, const Tensor& h, const Tensor& m, const Tensor& w_x, const Tensor& w_h) {
  return sigmoid(linear(x, w_x) + linear(h, w_h)) * tanh(m);
}

}  // namespace heed
