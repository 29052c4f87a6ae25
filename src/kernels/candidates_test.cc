#include "kernels/candidates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "support/close.h"

namespace heed::kernels {
namespace {

using testing::close;
using Floats = std::vector<float>;

const int64_t kWidths[] = {1, 2, 7, 8, 15, 16, 17, 31, 33, 255, 256, 257, 1000, 4097, 32001};

int64_t size(const Floats& x) { return static_cast<int64_t>(x.size()); }

Floats normal(int64_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution(0, 3);
  Floats values(static_cast<size_t>(n));
  for (float& value : values) value = distribution(random);
  return values;
}

// All places in the order of their values.
std::vector<int32_t> in_order(const Floats& x) {
  std::vector<int32_t> places;
  for (size_t i = 0; i < x.size(); ++i)
    if (x[i] > -INFINITY) places.push_back(static_cast<int32_t>(i));
  std::stable_sort(places.begin(), places.end(), [&](int32_t a, int32_t b) { return x[a] > x[b]; });
  return places;
}

void expect_largest(const Floats& x, int64_t k) {
  Floats values(static_cast<size_t>(k), 7);
  std::vector<int32_t> places(values.size(), -7), want = in_order(x);
  want.resize(std::min(want.size(), places.size()));
  places.resize(static_cast<size_t>(row_largest(x.data(), size(x), k, values.data(), places.data())));
  ASSERT_EQ(places, want) << "of " << x.size() << " the " << k;
  for (size_t i = 0; i < want.size(); ++i) EXPECT_EQ(values[i], x[want[i]]);
}

TEST(Largest, OfRandomRows) {
  for (const int64_t n : kWidths)
    for (const int64_t k : {1, 2, 5, 17, 300, 5000}) expect_largest(normal(n, 1), k);
}

TEST(Largest, OfRowsInOrder) {
  Floats x(5000);
  std::iota(x.begin(), x.end(), 0.0f);
  expect_largest(x, 9);
  std::reverse(x.begin(), x.end());
  expect_largest(x, 9);
}

TEST(Largest, OfEqualOnesTheFirst) {
  expect_largest(Floats(3000, 1.5f), 5);
  Floats x = normal(3000, 2);
  for (float& value : x) value = std::round(value);
  for (const int64_t k : {1, 3, 40, 700}) expect_largest(x, k);
}

TEST(Largest, WhatIsImpossibleIsNoCandidate) {
  Floats x(600, -INFINITY);
  expect_largest(x, 3);
  x[17] = -1e30f, x[599] = 2;
  expect_largest(x, 3);
}

TEST(Above, PlacesInTheirOrder) {
  for (const int64_t n : kWidths) {
    Floats x = normal(n, 5);
    x[static_cast<size_t>(n / 2)] = 1;
    for (const float least : {-1e9f, -1.0f, 1.0f, 1e9f}) {
      std::vector<int32_t> want, got(x.size() + 1, -7);
      for (size_t i = 0; i < x.size(); ++i)
        if (x[i] >= least) want.push_back(static_cast<int32_t>(i));
      const auto count = static_cast<size_t>(row_above(x.data(), n, least, got.data()));
      EXPECT_EQ(got.back(), -7);
      got.resize(count);
      EXPECT_EQ(got, want) << n;
    }
  }
}

TEST(LogSumExp, OfRows) {
  for (const int64_t n : kWidths) {
    const Floats x = normal(n, 3);
    double sum = 0;
    for (const float value : x) sum += std::exp(static_cast<double>(value));
    const Floats got = {row_log_sum_exp(x.data(), n)};
    EXPECT_TRUE(close(got, std::vector<double>{std::log(sum)}, 1e-6)) << n;
  }
  Floats x(700, -INFINITY);
  EXPECT_EQ(row_log_sum_exp(x.data(), 700), -INFINITY);
  x[3] = 5;
  EXPECT_EQ(row_log_sum_exp(x.data(), 700), 5);
  x[4] = NAN;
  EXPECT_FALSE(std::isfinite(row_log_sum_exp(x.data(), 700)));
}

// The place where the running sum passes `uniform`, in double precision.
int64_t drawn(const Floats& x, double log_sum_exp, double uniform) {
  for (int64_t i = 0; i < size(x); ++i) {
    uniform -= std::exp(static_cast<double>(x[i]) - log_sum_exp);
    if (uniform < 0) return i;
  }
  return size(x) - 1;
}

TEST(Draw, IsTheInverseOfTheRunningSum) {
  for (const int64_t n : kWidths) {
    const Floats x = normal(n, 4);
    const float log_sum_exp = row_log_sum_exp(x.data(), n);
    int64_t equal = 0;
    for (int64_t i = 0; i < 200; ++i) {
      const double uniform = (static_cast<double>(i) + 0.5) / 200;
      equal += row_draw(x.data(), n, log_sum_exp, uniform) == drawn(x, log_sum_exp, uniform);
    }
    EXPECT_GE(equal, 199) << n;
  }
}

TEST(Draw, NeverWhatIsImpossible) {
  Floats x(600, -INFINITY);
  EXPECT_EQ(row_draw(x.data(), 600, 0, 0.5), -1);
  x[300] = x[310] = std::log(0.5f);
  for (const double uniform : {0.0, 0.25, 0.4999}) EXPECT_EQ(row_draw(x.data(), 600, 0, uniform), 300);
  for (const double uniform : {0.5001, 0.75, 0.999999999}) EXPECT_EQ(row_draw(x.data(), 600, 0, uniform), 310);
}

}  // namespace
}  // namespace heed::kernels
