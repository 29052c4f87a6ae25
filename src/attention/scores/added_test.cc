// What the rooms of additive scores refuse, and what the table of mechanisms does not try: widths that differ, heads
// with weights of their own, one query.
#include <heed/attention.h>

#include "attention/reference.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed::attention {
namespace {

using heed::testing::close;
using heed::testing::complains;
using heed::testing::gradcheck;
using heed::testing::sample;

struct Given {
  Tensor q = sample({2, 2, 3, 4}, -1, 1, 1), k = sample({2, 1, 5, 6}, -1, 1, 2), v = sample({2, 1, 5, 3}, -1, 1, 3);
  Tensor run(const Scores& scores) const { return attend(q, k, v, {.scores = scores}).out; }
  auto refuses(const Scores& scores, const std::vector<std::string>& words) const {
    return complains([&] { run(scores); }, words);
  }
};

Tensor of(const Shape& shape) { return sample(shape, -1, 1, 4); }

TEST(Added, WidthsThatDisagreeAreErrors) {
  const Given x;
  EXPECT_TRUE(x.refuses(additive(of({7, 5}), of({7, 6}), of({7})), {"w of additive", "(7, 5)", "q is 4 wide"}));
  EXPECT_TRUE(x.refuses(additive(of({7, 4}), of({7, 4}), of({7})), {"u of additive", "(7, 4)", "k is 6 wide"}));
  EXPECT_TRUE(x.refuses(additive(of({7, 4}), of({8, 6}), of({7})), {"7 wide", "8"}));
  EXPECT_TRUE(x.refuses(additive(of({7, 4}), of({7, 6}), of({8})), {"(8)", "(7)", "(2, 7)"}));
  EXPECT_TRUE(x.refuses(additive(of({7, 4}), of({7, 6}), of({7}), {.bias = of({6})}), {"bias", "(6)", "(7)"}));
  EXPECT_TRUE(x.refuses(additive(of({7, 4}), of({7, 6}), of({7}), {.gain = of({3})}), {"gain", "(3)", "2 heads"}));
  EXPECT_TRUE(x.refuses(additive(of({7, 4}), of({7, 6}), of({7}), {.value = of({7, 4})}), {"(7, 4)", "v is 3 wide"}));
  EXPECT_TRUE(x.refuses(additive(of({7, 4}), of({7, 6}), of({7}), {.value = of({6, 3})}), {"7 wide", "value 6"}));
  EXPECT_TRUE(x.refuses(luong_concat(of({7, 9}), of({7})), {"w of concat", "(7, 9)", "(A, 10)", "4", "6"}));
  EXPECT_TRUE(x.refuses(keras_additive(of({4})), {"4 wide", "6"}));
  EXPECT_TRUE(x.refuses(pooling(of({7, 4}), of({7})), {"w of pooling", "(7, 4)", "k is 6 wide"}));
  EXPECT_TRUE(x.refuses(pooling(of({7, 6}), of({7}), of({1})), {"bias", "(1)", "(7)"}));
  EXPECT_TRUE(x.refuses(linear_pooling(of({4})), {"(4)", "(6)", "(2, 6)"}));
  EXPECT_TRUE(x.refuses(linear_pooling(of({6}), of({6})), {"bias", "(6)", "one number"}));
}

TEST(Added, HeadsThatDisagreeAreErrors) {
  const Given x;
  EXPECT_TRUE(x.refuses(additive(of({3, 7, 4}), of({7, 6}), of({7})), {"(3, 7, 4)", "q has 2 heads"}));
  EXPECT_TRUE(x.refuses(additive(of({2, 7, 4}), of({2, 7, 6}), of({7})), {"(2, 7, 6)", "k has 1 heads"}));
  EXPECT_TRUE(x.refuses(additive(of({4}), of({7, 6}), of({7})), {"(4)", "(heads, A, D)"}));
}

// Queries and keys of different widths, and the gradients of all that is learned.
TEST(Added, QueriesAndKeysMayDifferInWidth) {
  const Given x;
  const auto f = [](const heed::testing::Inputs& in) {
    const Scores scores = additive(in[2], in[3], in[4], {.bias = in[5], .gain = in[6], .value = in[7]});
    return attend(in[0], in[1], sample({2, 1, 5, 3}, -1, 1, 3), {.scores = scores}).out;
  };
  EXPECT_TRUE(gradcheck(f, {x.q, x.k, of({7, 4}), of({7, 6}), of({7}), of({7}), of({1}), of({7, 3})}));
}

TEST(Added, HeadsMayHaveWeightsOfTheirOwn) {
  const Given x;
  const auto f = [&](const heed::testing::Inputs& in) { return x.run(additive(in[0], in[1], in[2])); };
  EXPECT_TRUE(gradcheck(f, {of({2, 7, 4}), of({1, 7, 6}), of({2, 7})}));
  const Tensor w = of({2, 7, 4}), u = of({1, 7, 6}), vec = of({2, 7});
  const Tensor second = attend(x.q.slice(1, 1, 2), x.k, x.v, {.scores = additive(w[1], u[0], vec[1])}).out;
  EXPECT_TRUE(close(x.run(additive(w, u, vec)).slice(1, 1, 2).packed().values(), second.packed().values(), 1e-14));
}

TEST(Added, ConcatIsAdditiveOfItsTwoParts) {
  const Given x;
  const Tensor w = of({7, 10}), vec = of({7});
  EXPECT_TRUE(close(x.run(luong_concat(w, vec)).values(),
                    x.run(additive(slice(w, 1, 0, 4), slice(w, 1, 4, 10), vec)).values(), 1e-14));
}

TEST(Added, KerasWithoutScaleHasOnes) {
  const Given x;
  const Tensor k = sample({2, 1, 5, 4}, -1, 1, 2);
  EXPECT_TRUE(close(attend(x.q, k, x.v, {.scores = keras_additive()}).out.values(),
                    attend(x.q, k, x.v, {.scores = keras_additive(ones({4}, Dtype::f64))}).out.values(), 1e-15));
}

TEST(Added, PoolingDoesNotLookAtTheQuery) {
  const Given x;
  const Scores scores = pooling(of({7, 6}), of({7}), of({7}));
  const Tensor one = attend(Tensor::zeros({2, 1, 1, 9}, Dtype::f64), x.k, x.v, {.scores = scores}).out;
  const Tensor many = x.run(scores);
  EXPECT_TRUE(close(many.slice(1, 1, 2).slice(2, 2, 3).packed().values(), one.values(), 1e-15));
}

}  // namespace
}  // namespace heed::attention
