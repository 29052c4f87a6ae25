// What the rows' own tests leave out of shaw and transformer_xl: tables much longer and much shorter than a block
// spans, a table of keys alone, dropout, weights, few queries, options that do not fit.
#include <heed/attention.h>
#include <heed/base.h>

#include "attention/reference.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using heed::testing::close;
using heed::testing::complains;
using heed::testing::gradcheck;
using heed::testing::sample;

void expect_reference(const Tensor& q, const Tensor& k, const Tensor& v, AttendOptions options) {
  options.return_weights = true;
  const Attended got = attend(q, k, v, options);
  const auto want = attention::reference(q, k, v, options);
  EXPECT_TRUE(close(got.out.values(), want.out.values(), 1e-9));
  EXPECT_TRUE(close(got.weights.values(), want.weights.values(), 1e-9));
}

TEST(Shaw, TablesOfAnyReach) {
  const Tensor q = sample({1, 1, 140, 8}), k = sample({1, 1, 300, 8}, -2, 2, 2), v = sample({1, 1, 300, 3}, -2, 2, 3);
  for (const int64_t reach : {0, 1, 127, 128, 600}) {
    const Tensor keys = sample({2 * reach + 1, 8}, -2, 2, 4), values = sample({2 * reach + 1, 3}, -2, 2, 5);
    expect_reference(q, k, v, {.position = shaw(keys, values)});
    expect_reference(q, k, v, {.position = shaw(keys, values), .span = causal() & window(170, 0)});
    expect_reference(q, k, v, {.position = shaw(keys)});
  }
}

TEST(Shaw, FewQueriesAndManyKeys) {
  const Tensor k = sample({1, 1, 300, 8}, -2, 2, 2), v = sample({1, 1, 300, 5}, -2, 2, 3);
  for (const int64_t queries : {1, 2, 5})
    for (const int64_t reach : {2, 200})
      expect_reference(sample({1, 2, queries, 8}), k, v,
                       {.position = shaw(sample({2 * reach + 1, 8}, -2, 2, 4), sample({2 * reach + 1, 5}, -2, 2, 5)),
                        .span = causal()});
}

// What is far and what is near is added up in different ways.
TEST(Shaw, GradientsOfTablesShorterAndLongerThanABlock) {
  const Tensor q = sample({1, 1, 3, 2}), k = sample({1, 1, 300, 2}, -1, 1, 2), v = sample({1, 1, 300, 1}, -1, 1, 3);
  const Tensor weight = sample({1, 1, 3, 1}, -1, 1, 6);
  for (const int64_t reach : {1, 140}) {
    const auto f = [&](const testing::Inputs& in) {
      return attend(in[0], k, v, {.position = shaw(in[1], in[2]), .soft_cap = 3}).out * weight;
    };
    EXPECT_TRUE(gradcheck(f, {q, sample({2 * reach + 1, 2}, -1, 1, 4), sample({2 * reach + 1, 1}, -1, 1, 5)}));
  }
}

TEST(Shaw, DropoutDropsTheRelativeValuesToo) {
  const auto f = [&](const testing::Inputs& in) {
    Random random{3, 0, 0};
    return attend(in[0], in[1], in[2], {.position = shaw(in[3], in[4]), .dropout = 0.4f, .random = &random}).out;
  };
  EXPECT_TRUE(gradcheck(f, {sample({1, 2, 5, 3}), sample({1, 2, 9, 3}, -2, 2, 2), sample({1, 2, 9, 2}, -2, 2, 3),
                            sample({5, 3}, -2, 2, 4), sample({5, 2}, -2, 2, 5)}));
}

TEST(Shaw, AGuidedLossReadsNoValues) {
  const Tensor alignment = softmax(sample({2, 4, 9}, -2, 2, 6)), values = sample({5, 2}, -2, 2, 5);
  const auto f = [&](const testing::Inputs& in) {
    return guided_loss(in[0], in[1], alignment, {.position = shaw(in[2], values)});
  };
  EXPECT_TRUE(gradcheck(f, {sample({1, 2, 4, 3}), sample({1, 2, 9, 3}, -2, 2, 2), sample({5, 3}, -2, 2, 4)}));
}

TEST(Shaw, TheSameBitsOfAllGradientsWithOneAndTwoThreads) {
  const int before = threads();
  const auto run = [](int count) {
    set_threads(count);
    std::vector<Tensor> in = {sample({2, 2, 150, 8}), sample({2, 1, 260, 8}, -2, 2, 2),
                              sample({2, 1, 260, 4}, -2, 2, 3), sample({21, 8}, -2, 2, 4), sample({21, 4}, -2, 2, 5)};
    for (Tensor& x : in) x.requires_grad(true);
    const Tensor out = attend(in[0], in[1], in[2], {.position = shaw(in[3], in[4])}).out;
    return gradients(sum(out * out), in);
  };
  const auto one = run(1), two = run(2);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].values(), two[i].values()) << i;
  set_threads(before);
}

TEST(Shaw, SaysWhatDoesNotFit) {
  const Tensor q = sample({1, 2, 3, 6}), v = sample({1, 2, 3, 4});
  const auto with = [&](const Position& position) {
    return [&, position] { attend(q, q, v, {.position = position}); };
  };
  EXPECT_TRUE(complains(with(shaw(sample({5, 4}))), {"keys are 4 wide", "q is 6"}));
  EXPECT_TRUE(complains(with(shaw(sample({5, 6}), sample({5, 6}))), {"values are 6 wide", "v is 4"}));
  EXPECT_TRUE(complains(with(shaw(zeros({5, 6}))), {"keys are f32", "q is f64"}));
  EXPECT_TRUE(complains([] { shaw(sample({4, 6})); }, {"(4, 6)", "(2R + 1, D)"}));
  EXPECT_TRUE(complains([] { shaw(sample({5, 6}), sample({3, 6})); }, {"(3, 6)", "(5, E)"}));
}

TEST(TransformerXl, AnyNumberOfQueriesAndKeys) {
  for (const auto& [queries, keys] :
       {std::pair<int64_t, int64_t>{1, 300}, {3, 300}, {140, 300}, {200, 40}, {0, 4}, {4, 0}}) {
    const Tensor q = sample({1, 2, queries, 6}), k = sample({1, 2, keys, 6}, -2, 2, 2),
                 v = sample({1, 2, keys, 5}, -2, 2, 3);
    const Position position =
        transformer_xl(sample({2, 6}, -1, 1, 4), sample({2, 6}, -1, 1, 5), sample({12, 8}, -1, 1, 6));
    if (queries > 0 && keys > 0)
      expect_reference(q, k, v, {.position = position, .span = window(130, 20)});
    else
      EXPECT_EQ(attend(q, k, v, {.position = position}).out.shape(), (Shape{1, 2, queries, 5}));
  }
}

TEST(TransformerXl, SaysWhatDoesNotFit) {
  const Tensor q = sample({1, 2, 3, 6}), u = sample({2, 6}), w = sample({12, 8});
  const auto with = [&](const Position& position) {
    return [&, position] { attend(q, q, q, {.position = position}); };
  };
  EXPECT_TRUE(complains(with(transformer_xl(sample({3, 4}), sample({3, 4}), w)), {"(3, 4)", "(2, 6)"}));
  EXPECT_TRUE(complains(with(transformer_xl(zeros({2, 6}), zeros({2, 6}), zeros({12, 8}))), {"f32", "q is f64"}));
  EXPECT_TRUE(complains([&] { transformer_xl(u, sample({2, 5}), w); }, {"(2, 6)", "(2, 5)"}));
  EXPECT_TRUE(complains([&] { transformer_xl(u, u, sample({10, 8})); }, {"(10, 8)", "(12, M)"}));
  EXPECT_TRUE(complains([&] { transformer_xl(u, u, sample({12, 7})); }, {"7 columns", "even"}));
  EXPECT_TRUE(complains([&] { transformer_xl(u, u, w.to(Dtype::f32)); }, {"f64", "f32"}));
}

}  // namespace
}  // namespace heed
