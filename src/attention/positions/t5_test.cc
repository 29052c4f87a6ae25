#include <heed/attention.h>

#include "support/gradcheck.h"

namespace heed {
namespace {

using heed::testing::complains;
using heed::testing::gradcheck;
using heed::testing::sample;

TEST(T5, GradientReachesTheTableWhateverTheDirection) {
  for (const bool both : {true, false}) {
    const auto f = [&](const testing::Inputs& in) {
      return attend(in[0], in[1], in[1], {.position = t5(in[2], {.bidirectional = both, .max_distance = 6})}).out;
    };
    EXPECT_TRUE(gradcheck(f, {sample({1, 2, 4, 3}), sample({1, 2, 9, 3}, -2, 2, 2), sample({2, 8}, -2, 2, 3)}));
  }
}

TEST(T5, SaysWhatDoesNotFit) {
  const Tensor q = sample({1, 2, 3, 6});
  EXPECT_TRUE(complains([&] { attend(q, q, q, {.position = t5(sample({3, 32}))}); }, {"3 heads", "q has 2"}));
  EXPECT_TRUE(complains([&] { attend(q, q, q, {.position = t5(zeros({2, 32}))}); }, {"f32", "q is f64"}));
  EXPECT_TRUE(complains([] { t5(zeros({32})); }, {"(32)", "(H, buckets)"}));
  EXPECT_TRUE(complains([] { t5(zeros({2, 31})); }, {"31 buckets", "even"}));
  EXPECT_TRUE(complains([] { t5(zeros({2, 1}), {.bidirectional = false}); }, {"1 buckets", "at least 2"}));
  EXPECT_TRUE(complains([] { t5(zeros({2, 32}), {.max_distance = 8}); }, {"max_distance of 8", "8 distances"}));
}

}  // namespace
}  // namespace heed
