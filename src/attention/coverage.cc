// Coverage (See, Liu & Manning 2017, arXiv:1704.04368): c_t = Σ_{t' < t} a_t', loss_t = Σ_j min(a_tj, c_tj).
#include <heed/attention.h>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {

Tensor Coverage::step(const Tensor& weights) {
  check(!sum.defined() || sum.shape() == weights.shape(), "coverage", "weights of shape {} after some of shape {}",
        weights.shape(), sum.defined() ? sum.shape() : Shape());
  if (!sum.defined()) sum = Tensor::zeros(weights.shape(), weights.dtype());
  Tensor loss = heed::sum(minimum(weights, sum), -1);
  sum = sum + weights;
  return loss;
}

}  // namespace heed
