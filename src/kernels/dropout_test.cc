#include "kernels/dropout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/philox.h"
#include "base/runtime.h"
#include "kernels/streaming.h"

namespace heed::kernels {
namespace {

// The decision as the header states it.
bool kept(int64_t i, double p, DropoutKey key) {
  const auto b = static_cast<uint64_t>(i / 128), e = static_cast<uint64_t>(i % 128);
  const uint32_t word = philox(key.seed, key.stream, key.position + 16 * b + e % 16)[e / 32];
  const uint32_t half = e % 32 < 16 ? word % 65536 : word / 65536;
  return half >= std::lround(65536 * p);
}

std::vector<float> numbers(int64_t n) {
  std::vector<float> x(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(i % 1000 - 500) + 0.5f;
  return x;
}

// Counters on both sides of 2^32, keys that use all their bits.
const DropoutKey kKeys[] = {{1, 2, 0}, {0x123456789abcdef0, 0xfedcba9876543210, 0xfffffff8}, {7, 0, 1ull << 40}};

TEST(Dropout, FollowsItsDefinition) {
  for (const DropoutKey& key : kKeys)
    for (const int64_t n : {1, 15, 16, 17, 127, 128, 129, 1000, 20000}) {
      const std::vector<float> x = numbers(n);
      std::vector<float> y(x.size()), want(x.size());
      dropout(x.data(), y.data(), n, 0.3, key);
      const auto scale = static_cast<float>(1 / (1 - 0.3));
      for (int64_t i = 0; i < n; ++i) want[i] = kept(i, 0.3, key) ? x[i] * scale : 0;
      ASSERT_EQ(y, want) << n;
    }
}

TEST(Dropout, DoubleMakesTheSameDecisions) {
  const int64_t n = 30001;
  const std::vector<float> x = numbers(n);
  const std::vector<double> x64(x.begin(), x.end());
  std::vector<float> y(x.size());
  std::vector<double> y64(x.size());
  dropout(x.data(), y.data(), n, 0.5, kKeys[1]);
  dropout(x64.data(), y64.data(), n, 0.5, kKeys[1]);
  EXPECT_EQ(std::vector<double>(y.begin(), y.end()), y64);
}

TEST(Dropout, LongRunsKeepTheirShareAndIgnoreThreads) {
  const int64_t n = kStreamingBytes / 4 + 77;  // long enough to be written past the caches
  const std::vector<float> x(static_cast<size_t>(n), 1.0f);
  std::vector<float> one(x.size()), two(x.size());
  set_threads(1);
  dropout(x.data(), one.data(), n, 0.1, kKeys[0]);
  set_threads(2);
  dropout(x.data(), two.data(), n, 0.1, kKeys[0]);
  EXPECT_EQ(one, two);
  double sum = 0;
  for (const float value : one) sum += value;
  EXPECT_NEAR(sum / static_cast<double>(n), 1, 5 * std::sqrt(0.1 / 0.9 / static_cast<double>(n)) + 2e-5);
  for (int64_t i = 0; i < n; i += 997) ASSERT_EQ(one[i] != 0, kept(i, 0.1, kKeys[0])) << i;
}

TEST(Dropout, PiecesMeetTheWhole) {
  const std::vector<float> x = numbers(1000);
  std::vector<float> whole(x.size()), pieces(x.size());
  dropout(x.data(), whole.data(), 1000, 0.2, {5, 6, 7});
  dropout(x.data(), pieces.data(), 256, 0.2, {5, 6, 7});
  dropout(x.data() + 256, pieces.data() + 256, 744, 0.2, {5, 6, 7 + static_cast<uint64_t>(dropout_positions(256))});
  EXPECT_EQ(whole, pieces);
}

TEST(Dropout, BackwardUsesTheSameMaskInPlace) {
  const std::vector<float> ones(500, 1.0f);
  std::vector<float> y(500), dx(500, 1.0f);
  dropout(ones.data(), y.data(), 500, 0.4, kKeys[2]);
  dropout_backward(dx.data(), dx.data(), 500, 0.4, kKeys[2]);
  EXPECT_EQ(y, dx);
}

TEST(Dropout, AllOrNothing) {
  const std::vector<float> x = {1, INFINITY, NAN, -3};
  std::vector<float> y(4);
  dropout(x.data(), y.data(), 4, 1, kKeys[0]);
  EXPECT_EQ(y, (std::vector<float>{0, 0, 0, 0}));
  dropout(x.data(), y.data(), 2, 0, kKeys[0]);
  EXPECT_EQ(y[0], x[0]);
  EXPECT_EQ(y[1], x[1]);
  dropout(x.data(), y.data(), 0, 0.5, kKeys[0]);
}

}  // namespace
}  // namespace heed::kernels
