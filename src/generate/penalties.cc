#include "generate/penalties.h"

#include <algorithm>
#include <cmath>

namespace heed {

double length_penalty(LengthPenalty form, double alpha, int64_t n) {
  const auto length = static_cast<double>(n);
  return std::pow(form == LengthPenalty::gnmt ? (5 + length) / 6 : length, alpha);
}

double coverage_penalty(double beta, const Tensor& weights) {
  double sum = 0;
  for (int64_t j = 0; j < weights.dim(1); ++j) {
    double looked = 0;
    for (int64_t i = 0; i < weights.dim(0); ++i) looked += static_cast<double>(weights.at<float>({i, j}));
    sum += std::log(std::clamp(looked, 1e-9, 1.0));
  }
  return beta * sum;
}

}  // namespace heed
