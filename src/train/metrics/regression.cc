#include "train/metrics/regression.h"

#include <cmath>
#include <numeric>

#include "base/check.h"

namespace heed::metrics {
namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
double squares(std::span<const double> a, std::span<const double> b, double mean_a, double mean_b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean_a) * (b[i] - mean_b);
  return sum;
}

}  // namespace

Regression regression(std::span<const double> predicted, std::span<const double> truth) {
  check(!truth.empty() && predicted.size() == truth.size(), "regression", "{} predictions for {} numbers",
        predicted.size(), truth.size());
  double squared = 0, absolute = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    squared += (predicted[i] - truth[i]) * (predicted[i] - truth[i]);
    absolute += std::abs(predicted[i] - truth[i]);
  }
  const double n = static_cast<double>(truth.size()), p = mean_of(predicted), t = mean_of(truth);
  const double tt = squares(truth, truth, t, t), pp = squares(predicted, predicted, p, p);
  Regression figures{squared / n, absolute / n, {}, {}};
  if (tt > 0) figures.r2 = 1 - squared / tt;
  if (tt > 0 && pp > 0) figures.pearson = squares(predicted, truth, p, t) / std::sqrt(tt * pp);
  return figures;
}

}  // namespace heed::metrics
