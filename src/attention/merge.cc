// The attention over all keys from the attention over parts of them: λ = log Σ_p e^{λ_p}, out = Σ_p e^{λ_p − λ} out_p,
// by taped ops, so that gradients reach each part's out and log-sum-exp.
#include <heed/attention.h>

#include <limits>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

void check_parts(const std::vector<Attended>& parts) {
  check(!parts.empty(), "merge", "no parts: wanted at least one");
  for (size_t i = 0; i < parts.size(); ++i) {
    const Attended& part = parts[i];
    check(part.log_sum_exp.defined(), "merge", "part {} has no log-sum-exp: only what a softmax weighed can be merged",
          i);
    check(!part.weights.defined(), "merge", "part {} has weights, which are not merged: ask for none", i);
    check(part.out.shape() == parts[0].out.shape(), "merge", "part {} has shape {}, part 0 has {}", i, part.out.shape(),
          parts[0].out.shape());
  }
}

}  // namespace

Attended merge(const std::vector<Attended>& parts) {
  constexpr double kNowhere = -std::numeric_limits<double>::infinity();
  check_parts(parts);
  std::vector<Tensor> outs, sums;
  for (const Attended& part : parts) outs.push_back(part.out), sums.push_back(part.log_sum_exp);
  const Tensor each = stack(sums), largest = max(each.detach(), 0);
  const Tensor nowhere = equal(largest, kNowhere), reference = masked_fill(largest, nowhere, 0);
  const Tensor shares = exp(each - reference), total = masked_fill(sum(shares, 0), nowhere, 1);
  return {
      sum(stack(outs) * unsqueeze(shares / total, -1), 0), {}, masked_fill(reference + log(total), nowhere, kNowhere)};
}

}  // namespace heed
