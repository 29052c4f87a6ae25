#include "nn/recurrent_stack.h"

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;

TEST(RecurrentStack, IsItsLayersOneAfterTheOther) {
  seed(1);
  const RecurrentStack stack(Cell::lstm, 2, 3, 4);
  const Tensor x = randn({5, 2, 3});
  const RecurrentOutput below = stack.layers[0](x), above = stack.layers[1](below.y);
  const RecurrentStack::Run run = stack(x, {});
  EXPECT_TRUE(close(run.y.values(), above.y.values(), 1e-6));
  EXPECT_TRUE(close(run.last[0].c.values(), below.c.values(), 1e-6));
}

TEST(RecurrentStack, GoesOnFromWhereItStands) {
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    seed(1);
    const RecurrentStack stack(cell, 3, 3, 4);
    const Tensor x = randn({5, 2, 3});
    const RecurrentStack::Run whole = stack(x, {}), first = stack(x.slice(0, 0, 2), {}),
                              rest = stack(x.slice(0, 2, 5), first.last);
    EXPECT_TRUE(close(rest.y.values(), whole.y.slice(0, 2, 5).values(), 1e-6));
    EXPECT_TRUE(close(rest.last[2].h.values(), whole.last[2].h.values(), 1e-6));
  }
}

TEST(RecurrentStack, ReverseBeginsAtTheEndOfEachSentence) {
  seed(1);
  const RecurrentStack stack(Cell::gru, 2, 3, 4);
  const Tensor x = randn({4, 1, 3}), shorter = flip(x.slice(0, 0, 3), 0);
  const RecurrentStack::Run reversed = stack(x, {}, 0, {.lengths = tensor({3}, Dtype::i64), .reverse = true});
  EXPECT_TRUE(close(reversed.last[1].h.values(), stack(shorter, {}).last[1].h.values(), 1e-6));
}

TEST(RecurrentStack, WantsALayerOfOneDirection) {
  EXPECT_TRUE(complains([] { RecurrentStack(Cell::gru, 0, 3, 4); }, {"layers", "0"}));
  EXPECT_TRUE(complains([] { run(Recurrent(Cell::gru, 3, 4, true), randn({2, 1, 3}), {}); }, {"two directions"}));
}

TEST(RecurrentDropout, DropsColumnsOfTheHiddenWeights) {
  seed(1);
  const Recurrent layer(Cell::lstm, 3, 200), dropped = with_recurrent_dropout(layer, 0.25);
  const Tensor share = dropped.directions[0].hidden / layer.directions[0].hidden;
  EXPECT_TRUE(close(share.values(), expand(share.slice(0, 0, 1), share.shape()).values(), 1e-5));
  int64_t zeros = 0;
  for (const double value : share[0].values()) {
    EXPECT_TRUE(value == 0 || std::abs(value - 1 / 0.75) < 1e-5) << value;
    zeros += value == 0;
  }
  EXPECT_NEAR(static_cast<double>(zeros), 50, 20);
  EXPECT_FALSE(layer.directions[0].hidden.shares_storage(dropped.directions[0].hidden));
}

TEST(WordDropout, DropsAWordWhereverItOccurs) {
  seed(1);
  const Tensor ids = randint(0, 100, {50, 20}), kept = word_dropout(ones({50, 20, 2}), ids, 100, 0.3);
  std::vector<double> of_word(100, -1);
  int64_t zeros = 0;
  for (int64_t i = 0; i < 1000; ++i) {
    const double value = kept.value({i / 20, i % 20, 0});
    double& first = of_word[static_cast<size_t>(ids.value({i / 20, i % 20}))];
    if (first < 0) first = value, zeros += value == 0;
    EXPECT_EQ(value, first);
    EXPECT_EQ(value, kept.value({i / 20, i % 20, 1}));
  }
  EXPECT_NEAR(static_cast<double>(zeros), 30, 15);
}

}  // namespace
}  // namespace heed
