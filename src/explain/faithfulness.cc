#include <heed/explain.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "explain/words_watcher.h"

namespace heed {
namespace {

constexpr int64_t kPoints = 20;  // of a curve

// ∫ f over [0, 1] of values at these shares.
double area(const std::vector<double>& at, const std::vector<double>& f) {
  double sum = 0;
  for (size_t n = 1; n < f.size(); ++n) sum += (at[n] - at[n - 1]) * (f[n] + f[n - 1]) / 2;
  return sum;
}

}  // namespace

Faithfulness faithfulness(const Question& question, const Tensor& scores) {
  check(scores.rank() == 1 && scores.dim(0) == question.count, "faithfulness", "got scores {} of {} words",
        scores.shape().text(), question.count);
  const NoGrad scope;
  const Tensor order = sort(scores, 0, true).indices;
  const int64_t points = std::min(kPoints, question.count);
  Tensor without = ones({points + 1, question.count}), alone = zeros({points + 1, question.count});
  std::vector<double> shares;
  for (int64_t n = 0; n <= points; ++n) {
    const int64_t words = (n * question.count + points / 2) / points;
    shares.push_back(static_cast<double>(words) / static_cast<double>(question.count));
    for (int64_t w = 0; w < words; ++w) {
      const int64_t j = order.at<int64_t>({w});
      without.at<float>({n, j}) = 0, alone.at<float>({n, j}) = 1;
    }
  }
  Faithfulness f;
  f.removed = explain::probabilities(question, explain::answers_with(question, without));
  f.kept = explain::probabilities(question, explain::answers_with(question, alone));
  const double whole = f.removed[0];
  f.comprehensiveness = whole - area(shares, f.removed), f.sufficiency = whole - area(shares, f.kept);
  return f;
}

// (agreeing − disagreeing pairs) / √((pairs untied in a)(pairs untied in b)).                           Kendall 1945
double kendall_tau(const Tensor& a, const Tensor& b) {
  check(a.shape() == b.shape() && a.numel() > 1, "kendall_tau", "got {} and {}, wanted two of the same length",
        a.shape().text(), b.shape().text());
  const std::vector<double> x = a.values(), y = b.values();
  const auto sign = [](double d) { return (d > 0) - (d < 0); };
  int64_t agreeing = 0, untied_x = 0, untied_y = 0;
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      const int dx = sign(x[i] - x[j]), dy = sign(y[i] - y[j]);
      agreeing += dx * dy, untied_x += dx != 0, untied_y += dy != 0;
    }
  const double untied = std::sqrt(static_cast<double>(untied_x) * static_cast<double>(untied_y));
  return untied == 0 ? 0 : static_cast<double>(agreeing) / untied;
}

}  // namespace heed
