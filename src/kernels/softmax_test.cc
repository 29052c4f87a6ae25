#include "kernels/softmax.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "base/runtime.h"
#include "kernels/streaming.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

using heed::testing::close;
using Floats = std::vector<float>;
using Doubles = std::vector<double>;

Floats normal(int64_t n, unsigned seed, float scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution(0, scale);
  Floats values(static_cast<size_t>(n));
  for (float& value : values) value = distribution(random);
  return values;
}

Doubles widen(const Floats& x) { return {x.begin(), x.end()}; }

// p_i = exp(x_i) / sum exp(x_j), nothing else; x of moderate size.
Doubles probabilities(const Floats& x, int64_t rows, int64_t n) {
  Doubles p;
  for (int64_t r = 0; r < rows; ++r) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(x[r * n + i]));
    for (int64_t i = 0; i < n; ++i) p.push_back(sum == 0 ? 0 : std::exp(static_cast<double>(x[r * n + i])) / sum);
  }
  return p;
}

const int64_t kWidths[] = {1, 2, 7, 8, 15, 16, 17, 31, 33, 64, 100, 129, 1000, 4097};

TEST(Softmax, Forward) {
  for (const int64_t n : kWidths) {
    Floats x = normal(5 * n, 1, 5), y(x.size());
    for (int64_t i = 0; i < n / 3; ++i) x[2 * n + i] = -INFINITY;
    const Doubles want = probabilities(x, 5, n), x64 = widen(x);
    Doubles y64(x.size());
    softmax(x.data(), y.data(), 5, n);
    softmax(x64.data(), y64.data(), 5, n);
    EXPECT_TRUE(close(y64, want, 1e-13)) << n;
    EXPECT_TRUE(close(y, want, 5e-7)) << n;
    softmax(x.data(), x.data(), 5, n);
    EXPECT_EQ(x, y);
  }
}

TEST(Softmax, SmallProbabilitiesAreRightRelatively) {
  const int64_t n = 200;
  Floats x(n), y(n);
  for (int64_t i = 0; i < n; ++i) x[i] = -0.5f * static_cast<float>(i);
  const Doubles want = probabilities(x, 1, n);
  softmax(x.data(), y.data(), 1, n);
  for (int64_t i = 0; i < n; ++i) EXPECT_NEAR(y[i], want[i], i < 174 ? 5e-7 * want[i] : 1e-37) << i;
}

TEST(LogSoftmax, Forward) {
  for (const int64_t n : kWidths) {
    Floats x = normal(5 * n, 2, 5), y(x.size());
    Doubles want = probabilities(x, 5, n);
    for (double& value : want) value = std::log(value);
    Doubles y64(x.size());
    log_softmax(x.data(), y.data(), 5, n);
    log_softmax(widen(x).data(), y64.data(), 5, n);
    EXPECT_TRUE(close(y64, want, 1e-12)) << n;
    EXPECT_TRUE(close(y, want, 2e-6)) << n;
  }
}

TEST(Softmax, Backward) {
  for (const int64_t n : kWidths) {
    const Floats x = normal(4 * n, 3, 2), dy = normal(4 * n, 4);
    const Doubles p = probabilities(x, 4, n);
    const Floats y(p.begin(), p.end());
    Doubles want, want_log;
    for (int64_t r = 0; r < 4; ++r)
      for (int64_t i = 0; i < n; ++i) {  // sum_j dy_j dy_j/dx_i, term by term
        double sum = 0, sum_log = 0;
        for (int64_t j = 0; j < n; ++j) {
          const double same = i == j, pi = p[r * n + i], pj = p[r * n + j];
          sum += dy[r * n + j] * pj * (same - pi);
          sum_log += dy[r * n + j] * (same - pi);
        }
        want.push_back(sum);
        want_log.push_back(sum_log);
      }
    Floats dx(x.size()), log_y;
    Doubles dx64(x.size()), log_y64;
    for (const double value : p) log_y64.push_back(std::log(value));
    log_y.assign(log_y64.begin(), log_y64.end());
    softmax_backward(y.data(), dy.data(), dx.data(), 4, n);
    softmax_backward(p.data(), widen(dy).data(), dx64.data(), 4, n);
    EXPECT_TRUE(close(dx, want, 1e-6)) << n;
    EXPECT_TRUE(close(dx64, want, 1e-12)) << n;
    log_softmax_backward(log_y.data(), dy.data(), dx.data(), 4, n);
    log_softmax_backward(log_y64.data(), widen(dy).data(), dx64.data(), 4, n);
    EXPECT_TRUE(close(dx, want_log, 1e-5)) << n;
    EXPECT_TRUE(close(dx64, want_log, 1e-11)) << n;
  }
}

TEST(Softmax, ARowThatLooksNowhereIsZeros) {
  for (const int64_t n : {1, 5, 40}) {
    const Floats x(static_cast<size_t>(n), -INFINITY), dy = normal(n, 5), zeros(x.size(), 0);
    Floats y(x.size(), 1), dx(x.size(), 1);
    softmax(x.data(), y.data(), 1, n);
    EXPECT_EQ(y, zeros);
    softmax_backward(y.data(), dy.data(), dx.data(), 1, n);
    for (const float value : dx) EXPECT_EQ(value, 0);
    log_softmax(x.data(), y.data(), 1, n);
    EXPECT_EQ(y, x);
    log_softmax_backward(y.data(), dy.data(), dx.data(), 1, n);
    EXPECT_EQ(dx, dy);
    Doubles y64(x.size(), 1);
    softmax(widen(x).data(), y64.data(), 1, n);
    EXPECT_EQ(y64, widen(zeros));
    log_softmax(widen(x).data(), y64.data(), 1, n);
    EXPECT_EQ(y64, widen(x));
  }
}

TEST(Softmax, LargeScoresAndNaN) {
  Floats x = {10000, 9999, -10000}, y(3);
  softmax(x.data(), y.data(), 1, 3);
  EXPECT_TRUE(close(y, Doubles{1 / (1 + std::exp(-1.0)), 1 / (1 + std::exp(1.0)), 0}, 1e-6));
  for (const uint32_t nan : {0x7FC00000u, 0x7F800001u, 0x7FC00001u, 0xFFFFFFFFu}) {  // memory full of ones is one too
    x = Floats(40, 1);
    x[30] = std::bit_cast<float>(nan);
    y = x;
    softmax(x.data(), y.data(), 1, 40);
    for (const float value : y) EXPECT_TRUE(std::isnan(value)) << nan;
  }
}

// Long enough to be written past the caches, rows that start anywhere in a line.
TEST(Softmax, StreamedRowsHaveTheBitsOfOthersForAnyThreads) {
  const int64_t n = 1003, rows = kStreamingBytes / 4 / n + 1;
  const Floats x = normal(rows * n, 6);
  Floats one(x.size()), two(x.size()), in_place = x, log_one(x.size()), log_in_place = x;
  set_threads(1);
  softmax(x.data(), one.data(), rows, n);
  log_softmax(x.data(), log_one.data(), rows, n);
  set_threads(2);
  softmax(x.data(), two.data(), rows, n);
  softmax(in_place.data(), in_place.data(), rows, n);
  log_softmax(log_in_place.data(), log_in_place.data(), rows, n);
  EXPECT_EQ(one, two);
  EXPECT_EQ(one, in_place);
  EXPECT_EQ(log_one, log_in_place);
  Floats dx(x.size()), dx_in_place = x;
  softmax_backward(one.data(), x.data(), dx.data(), rows, n);
  softmax_backward(one.data(), dx_in_place.data(), dx_in_place.data(), rows, n);
  EXPECT_EQ(dx, dx_in_place);
}

TEST(Softmax, Empty) {
  softmax(static_cast<const float*>(nullptr), nullptr, 0, 5);
  softmax(static_cast<const float*>(nullptr), nullptr, 5, 0);
  softmax(static_cast<const double*>(nullptr), nullptr, 5, 0);
  log_softmax(static_cast<const float*>(nullptr), nullptr, 5, 0);
}

}  // namespace
}  // namespace heed::kernels
