#include <heed/attention.h>

#include <cmath>

#include "support/gradcheck.h"

namespace heed {
namespace {

using heed::testing::complains;
using heed::testing::sample;

TEST(LearnedPositions, SaysWhatDoesNotFit) {
  const Tensor q = sample({1, 2, 3, 6}), k = sample({1, 2, 5, 6});
  const auto with = [&](const Tensor& table) {
    return [&, table] { attend(q, k, k, {.position = learned_positions(table)}); };
  };
  EXPECT_TRUE(complains(with(sample({5, 4})), {"4 wide", "q is 6"}));
  EXPECT_TRUE(complains(with(sample({4, 6})), {"has 4 positions", "5 keys"}));
  EXPECT_TRUE(complains(with(sample({5, 6}).to(Dtype::f32)), {"f32", "q is f64"}));
  const AttendOptions options{.position = learned_positions(sample({5, 6}))};
  EXPECT_TRUE(complains([&] { attend(q, sample({1, 2, 5, 4}), k, options); }, {"q is 6 wide", "k is 4"}));
  EXPECT_TRUE(complains([] { learned_positions(sample({4})); }, {"(4)", "(places, D)"}));
}

// The last query and the last key share a place.
TEST(LearnedPositions, CountFromTheFirstPlaceInUse) {
  const Tensor table = sample({5, 2}), zero2 = zeros({1, 2}, Dtype::f64), zero5 = zeros({5, 2}, Dtype::f64);
  const AttendOptions options{
      .scores = dot(), .position = learned_positions(table), .normalizer = no_normalizer(), .return_weights = true};
  const auto product = [&](int64_t a, int64_t b) { return sum(table[a] * table[b]).item(); };
  EXPECT_NEAR(attend(zero2, zero5, zero5, options).weights.value({0, 1}), product(4, 1), 1e-14);
  EXPECT_NEAR(attend(zero5, zero2, zero2, options).weights.value({1, 0}), product(1, 4), 1e-14);
}

TEST(Sinusoidal, SaysWhatDoesNotFit) {
  EXPECT_TRUE(complains([] { sinusoidal(1); }, {"base of 1"}));
  EXPECT_TRUE(complains([] { sinusoidal(INFINITY); }, {"base of inf"}));
}

}  // namespace
}  // namespace heed
