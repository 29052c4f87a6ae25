#include "kernels/reduce.h"

#include <gtest/gtest.h>
#include <heed/base.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/order.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

using testing::close;
constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::vector<T> waves(int64_t n) {
  std::vector<T> values;
  for (int64_t i = 0; i < n; ++i) values.push_back(static_cast<T>(std::sin(0.7 * static_cast<double>(i)) + 0.1));
  return values;
}

const ReduceShape kShapes[] = {{1, 1, 1},     {3, 5, 1}, {2, 7, 3}, {1, 100, 65}, {3, 10000, 1},
                               {1, 600, 200}, {4, 0, 3}, {0, 3, 2}, {2, 0, 1}};

// want[o][i] = fold over n of op, in long double.
template <class T, class Op>
std::vector<double> folded(const ReduceShape& s, const std::vector<T>& x, long double start, const Op& op) {
  std::vector<double> want;
  for (int64_t o = 0; o < s.outer; ++o)
    for (int64_t i = 0; i < s.inner; ++i) {
      long double total = start;
      for (int64_t k = 0; k < s.n; ++k) total = op(total, x[static_cast<size_t>((o * s.n + k) * s.inner + i)]);
      want.push_back(static_cast<double>(total));
    }
  return want;
}

template <class T>
void check_folds(double tolerance) {
  for (const ReduceShape& s : kShapes) {
    const auto x = waves<T>(s.outer * s.n * s.inner);
    std::vector<T> y(static_cast<size_t>(s.outer * s.inner), T(-1));
    const auto expect = [&](const std::vector<double>& want) {
      if (!y.empty()) {
        EXPECT_TRUE(close(y, want, tolerance)) << s.outer << ' ' << s.n << ' ' << s.inner;
      }
    };
    sum(s, x.data(), y.data());
    expect(folded(s, x, 0, [](auto a, auto b) { return a + b; }));
    if (s.n > 200) continue;
    product(s, x.data(), y.data());
    expect(folded(s, x, 1, [](auto a, auto b) { return a * b; }));
    log_sum_exp(s, x.data(), y.data());
    auto want = folded(s, x, 0, [](auto a, auto b) { return a + std::exp(b); });
    for (double& w : want) w = std::log(w);
    expect(want);
  }
}

TEST(Reduce, FoldsEqualTheirDefinitions) { check_folds<float>(2e-6), check_folds<double>(1e-13); }

TEST(Reduce, ASumOfManyStaysAccurate) {
  const std::vector<float> x(10'000'000, 0.1f);
  float y;
  sum({1, 10'000'000, 1}, x.data(), &y);
  EXPECT_NEAR(y, 1e6, 1);
}

TEST(Reduce, OneThreadAndTwoGiveTheSameBits) {
  const int before = threads();
  const auto x = waves<float>(3 * 100'000);
  std::vector<float> one(3), two(3);
  set_threads(1), sum({3, 100'000, 1}, x.data(), one.data());
  set_threads(2), sum({3, 100'000, 1}, x.data(), two.data());
  set_threads(before);
  EXPECT_TRUE(close(two, one, 0));
}

TEST(Reduce, ExtremesFindTheFirstAndKeepNan) {
  const std::vector<double> x{1, 5, 5, -2, kNan, 9, -kInfinity, -kInfinity, -kInfinity};
  std::vector<double> y(3);
  std::vector<int64_t> at(3);
  extreme(Extreme::largest, {3, 3, 1}, x.data(), y.data(), at.data());
  EXPECT_EQ(y[0], 5);
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(y[2], -kInfinity);
  EXPECT_EQ(at, (std::vector<int64_t>{1, 1, 0}));
  extreme<double>(Extreme::smallest, {1, 3, 3}, x.data(), nullptr, at.data());
  EXPECT_EQ(at, (std::vector<int64_t>{2, 1, 2}));
}

TEST(Reduce, ExtremesOfPairsEqualThoseWithTheirPlaces) {
  std::vector<float> x = waves<float>(2 * 1001);
  for (const size_t n : {0u, 7u, 500u, 501u, 2001u}) x[n] = static_cast<float>(kNan);
  x[20] = x[21], x[30] = x[31] = -std::numeric_limits<float>::infinity();
  for (const Extreme which : {Extreme::largest, Extreme::smallest}) {
    std::vector<float> alone(1001), placed(1001);
    std::vector<int64_t> at(1001);
    extreme<float>(which, {1001, 2, 1}, x.data(), alone.data(), nullptr);
    extreme<float>(which, {1001, 2, 1}, x.data(), placed.data(), at.data());
    for (size_t i = 0; i < alone.size(); ++i)
      EXPECT_TRUE(alone[i] == placed[i] || (alone[i] != alone[i] && placed[i] != placed[i])) << i;
  }
}

TEST(Reduce, LogSumExpNeitherOverflowsNorBreaks) {
  const std::vector<double> x{1000, 1000, -kInfinity, -kInfinity, -1000, -1000};
  std::vector<double> y(3);
  log_sum_exp({3, 2, 1}, x.data(), y.data());
  EXPECT_TRUE(close(y, std::vector<double>{1000 + std::log(2), -kInfinity, -1000 + std::log(2)}, 1e-15));
}

TEST(Reduce, CumulativeSumsBothWays) {
  const std::vector<double> x{1, 2, 3, 4, 5, 6};
  std::vector<double> y(6);
  cumulative_sum({1, 3, 2}, x.data(), y.data(), false);
  EXPECT_TRUE(close(y, std::vector<double>{1, 2, 4, 6, 9, 12}, 0));
  cumulative_sum({2, 3, 1}, x.data(), y.data(), true);
  EXPECT_TRUE(close(y, std::vector<double>{6, 5, 3, 15, 11, 6}, 0));
}

TEST(Order, SortsAreStableAndNanIsLargest) {
  const std::vector<double> x{3, kNan, 1, 3, 2};
  std::vector<double> values(5);
  std::vector<int64_t> at(5);
  sort_rows(x.data(), values.data(), at.data(), 1, 5, false);
  EXPECT_EQ(at, (std::vector<int64_t>{2, 4, 0, 3, 1}));
  sort_rows(x.data(), values.data(), at.data(), 1, 5, true);
  EXPECT_EQ(at, (std::vector<int64_t>{1, 0, 3, 4, 2}));
  top_rows(x.data(), values.data(), at.data(), 1, 5, 2, false);
  EXPECT_EQ(values[1], 2);
  EXPECT_EQ(at[0], 2);
}

}  // namespace
}  // namespace heed::kernels
