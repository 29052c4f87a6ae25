#include "explain/seen_words.h"

#include <gtest/gtest.h>

#include "support/close.h"

namespace heed::explain {
namespace {

TEST(SeenWords, PiecesOfAWordAreOne) {
  const Tensor weights = tensor({{0.25, 0.5, 0.25}, {0.5, 0.25, 0.25}});
  const Seen seen = with_words({.title = "t",
                                .model = "m",
                                .texts = {{"source", {"▁un", "break", "▁it"}}, {"target", {"▁x", "y"}}},
                                .attention = {{"cross", 1, 0, stack({weights}, 0), weights, weights, {0.5}}},
                                .scores = {{"occlusion", 0, {1, 2, 3}, 0.5, 0.25, {}, 1, weights}}});
  EXPECT_EQ(seen.texts[0].tokens, (std::vector<std::string>{"unbreak", "it"}));
  EXPECT_EQ(seen.texts[1].tokens, std::vector<std::string>{"xy"});
  EXPECT_TRUE(testing::close(seen.attention[0].weights.values(), std::vector<double>{0.75, 0.25}, 1e-6));
  EXPECT_FALSE(seen.attention[0].q.defined());
  EXPECT_EQ(seen.attention[0].importance, std::vector<double>{0.5});
  EXPECT_EQ(seen.scores[0].values, (std::vector<float>{3, 3}));
  EXPECT_TRUE(testing::close(seen.scores[0].each.values(), std::vector<double>{0.75, 0.25}, 1e-6));
  check_whole(seen);
}

}  // namespace
}  // namespace heed::explain
