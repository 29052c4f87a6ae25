#include "train/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/philox.h"

namespace heed::metrics {
namespace {

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

size_t Draws::next() {
  const Random at = from_.take(1);
  return static_cast<size_t>(philox(at.seed, at.stream, at.position)[0] * segments_ >> 32);
}

Interval interval(std::vector<double> scores) {
  check(!scores.empty(), "bootstrap", "there is no resample");
  std::sort(scores.begin(), scores.end());
  const size_t cut = scores.size() / 40;  // 2.5 % at either end
  return {mean_of(scores), scores[cut], scores[scores.size() - cut - 1]};
}

// The differences less their mean are what chance alone makes of two equal systems; one is added to both counts so that
// p is never 0.
Paired paired(const std::vector<double>& first, const std::vector<double>& second, double corpus_difference) {
  check(!first.empty() && first.size() == second.size(), "bootstrap", "{} resamples of one system, {} of the other",
        first.size(), second.size());
  std::vector<double> differences(first.size());
  int64_t ahead = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    differences[i] = std::abs(second[i] - first[i]);
    ahead += second[i] > first[i];
  }
  const double mean = mean_of(differences), resamples = static_cast<double>(first.size());
  const auto by_chance = std::count_if(differences.begin(), differences.end(),
                                       [&](double each) { return each - mean > std::abs(corpus_difference); });
  return {static_cast<double>(by_chance + 1) / (resamples + 1), static_cast<double>(ahead) / resamples};
}

}  // namespace heed::metrics
