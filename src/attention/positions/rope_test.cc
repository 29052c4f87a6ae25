#include <heed/attention.h>

#include <cmath>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using heed::testing::close;
using heed::testing::complains;
using heed::testing::gradcheck;
using heed::testing::sample;

Tensor attended(const Tensor& q, const Tensor& k, const RopeOptions& options) {
  return attend(q, k, k, {.position = rope(options)}).out;
}

TEST(Rope, PlacesMayBeGiven) {
  const Tensor q = sample({2, 2, 3, 8}), k = sample({2, 2, 5, 8}, -2, 2, 2);
  const Tensor queries = tensor_from<int64_t>({2, 3, 4}, {3});
  const Tensor keys = tensor_from<int64_t>({0, 1, 2, 3, 4, 0, 1, 2, 3, 4}, {2, 5});
  const auto plain = attended(q, k, {}).values();
  EXPECT_TRUE(close(attended(q, k, {.queries = queries, .keys = keys}).values(), plain, 1e-13));
  EXPECT_TRUE(close(attended(q, k, {.offset = 1000}).values(), plain, 1e-11));  // distances are what counts
  const Tensor moved = tensor_from<int64_t>({0, 1, 2, 3, 4, 1, 2, 3, 4, 5}, {2, 5});
  const auto other = attended(q, k, {.queries = queries, .keys = moved});
  EXPECT_TRUE(close(other[0].values(), attended(q, k, {})[0].values(), 1e-13));
  EXPECT_FALSE(close(other[1].values(), attended(q, k, {})[1].values(), 1e-3));
}

TEST(Rope, GradientTurnsBackWhateverTheScaling) {
  const std::vector<RopeOptions> all = {
      {.scaling = RopeNtk{3}},
      {.layout = RopeLayout::interleaved, .width = 4, .scaling = RopeDynamicNtk{2, 3}},
      {.scaling = RopeYarn{.factor = 4, .trained = 16}, .keys = tensor_from<int64_t>({0, 1, 7, 7, 2}, {5})},
      {.scaling = RopeLlama3{.factor = 8, .trained = 16}},
  };
  for (const RopeOptions& options : all)
    EXPECT_TRUE(gradcheck([&](const testing::Inputs& in) { return attended(in[0], in[1], options); },
                          {sample({1, 2, 3, 6}), sample({1, 1, 5, 6}, -2, 2, 2)}));
}

TEST(Rope, NothingToLookAtIsNoError) {
  EXPECT_EQ(attended(zeros({1, 2, 0, 4}), zeros({1, 2, 3, 4}), {}).shape(), (Shape{1, 2, 0, 4}));
  EXPECT_EQ(attended(zeros({1, 2, 3, 4}), zeros({1, 2, 0, 4}), {}).shape(), (Shape{1, 2, 3, 4}));
}

TEST(Rope, SaysWhatDoesNotFit) {
  const Tensor q = sample({1, 2, 3, 6}), odd = sample({1, 2, 3, 5});
  const Tensor three = tensor_from<int64_t>({0, 1, 2}, {3});
  EXPECT_TRUE(complains([&] { attended(odd, odd, {}); }, {"pairs", "5 is odd"}));
  EXPECT_TRUE(complains([&] { attended(q, q, {.width = 8}); }, {"turns 8", "q has 6"}));
  EXPECT_TRUE(complains(
      [&] {
        attended(q, q, {.queries = tensor_from<int64_t>({0, 1}, {2})});
      },
      {"queries", "(2)", "(3)"}));
  EXPECT_TRUE(
      complains([&] { attended(q, q, {.queries = three, .keys = three.to(Dtype::i32)}); }, {"keys", "i32", "i64"}));
  EXPECT_TRUE(complains([&] { attended(q, q, {.width = 2, .scaling = RopeNtk{2}}); }, {"NTK", "above 2"}));
  EXPECT_TRUE(complains([] { rope({.base = 1}); }, {"base of 1"}));
  EXPECT_TRUE(complains([] { rope({.base = NAN}); }, {"base of nan"}));
  EXPECT_TRUE(complains([] { rope({.width = 3}); }, {"width of 3", "pairs"}));
  EXPECT_TRUE(complains([] { rope({.width = -2}); }, {"width of -2"}));
  EXPECT_TRUE(complains([] { rope({.scaling = RopeLinear{0}}); }, {"factor of 0"}));
  EXPECT_TRUE(complains([] { rope({.scaling = RopeNtk{0.5}}); }, {"factor of 0.5"}));
  EXPECT_TRUE(complains([] { rope({.scaling = RopeDynamicNtk{2, 0}}); }, {"trained on 0"}));
  EXPECT_TRUE(complains([] { rope({.scaling = RopeYarn{.beta_fast = 1, .beta_slow = 2}}); }, {"beta_fast of 1"}));
  EXPECT_TRUE(complains([] { rope({.scaling = RopeYarn{.attention_factor = -1}}); }, {"attention factor of -1"}));
  EXPECT_TRUE(complains([] { rope({.scaling = RopeLlama3{.fast = 1}}); }, {"fast is 1", "slow 1"}));
}

}  // namespace
}  // namespace heed
