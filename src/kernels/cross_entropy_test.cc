#include "kernels/cross_entropy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "base/runtime.h"
#include "kernels/streaming.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

using heed::testing::close;

struct Problem {
  int64_t rows, classes;
  bool weighted;
  double smoothing;
  std::vector<double> logits, weights, scale;
  std::vector<int64_t> targets;

  Problem(int64_t rows, int64_t classes, bool weighted, double smoothing)
      : rows(rows), classes(classes), weighted(weighted), smoothing(smoothing) {
    std::mt19937 random(11);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < rows * classes; ++i) logits.push_back(static_cast<double>(3 * normal(random)));
    for (int64_t c = 0; c < classes; ++c) weights.push_back(static_cast<double>(std::abs(normal(random))));
    for (int64_t r = 0; r < rows; ++r) {
      targets.push_back(r % 4 == 2 ? -100 : static_cast<int64_t>(random()) % classes);
      scale.push_back(static_cast<double>(normal(random)));
    }
  }

  double weight(int64_t c) const { return weighted ? weights[c] : 1; }

  // PyTorch's definition through a distribution: (1 - e) on the target and e/C everywhere, each class by its weight.
  double loss(int64_t row, const std::vector<double>& x) const {
    double sum = 0, value = 0;
    for (int64_t c = 0; c < classes; ++c) sum += std::exp(x[row * classes + c]);
    if (targets[row] == -100) return 0;
    for (int64_t c = 0; c < classes; ++c) {
      const double share = smoothing / static_cast<double>(classes) + (c == targets[row] ? 1 - smoothing : 0);
      value -= share * weight(c) * std::log(std::exp(x[row * classes + c]) / sum);
    }
    return value;
  }
  std::vector<double> losses() const {
    std::vector<double> values;
    for (int64_t r = 0; r < rows; ++r) values.push_back(loss(r, logits));
    return values;
  }
};

template <class T>
struct Result {
  std::vector<T> loss, log_sum_exp, d_logits;

  explicit Result(const Problem& p, bool in_place = false) {
    std::vector<T> logits(p.logits.begin(), p.logits.end()), weights(p.weights.begin(), p.weights.end()),
        scale(p.scale.begin(), p.scale.end());
    loss.resize(scale.size());
    log_sum_exp.resize(scale.size());
    d_logits.resize(logits.size());
    const CrossEntropy<T> of{logits.data(), p.targets.data(), p.weighted ? weights.data() : nullptr, p.smoothing, -100,
                             p.rows,        p.classes};
    cross_entropy(of, loss.data(), log_sum_exp.data());
    cross_entropy_backward(of, log_sum_exp.data(), scale.data(), in_place ? logits.data() : d_logits.data());
    if (in_place) d_logits = logits;
  }
};

std::vector<Problem> problems() {
  std::vector<Problem> all;
  for (const int64_t classes : {1, 2, 15, 16, 33, 1000, 5003})
    for (const bool weighted : {false, true})
      for (const double smoothing : {0.0, 0.1}) all.emplace_back(7, classes, weighted, smoothing);
  return all;
}

TEST(CrossEntropy, Forward) {
  for (const Problem& p : problems()) {
    EXPECT_TRUE(close(Result<double>(p).loss, p.losses(), 1e-12)) << p.classes;
    EXPECT_TRUE(close(Result<float>(p).loss, p.losses(), 2e-6)) << p.classes;
  }
}

TEST(CrossEntropy, BackwardByFiniteDifferences) {
  for (const Problem& p : problems()) {
    if (p.classes > 100) continue;
    std::vector<double> want, x = p.logits;
    for (size_t i = 0; i < x.size(); ++i) {
      const int64_t row = static_cast<int64_t>(i) / p.classes;
      const double kept = x[i], h = 1e-5;
      x[i] = kept + h;
      const double above = p.loss(row, x);
      x[i] = kept - h;
      const double below = p.loss(row, x);
      x[i] = kept;
      want.push_back(p.scale[row] * (above - below) / (2 * h));
    }
    EXPECT_TRUE(close(Result<double>(p).d_logits, want, 1e-8)) << p.classes;
  }
}

TEST(CrossEntropy, FloatBackwardMeetsDouble) {
  for (const Problem& p : problems()) {
    EXPECT_TRUE(close(Result<float>(p).d_logits, Result<double>(p).d_logits, 3e-6)) << p.classes;
    EXPECT_EQ(Result<float>(p, true).d_logits, Result<float>(p).d_logits);
  }
}

TEST(CrossEntropy, StreamedAndForAnyThreads) {
  const Problem p(kStreamingBytes / 4 / 1001 + 1, 1001, true, 0.1);
  set_threads(1);
  const Result<float> one(p);
  set_threads(2);
  const Result<float> two(p), in_place(p, true);
  EXPECT_EQ(one.loss, two.loss);
  EXPECT_EQ(one.d_logits, two.d_logits);
  EXPECT_EQ(one.d_logits, in_place.d_logits);
}

TEST(CrossEntropy, MaskedClassesAndLargeLogits) {
  Problem p(2, 40, false, 0);
  p.targets = {3, 5};
  for (int64_t i = 20; i < 40; ++i) p.logits[i] = -INFINITY;
  for (int64_t i = 40; i < 80; ++i) p.logits[i] = 20000 + p.logits[i];
  const Result<float> got(p);
  const Result<double> want(p);
  EXPECT_TRUE(close(got.loss, want.loss, 1e-3));  // logits of 20000 have steps of 0.002
  for (int64_t i = 20; i < 40; ++i) EXPECT_EQ(got.d_logits[i], 0);
  for (const float value : got.d_logits) EXPECT_TRUE(std::isfinite(value));
}

TEST(CrossEntropy, TargetWeight) {
  const float weights[] = {0.5f, 2};
  const int64_t targets[] = {1, -100, 0};
  const CrossEntropy<float> of{nullptr, targets, weights, 0, -100, 3, 2};
  EXPECT_EQ(target_weight(of, 0), 2);
  EXPECT_EQ(target_weight(of, 1), 0);
  EXPECT_EQ(target_weight(of, 2), 0.5);
}

}  // namespace
}  // namespace heed::kernels
