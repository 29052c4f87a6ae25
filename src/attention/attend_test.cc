// The conventions of attend, each as a test that bears its name; what it complains about; what must not break it.
#include <gtest/gtest.h>
#include <heed/attention.h>

#include <cmath>
#include <limits>

#include "attention/mechanisms.h"
#include "attention/reference.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed::attention {
namespace {

using heed::testing::close;
using heed::testing::complains;
using heed::testing::sample;

struct Given {
  Tensor q = sample({2, 4, 6, 5}, -2, 2, 1), k = sample({2, 2, 9, 5}, -2, 2, 2), v = sample({2, 2, 9, 3}, -2, 2, 3);
};

::testing::AssertionResult same(const Tensor& got, const Tensor& want, double tolerance = 1e-12) {
  return close(got.values(), want.values(), tolerance);
}
bool all_finite(const Tensor& x) {
  for (const double value : x.values())
    if (!std::isfinite(value)) return false;
  return true;
}

// ---- conventions ------------------------------------------------------------------------------------------

TEST(Conventions, Shapes) {
  const Given x;
  const Tensor want = attend(x.q, x.k, x.v).out;
  EXPECT_EQ(want.shape(), (Shape{2, 4, 6, 3}));  // D = 5, E = 3, two heads a group
  const auto by_position = [](const Tensor& t) { return t.transpose(1, 2).clone().transpose(1, 2); };  // (B,T,H,D)
  EXPECT_TRUE(same(attend(by_position(x.q), by_position(x.k), by_position(x.v)).out, want));
  const Attended one = attend(x.q[1][0], x.k[1][0], x.v[1][0], {.return_weights = true});
  EXPECT_EQ(one.out.shape(), (Shape{6, 3}));
  EXPECT_EQ(one.weights.shape(), (Shape{6, 9}));
  EXPECT_EQ(one.log_sum_exp.shape(), (Shape{6}));
  EXPECT_TRUE(same(one.out, want[1][0]));
}

TEST(Conventions, MaskPolarityIsTrueWhereAQueryMayLook) {
  const Given x;
  Tensor mask = Tensor::zeros({6, 9}, Dtype::boolean);
  for (int64_t i = 0; i < 6; ++i) mask.at<bool>({i, i + 2}) = true;
  const Tensor out = attend(x.q, x.k, x.v, {.mask = mask}).out;
  EXPECT_TRUE(same(out[0][0], x.v[0][0].slice(0, 2, 8)));
  const Tensor bias = sample({2, 1, 6, 9}, -1, 1, 4);  // a mask, a span and a bias together
  const AttendOptions all{.span = causal(), .mask = mask, .bias = bias};
  EXPECT_TRUE(same(attend(x.q, x.k, x.v, all).out, reference(x.q, x.k, x.v, all).out));
}

TEST(Conventions, CausalIsAlignedToTheEnd) {
  const Given x;
  const Tensor w = attend(x.q, x.k, x.v, {.span = causal(), .return_weights = true}).weights;
  for (int64_t i = 0; i < 6; ++i)
    for (int64_t j = 0; j < 9; ++j) EXPECT_EQ(w.value({0, 0, i, j}) > 0, j <= i + 3) << i << ' ' << j;
  const Tensor last = attend(x.q.slice(2, 5, 6), x.k, x.v, {.span = causal()}).out;  // a cache of earlier keys
  EXPECT_TRUE(same(last, attend(x.q, x.k, x.v, {.span = causal()}).out.slice(2, 5, 6)));
}

TEST(Conventions, ARowThatMayLookNowhereIsZero) {
  for (const Normalizer& normalizer : {softmax(), sigmoid(), no_normalizer()}) {
    Given x;
    x.k = x.k.slice(2, 0, 3).clone(), x.v = x.v.slice(2, 0, 3).clone();  // of 6 causal queries 3 see nothing
    for (Tensor* t : {&x.q, &x.k, &x.v}) t->requires_grad(true);
    const Attended y = attend(x.q, x.k, x.v, {.span = causal(), .normalizer = normalizer, .return_weights = true});
    for (int64_t i = 0; i < 3; ++i) {
      EXPECT_EQ(y.out[1][3][i].values(), std::vector<double>(3, 0.0));
      EXPECT_EQ(y.weights[1][3][i].values(), std::vector<double>(3, 0.0));
      if (y.log_sum_exp.defined()) {
        EXPECT_EQ(y.log_sum_exp.value({1, 3, i}), -INFINITY);
      }
    }
    const auto d = gradients(sum(square(y.out + 1)), {x.q, x.k, x.v});
    for (const Tensor& each : d) EXPECT_TRUE(all_finite(each));
    EXPECT_EQ(d[0][1][3].slice(0, 0, 3).values(), std::vector<double>(15, 0.0));
  }
}

TEST(Conventions, PaddingIsNeverReadAndNeverChangesOtherRows) {
  const Given x;
  Given padded;
  padded.k = padded.k.clone(), padded.v = padded.v.clone();
  for (const double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    padded.k[0].slice(1, 4, 9).fill(bad), padded.v[0].slice(1, 4, 9).fill(bad);
    Given leaves{padded.q.clone(), padded.k.clone(), padded.v.clone()};
    for (Tensor* t : {&leaves.q, &leaves.k, &leaves.v}) t->requires_grad(true);
    const Tensor out = attend(leaves.q, leaves.k, leaves.v, {.key_lengths = tensor_from<int64_t>({4, 9}, {2})}).out;
    EXPECT_TRUE(same(out[0], attend(x.q[0], x.k[0].slice(1, 0, 4), x.v[0].slice(1, 0, 4)).out));
    EXPECT_TRUE(same(out[1], attend(x.q[1], x.k[1], x.v[1]).out));
    for (const Tensor& d : gradients(sum(out * out), {leaves.q, leaves.k, leaves.v})) EXPECT_TRUE(all_finite(d));
  }
}

TEST(Conventions, DropoutIsOnTheWeightsAndInverted) {
  const Given x;
  const Tensor identity = eye(9, {}, Dtype::f64).expand({2, 2, 9, 9});  // out is what the weights have become
  Random from{5, 0, 0};
  const Attended y = attend(x.q, x.k, identity, {.dropout = 0.5f, .random = &from, .return_weights = true});
  int64_t dropped = 0;
  const std::vector<double> out = y.out.values(), weights = y.weights.values();  // those before dropout
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] != 0) {
      EXPECT_NEAR(out[i], 2 * weights[i], 1e-12);
    }
    dropped += out[i] == 0;
  }
  EXPECT_NEAR(static_cast<double>(dropped) / static_cast<double>(out.size()), 0.5, 0.1);
  EXPECT_TRUE(same(sum(y.weights, -1), Tensor::full({2, 4, 6}, 1, Dtype::f64)));
}

TEST(Conventions, WeightsOfChosenHeadsAndQueriesAreThoseOfAll) {
  const Given x;
  const Tensor all = attend(x.q, x.k, x.v, {.span = causal(), .return_weights = true}).weights;
  const Tensor some =
      attend(x.q, x.k, x.v, {.span = causal(), .return_weights = true, .weights_of = {{3, 1}, {0, 1, 5}}}).weights;
  EXPECT_EQ(some.shape(), (Shape{2, 2, 3, 9}));
  EXPECT_TRUE(same(some[1][0][2], all[1][3][5]));
  EXPECT_TRUE(same(some[0][1][1], all[0][1][1]));
  EXPECT_FALSE(attend(x.q, x.k, x.v).weights.defined());
}

TEST(Conventions, DeterminismSameInputsSameBits) {
  const Given x;
  EXPECT_EQ(attend(x.q, x.k, x.v).out.values(), attend(x.q, x.k, x.v).out.values());
}

// ---- wrong input ------------------------------------------------------------------------------------------

TEST(WrongInput, IsNamedWithBothSides) {
  const Given x;
  const auto shapes = [](const Shape& q, const Shape& k, const Shape& v) {
    return [=] { attend(sample(q), sample(k), sample(v)); };
  };
  const auto with = [&](const AttendOptions& options) { return [=] { attend(x.q, x.k, x.v, options); }; };
  EXPECT_TRUE(complains(shapes({1, 2, 3, 5}, {1, 2, 3, 4}, {1, 2, 3, 4}), {"q is 5 wide", "k is 4"}));
  EXPECT_TRUE(complains(shapes({1, 3, 3, 5}, {1, 2, 3, 5}, {1, 2, 3, 4}), {"k has 2 heads", "q's 3"}));
  EXPECT_TRUE(complains(shapes({1, 2, 3, 5}, {1, 2, 3, 5}, {1, 1, 3, 4}), {"k has 2 heads", "v has 1"}));
  EXPECT_TRUE(complains(shapes({2, 2, 3, 5}, {1, 2, 3, 5}, {1, 2, 3, 4}), {"(2, 2, 3, 5)", "(1, 2, 3, 5)", "batches"}));
  EXPECT_TRUE(complains(shapes({1, 2, 3, 5}, {1, 2, 7, 5}, {1, 2, 6, 4}), {"k has 7 positions", "v has 6"}));
  EXPECT_TRUE(complains(shapes({5}, {1, 2, 7, 5}, {1, 2, 6, 4}), {"(5)", "2 to 4 dimensions"}));
  EXPECT_TRUE(complains([&] { attend(x.q, x.k.to(Dtype::f32), x.v); }, {"q is f64", "k is f32"}));
  EXPECT_TRUE(complains(with({.mask = Tensor::zeros({6, 8}, Dtype::boolean)}), {"mask", "(6, 8)", "(2, 4, 6, 9)"}));
  EXPECT_TRUE(complains(with({.mask = Tensor::zeros({6, 9}, Dtype::f64)}), {"mask is f64", "bool"}));
  EXPECT_TRUE(complains(with({.bias = sample({3, 6, 9})}), {"bias", "(3, 6, 9)", "(2, 4, 6, 9)"}));
  EXPECT_TRUE(complains(with({.bias = sample({6, 9}).to(Dtype::f32)}), {"bias is f32", "q is f64"}));
  EXPECT_TRUE(complains(with({.key_lengths = tensor_from<int64_t>({4, -1}, {2})}), {"key_lengths[1] is -1", "0 to 9"}));
  EXPECT_TRUE(complains(with({.key_lengths = tensor_from<int64_t>({10, 1}, {2})}), {"key_lengths[0] is 10", "0 to 9"}));
  EXPECT_TRUE(complains(with({.key_lengths = tensor_from<int64_t>({1}, {1})}), {"(1)", "(2)"}));
  EXPECT_TRUE(complains(with({.key_lengths = sample({2})}), {"f64", "i64"}));
  EXPECT_TRUE(complains([] { window(3, -1); }, {"3", "-1", "negative"}));
  EXPECT_TRUE(complains([] { alibi(0); }, {"0 heads", "at least one"}));
  EXPECT_TRUE(complains(with({.position = alibi(3)}), {"3 heads", "q has 4"}));
  EXPECT_TRUE(complains(with({.scores = scaled_dot(sample({3}))}), {"(3)", "4 heads"}));
  for (const float bad : {-0.1f, 1.0f, NAN}) EXPECT_TRUE(complains(with({.dropout = bad}), {"dropout", "[0, 1)"}));
  for (const double bad : {-1.0, static_cast<double>(INFINITY), static_cast<double>(NAN)})
    EXPECT_TRUE(complains(with({.soft_cap = bad}), {"soft cap", "positive"}));
  EXPECT_TRUE(complains(with({.return_weights = true, .weights_of = {{4}, {}}}), {"head 4 of 4"}));
  EXPECT_TRUE(complains(with({.return_weights = true, .weights_of = {{}, {-1}}}), {"query -1 of 6"}));
  EXPECT_TRUE(complains([] { mechanism("cosin"); }, {"no mechanism cosin", "nearest name is cosine"}));
}

// ---- what must not break it -------------------------------------------------------------------------------

TEST(Extremes, EmptyEverything) {
  for (const Sizes& n : {Sizes{0, 2, 2, 3, 4, 5, 6}, Sizes{2, 2, 1, 0, 4, 5, 6}, Sizes{2, 2, 1, 3, 0, 5, 6},
                         Sizes{2, 2, 1, 0, 0, 5, 6}, Sizes{1, 2, 2, 3, 4, 5, 0}})
    for (const Span& span : {Span{}, causal(), window(2, 1)}) {
      Tensor q = Tensor::zeros({n.batch, n.heads, n.queries, n.width}),
             k = Tensor::zeros({n.batch, n.groups, n.keys, n.width}),
             v = Tensor::zeros({n.batch, n.groups, n.keys, n.value_width});
      for (Tensor* t : {&q, &k, &v}) t->requires_grad(true);
      const Attended y = attend(q, k, v, {.span = span, .return_weights = true});
      EXPECT_EQ(y.out.shape(), (Shape{n.batch, n.heads, n.queries, n.value_width}));
      EXPECT_EQ(y.weights.shape(), (Shape{n.batch, n.heads, n.queries, n.keys}));
      for (const double value : y.out.values()) EXPECT_EQ(value, 0);
      EXPECT_EQ(gradients(sum(y.out), {q, k, v})[1].shape(), k.shape());
    }
}

TEST(Extremes, HugeAndTinyScoresGiveFiniteOutputs) {
  for (const Dtype dtype : {Dtype::f32, Dtype::f64})
    for (const double size : {1e30, -1e30, 1e-30}) {
      Given x;
      x.q = (x.q * size).to(dtype), x.k = x.k.to(dtype), x.v = x.v.to(dtype);
      for (Tensor* t : {&x.q, &x.k, &x.v}) t->requires_grad(true);
      const Attended y = attend(x.q, x.k, x.v, {.span = causal(), .return_weights = true});
      EXPECT_TRUE(all_finite(y.out)) << size;
      EXPECT_TRUE(all_finite(y.log_sum_exp)) << size;
      EXPECT_TRUE(all_finite(y.weights)) << size;
      for (const Tensor& d : gradients(sum(y.out * y.out), {x.q, x.k, x.v})) EXPECT_TRUE(all_finite(d)) << size;
    }
}

TEST(Extremes, ScoresFarAboveThoseOfTheFirstKeysTakeAllTheWeight) {
  // The last keys, which are seen first, score 0; from one block of keys to another the scores rise by `size`.
  const int64_t keys = 300, large = 20;
  for (const Dtype dtype : {Dtype::f32, Dtype::f64})
    for (const int64_t queries : {1, 8})
      for (const double size : {50.0, 90.0, 150.0, 300.0, 700.0, 1000.0, 1e4, 1e6, 1e30}) {
        Tensor k = Tensor::zeros({1, 1, keys, 3}, Dtype::f64);
        for (int64_t j = 0; j < large; ++j) k.at<double>({0, 0, j, 1}) = size;
        const Tensor q = Tensor::full({1, 1, queries, 3}, 1, Dtype::f64), v = sample({1, 1, keys, 4}, -2, 2, 3);
        const Tensor out = attend(q.to(dtype), k.to(dtype), v.to(dtype), {.scores = dot()}).out;
        const Tensor expected = mean(v.slice(2, 0, large), {2}, true);
        for (int64_t i = 0; i < queries; ++i)
          for (int64_t c = 0; c < 4; ++c)
            EXPECT_NEAR(out.value({0, 0, i, c}), expected.value({0, 0, 0, c}), 1e-6) << size << ", " << queries;
      }
}

TEST(Extremes, ABiasOfMinusInfinityHides) {
  for (const Normalizer& normalizer : {softmax(), sigmoid(), no_normalizer()}) {
    Given x;
    Tensor bias = Tensor::zeros({6, 9}, Dtype::f64), mask = Tensor::full({6, 9}, 1, Dtype::boolean);
    for (int64_t i = 0; i < 6; ++i)
      for (int64_t j = 0; j < 9; ++j)
        if (i == 2 || (i + j) % 2 == 0) bias.at<double>({i, j}) = -INFINITY, mask.at<bool>({i, j}) = false;
    for (Tensor* t : {&x.q, &x.k, &x.v}) t->requires_grad(true);
    const Tensor got = attend(x.q, x.k, x.v, {.normalizer = normalizer, .bias = bias}).out;
    EXPECT_TRUE(same(got, attend(x.q, x.k, x.v, {.normalizer = normalizer, .mask = mask}).out));
    for (const Tensor& d : gradients(sum(got * got), {x.q, x.k, x.v})) EXPECT_TRUE(all_finite(d));
  }
}

TEST(Extremes, NaNReachesTheRowsThatSeeItAndNoOthers) {
  const Tensor q = sample({1, 1, 150, 5}, -2, 2, 1), k = sample({1, 1, 150, 5}, -2, 2, 2),
               v = sample({1, 1, 150, 4}, -2, 2, 3);
  const auto spoiled = [](const Tensor& x, int64_t row, int64_t column) {
    Tensor y = x.clone();
    y.at<double>({0, 0, row, column}) = NAN;
    return y;
  };
  const auto rows_with_nan = [](const Tensor& out, int64_t column) {
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < out.dim(2); ++i)
      if (std::isnan(out.value({0, 0, i, column}))) rows.push_back(i);
    return rows;
  };
  const std::vector<int64_t> seeing = {70, 71, 72, 73};
  const AttendOptions options{.span = window(3, 0)};
  EXPECT_EQ(rows_with_nan(attend(spoiled(q, 70, 2), k, v, options).out, 1), (std::vector<int64_t>{70}));
  EXPECT_EQ(rows_with_nan(attend(q, spoiled(k, 70, 2), v, options).out, 1), seeing);
  EXPECT_EQ(rows_with_nan(attend(q, k, spoiled(v, 70, 2), options).out, 2), seeing);
  EXPECT_EQ(rows_with_nan(attend(q, k, spoiled(v, 70, 2), options).out, 1), std::vector<int64_t>{});
}

}  // namespace
}  // namespace heed::attention
