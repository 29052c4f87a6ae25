// What the rooms of additive scores refuse, and what the table of mechanisms does not try: widths that differ, heads
// with weights of their own, one query.
#include <heed/attention.h>

#include <cmath>

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

TEST(Added, ReadingAheadChangesNothing) {
  const Given x;
  const Scores all[] = {additive(of({7, 4}), of({7, 6}), of({2, 7}), {.bias = of({7})}),
                        additive(of({7, 4}), of({7, 6}), of({7}), {.gain = of({2}), .value = of({7, 3})}),
                        luong_concat(of({7, 10}), of({7})),
                        pooling(of({7, 6}), of({7}), of({7})),
                        linear_pooling(of({6})),
                        general(of({4, 6}))};
  for (const Scores& scores : all) {
    const ReadAhead ahead = read_ahead(scores, x.k);
    EXPECT_TRUE(
        close(attend(x.q, ahead.keys, x.v, {.scores = ahead.scores}).out.values(), x.run(scores).values(), 1e-14));
  }
  EXPECT_EQ(read_ahead(all[0], x.k).keys.shape(), (Shape{2, 1, 5, 7}));
}

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

// Scores in f32 against those in f64, and the gradients, where pre-activations are as large as `large`.
::testing::AssertionResult accurate(int64_t queries, int64_t width, double large, const Tensor& scale) {
  const Shape rows{1, 1, queries, width}, keys{1, 1, 70, width};
  const auto run = [&](Dtype dtype) {
    const Tensor q = sample(rows, -large, large, 1).to(Dtype::f32).to(dtype),
                 k = sample(keys, -large, large, 2).to(Dtype::f32).to(dtype), u = scale.to(Dtype::f32).to(dtype);
    std::vector<Tensor> inputs = {q, k, sample(keys, -1, 1, 3).to(Dtype::f32).to(dtype), u};
    for (Tensor& x : inputs) x.requires_grad(true);
    const Attended y =
        attend(inputs[0], inputs[1], inputs[2],
               {.scores = keras_additive(inputs[3]), .normalizer = no_normalizer(), .return_weights = true});
    std::vector<Tensor> all = gradients(mean(y.out), inputs);
    all.push_back(y.weights);
    return all;
  };
  const auto got = run(Dtype::f32), want = run(Dtype::f64);
  double most = 1;
  for (const double u : scale.values()) most = std::max(most, std::abs(u));
  for (size_t i = 0; i < want.size(); ++i) {
    auto same = close(got[i].to(Dtype::f64).values(), want[i].values(), 4e-6 * most);
    if (!same) return same << " of result " << i << ", width " << width << ", pre-activations up to " << large;
  }
  return ::testing::AssertionSuccess();
}

TEST(Added, IsAccurateWhateverThePreActivations) {
  for (const double large : {0.01, 1.0, 3.0, 14.0, 16.0, 44.0, 300.0})
    for (const int64_t queries : {1, 9, 40}) EXPECT_TRUE(accurate(queries, 33, large, of({33})));
}
TEST(Added, AnyNumberOfFeaturesWillDo) {
  for (const int64_t width : {1, 2, 15, 16, 17, 31, 64, 129}) EXPECT_TRUE(accurate(9, width, 2, of({width})));
}
TEST(Added, WeightsOfZeroAndTinyOnes) {
  for (const double u : {0.0, 1e-30, 1e-12, -1e-12, 1e-6, -1e-4, 1e4})
    for (const double large : {1.0, 14.0}) EXPECT_TRUE(accurate(9, 20, large, Tensor::full({20}, u, Dtype::f64)));
}

// A key that is NaN reaches those who see it; one that is hidden nobody, forward or backward.
TEST(Added, NaNReachesThoseWhoSeeIt) {
  Tensor q = sample({1, 1, 9, 5}).to(Dtype::f32), k = sample({1, 1, 20, 5}).to(Dtype::f32);
  const Tensor v = sample({1, 1, 20, 3}).to(Dtype::f32);
  k.at<float>({0, 0, 15, 2}) = NAN;
  q.requires_grad(true);
  const AttendOptions options{.scores = keras_additive(), .span = causal()};  // query i is at i + 11
  const Tensor out = attend(q, k, v, options).out;
  const auto dq = gradients(sum(out * out), {q});
  for (int64_t i = 0; i < 9; ++i) {
    EXPECT_EQ(std::isnan(out.value({0, 0, i, 0})), i >= 4) << i;
    EXPECT_EQ(std::isnan(dq[0].value({0, 0, i, 0})), i >= 4) << i;
  }
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
