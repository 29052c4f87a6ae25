#include <gtest/gtest.h>
#include <heed/base.h>
#include <heed/ops.h>
#include <heed/tensor.h>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;
using Values = std::vector<double>;

TEST(Random, TheSameSeedGivesTheSameNumbers) {
  seed(7);
  const Values first = randn({5}).values(), second = randn({5}).values();
  seed(7);
  EXPECT_TRUE(close(randn({5}).values(), first, 0));
  EXPECT_TRUE(close(randn({5}).values(), second, 0));
  EXPECT_FALSE(close(second, first, 1e-3));
  EXPECT_TRUE(close(randn({5}, Random{.seed = 7}).values(), first, 0));
}

TEST(Random, StreamsDiffer) {
  Random a{.seed = 1, .stream = 0}, b{.seed = 1, .stream = 1};
  EXPECT_FALSE(close(rand({8}, a).values(), rand({8}, b).values(), 1e-3));
}

TEST(Random, MomentsOfBothDistributions) {
  for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
    Random from{.seed = 3};
    const Tensor u = to(rand({100000}, from, dtype), Dtype::f64), n = to(randn({100000}, from, dtype), Dtype::f64);
    EXPECT_NEAR(mean(u).item(), 0.5, 0.005);
    EXPECT_NEAR(variance(u).item(), 1.0 / 12, 0.002);
    EXPECT_GE(min(u).item(), 0);
    EXPECT_LT(max(u).item(), 1);
    EXPECT_NEAR(mean(n).item(), 0, 0.015);
    EXPECT_NEAR(variance(n).item(), 1, 0.02);
  }
}

TEST(Random, IntegersAndPermutations) {
  Random from{.seed = 5};
  const Tensor drawn = to(randint(-2, 3, {10000}, from), Dtype::f64);
  EXPECT_EQ(min(drawn).item(), -2);
  EXPECT_EQ(max(drawn).item(), 2);
  EXPECT_NEAR(mean(drawn).item(), 0, 0.1);
  const Tensor order = permutation(1000, from);
  EXPECT_TRUE(close(sort(to(order, Dtype::f64)).values.values(), arange(1000).values(), 0));
  EXPECT_FALSE(close(order.values(), arange(1000).values(), 0));
}

TEST(Random, EmptyAndWrong) {
  EXPECT_EQ(randn({2, 0}).numel(), 0);
  EXPECT_EQ(permutation(0).numel(), 0);
  EXPECT_TRUE(complains([] { randint(3, 3, {1}); }, {"randint", "3"}));
  EXPECT_TRUE(complains([] { randn({1}, Random{}, Dtype::i64); }, {"randn", "i64"}));
}

TEST(Random, TheSameBitsWithOneAndTwoThreads) {
  const int before = threads();
  set_threads(1);
  const Values one = randn({100003}, Random{.seed = 9}).values();
  set_threads(2);
  const Values two = randn({100003}, Random{.seed = 9}).values();
  set_threads(before);
  EXPECT_TRUE(one == two);
}

}  // namespace
}  // namespace heed
