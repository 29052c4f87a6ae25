#include "kernels/random.h"

#include <gtest/gtest.h>
#include <heed/base.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "support/close.h"

namespace heed::kernels {
namespace {

constexpr RandomKey kKey{.seed = 7, .stream = 3, .position = 11};

// FNV-1a over the bits: the same on every instruction set and machine, or a stored model would train differently there.
template <class T>
uint64_t checksum(const std::vector<T>& values) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
  for (size_t i = 0; i < values.size() * sizeof(T); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
  return hash;
}

template <class T>
std::vector<T> normals(int64_t n, RandomKey key = kKey) {
  std::vector<T> values(static_cast<size_t>(n));
  normal(values.data(), n, key);
  return values;
}

template <class T>
void expect_normal_moments() {
  const auto values = normals<T>(400'000);
  double moment[5] = {};
  for (double x : values)
    for (int k = 1; k <= 4; ++k) moment[k] += std::pow(x, k) / static_cast<double>(values.size());
  EXPECT_NEAR(moment[1], 0, 0.008);  // five standard errors each
  EXPECT_NEAR(moment[2], 1, 0.012);
  EXPECT_NEAR(moment[3], 0, 0.031);
  EXPECT_NEAR(moment[4], 3, 0.08);
}

TEST(Random, NormalHasTheMomentsOfTheNormal) { expect_normal_moments<float>(), expect_normal_moments<double>(); }

TEST(Random, NormalIsBoxAndMuller) {
  std::vector<double> u(2);
  for (uint64_t position = 0; position < 1000; ++position) {
    const RandomKey key{1, 2, position};
    uniform(u.data(), 2, key);
    const double r = std::sqrt(-2 * std::log(u[0] + 0x1p-54));
    EXPECT_TRUE(testing::close(normals<double>(2, key),
                               std::vector<double>{r * std::cos(2 * M_PI * u[1]), r * std::sin(2 * M_PI * u[1])},
                               4e-15));
  }
}

TEST(Random, UniformFillsItsRange) {
  std::vector<float> values(100'000);
  uniform(values.data(), 100'000, kKey);
  double sum = 0, square = 0;
  for (float x : values) sum += x, square += x * x;
  EXPECT_GE(*std::min_element(values.begin(), values.end()), 0);
  EXPECT_LT(*std::max_element(values.begin(), values.end()), 1);
  EXPECT_NEAR(sum / 1e5, 0.5, 0.005);
  EXPECT_NEAR(square / 1e5, 1.0 / 3, 0.005);
}

TEST(Random, NumbersDependOnTheirPlaceAlone) {
  const auto all = normals<float>(103);
  const auto later = normals<float>(63, {kKey.seed, kKey.stream, kKey.position + 10});
  EXPECT_TRUE(testing::close(std::vector<float>(later), std::vector<float>(all.begin() + 40, all.end()), 0));
  EXPECT_NE(checksum(all), checksum(normals<float>(103, {8, 3, 11})));
}

TEST(Random, TheBitsAreTheSameEverywhere) {
  const int before = threads();
  for (int count : {1, 2}) {
    set_threads(count);
    EXPECT_EQ(checksum(normals<float>(10'001)), 3697055699237051850ull);
    EXPECT_EQ(checksum(normals<double>(10'001)), 13633362380504625250ull);
  }
  set_threads(before);
}

TEST(Random, IntegersReachBothEnds) {
  std::vector<int64_t> values(2000);
  integers(values.data(), 2000, -3, 4, kKey);
  std::vector<int64_t> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  EXPECT_EQ(sorted, (std::vector<int64_t>{-3, -2, -1, 0, 1, 2, 3}));
  integers(values.data(), 2000, INT64_MIN, INT64_MAX, kKey);
  EXPECT_LT(*std::min_element(values.begin(), values.end()), INT64_MIN / 2);
}

TEST(Random, APermutationHasEveryNumberOnce) {
  std::vector<int64_t> values(1000);
  permutation(values.data(), 1000, kKey);
  std::vector<int64_t> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(sorted[static_cast<size_t>(i)], i);
  EXPECT_NE(values, sorted);
}

}  // namespace
}  // namespace heed::kernels
