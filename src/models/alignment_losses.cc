#include "base/check.h"
#include "models/options.h"
#include "nn/places.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

// Σ_t Σ_j min(a_tj, Σ_{t' < t} a_t'j). See, Liu & Manning 2017, arXiv:1704.04368
Tensor coverage_loss(const Tensor& weights, const Tensor& lengths) {
  Coverage seen;
  std::vector<Tensor> losses;
  for (const Tensor& step : unstack(weights, 1)) losses.push_back(seen.step(step));
  return sum(stack(losses, 1) * places(lengths, weights.dim(1)));
}

// −Σ A log a. Chen et al. 2016, arXiv:1607.01628
Tensor guide_loss(const Tensor& weights, const Tensor& alignment) {
  check(alignment.shape() == weights.shape(), "alignment", "has shape {}, wanted {}: batch, target, source",
        alignment.shape(), weights.shape());
  constexpr double kLeast = 1e-9;  // a weight of 0 costs much, but no infinity
  return -sum(alignment * log(clamp(weights, kLeast)));
}

void add(Tensor& total, const Tensor& loss) { total = total.defined() ? total + loss : loss; }

}  // namespace

Decoded AlignmentLosses::operator()(Decoded decoded, const Sentences& target, const Pass& pass) const {
  if (pass.training && coverage > 0) add(decoded.loss, coverage_loss(decoded.weights, target.lengths) * coverage);
  if (pass.alignment.defined()) add(decoded.loss, guide_loss(decoded.weights, pass.alignment) * guide);
  return decoded;
}

}  // namespace heed
