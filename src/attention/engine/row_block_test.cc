// What the table's tests do not reach: the row-block engine with everything that may stand beside a normaliser.
#include "attention/engine/row_block.h"

#include <gtest/gtest.h>
#include <heed/attention.h>
#include <heed/base.h>

#include "attention/reference.h"
#include "attention/slots.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed::attention {
namespace {

using heed::testing::close;
using heed::testing::gradcheck;
using heed::testing::Inputs;
using heed::testing::sample;

struct Named {
  const char* name;
  Normalizer normalizer;
};
const std::vector<Named>& normalizers() {
  static const std::vector<Named> all = {
      {"sparsemax", sparsemax()}, {"entmax15", entmax15()}, {"top_k", top_k(5)}, {"hard", hard()}};
  return all;
}

// The weights of one row of scores: keys of width 1 that are the scores.
std::vector<double> weights_of(const Normalizer& normalizer, const std::vector<double>& scores, Dtype dtype) {
  const auto keys = static_cast<int64_t>(scores.size());
  const Tensor q = Tensor::zeros({1, 1}, dtype), v = Tensor::zeros({keys, 1}, dtype);
  const Tensor bias = tensor_from<double>(scores, {1, keys}).to(dtype);
  return attend(q, Tensor::zeros({keys, 1}, dtype), v, {.normalizer = normalizer, .bias = bias, .return_weights = true})
      .weights.values();
}

TEST(RowNormalizers, ThreeScoresHaveTheirKnownWeights) {
  for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
    EXPECT_TRUE(close(weights_of(sparsemax(), {-2, 0, 0.5}, dtype), std::vector<double>{0, .25, .75}, 1e-6));
    EXPECT_TRUE(close(weights_of(entmax15(), {-2, 0, 0.5}, dtype), std::vector<double>{0, .3260, .6740}, 5e-5));
    EXPECT_TRUE(close(weights_of(top_k(3), {-2, 0, 0.5}, dtype), std::vector<double>{.0486, .3592, .5922}, 5e-5));
    EXPECT_TRUE(close(weights_of(top_k(7), {-2, 0, 0.5}, dtype), std::vector<double>{.0486, .3592, .5922}, 5e-5));
    EXPECT_TRUE(close(weights_of(hard(), {-2, 0, 0.5}, dtype), std::vector<double>{0, 0, 1}, 1e-6));
  }
}

TEST(RowNormalizers, WhatDoesNotCombineSaysSo) {
  const Tensor x = sample({1, 2, 5, 4});
  using heed::testing::complains;
  EXPECT_TRUE(complains([&] { attend(x, x, x, {.normalizer = sink(sample({3}))}); }, {"sink", "(3)", "2 heads"}));
  EXPECT_TRUE(complains([&] { top_k(0); }, {"top_k", "k is 0", "at least 1"}));
  EXPECT_TRUE(complains(
      [&] {
        guided_loss(x, x, sample({5, 5}), {.normalizer = sparsemax()});
      },
      {"sparsemax", "softmax"}));
  EXPECT_TRUE(complains(
      [&] {
        guided_loss(x, x, sample({5, 5}), {.normalizer = sink(sample({2}))});
      },
      {"sink", "softmax"}));
}

TEST(Sink, ChosenWeightsAreThoseOfAll) {
  const Tensor x = sample({2, 3, 20, 5});
  const Normalizer normalizer = sink(sample({3}));
  const Tensor all = attend(x, x, x, {.normalizer = normalizer, .return_weights = true}).weights;
  const Attended some = attend(
      x, x, x, {.normalizer = normalizer, .return_weights = true, .weights_of = {.heads = {2}, .queries = {19, 3}}});
  EXPECT_TRUE(close(some.weights[1][0][0].values(), all[1][2][19].values(), 1e-15));
  EXPECT_TRUE(close(some.weights[1][0][1].values(), all[1][2][3].values(), 1e-15));
}

TEST(Sink, ARowThatMayLookNowhereIsZeroAndSoAreItsGradients) {
  const std::vector<Tensor> inputs = {sample({1, 2, 3, 4}).requires_grad(true), sample({2}).requires_grad(true)};
  const Tensor k = sample({1, 2, 5, 4}, -2, 2, 2);
  const Tensor out =
      attend(inputs[0], k, k, {.normalizer = sink(inputs[1]), .key_lengths = tensor_from<int64_t>({0}, {1})}).out;
  for (const double y : out.values()) EXPECT_EQ(y, 0);
  for (const Tensor& gradient : gradients(sum(out), inputs))
    for (const double g : gradient.values()) EXPECT_EQ(g, 0);
}

class RowBlock : public ::testing::TestWithParam<size_t> {
 protected:
  const Normalizer& normalizer() const { return normalizers()[GetParam()].normalizer; }
  std::vector<double> formula(std::vector<double> row) const {
    room_of(normalizer()).reference(Plain{}, 0, row);
    return row;
  }
};

TEST_P(RowBlock, TiesAndExtremesAreThoseOfTheFormula) {
  const double inf = INFINITY;
  const std::vector<std::vector<double>> rows = {
      {1, 1, 1, 1, 1, 1, 1},          {2, 1, 2, 1, 2, 1, 2}, {-inf, 3, -inf, 3, -inf},
      {1e30, -1e30, 0, 1e-30},        {-inf, -inf, -inf},    {5},
      std::vector<double>(200, 0.25), {1e30, 1e30, 0}};
  for (const auto& row : rows)
    for (const Dtype dtype : {Dtype::f32, Dtype::f64})
      EXPECT_TRUE(close(weights_of(normalizer(), row, dtype), formula(row), 1e-6)) << row.size() << " scores";
}

TEST_P(RowBlock, ManyRandomRowsAreThoseOfTheFormula) {
  for (const int64_t keys : {1, 17, 63, 64, 65, 128, 1000, 5000})
    for (const double spread : {1e-3, 0.3, 3.0, 100.0}) {
      const auto row = sample({keys}, -spread, spread, static_cast<uint64_t>(keys)).values();
      EXPECT_TRUE(close(weights_of(normalizer(), row, Dtype::f64), formula(row), 1e-12)) << keys << " ± " << spread;
      EXPECT_TRUE(close(weights_of(normalizer(), row, Dtype::f32), formula(row), 1e-5 * (1 + spread)))
          << keys << " ± " << spread;
    }
}

TEST_P(RowBlock, NaNReachesItsRowAndNoOther) {
  const Tensor k = sample({1, 1, 70, 4}), v = sample({1, 1, 70, 3}), q = sample({1, 1, 5, 4}).clone();
  AttendOptions options{.span = causal(), .normalizer = normalizer()};
  const Tensor clean = attend(q, k, v, options).out;
  Tensor dirty = q.clone();
  dirty.at<double>({0, 0, 2, 1}) = NAN;
  const Tensor out = attend(dirty, k, v, options).out;
  for (int64_t i = 0; i < 5; ++i)
    for (int64_t c = 0; c < 3; ++c) {
      if (i == 2)
        EXPECT_TRUE(std::isnan(out.value({0, 0, i, c})));
      else
        EXPECT_EQ(out.value({0, 0, i, c}), clean.value({0, 0, i, c}));
    }
}

// Everything at once that an option can add; `seed` is that of dropout.
AttendOptions everything(const Normalizer& normalizer, const Tensor& bias, Random* random, float dropout) {
  Tensor mask = greater(sample({1, 2, 6, 70}, 0, 1, 9), 0.3).clone();
  mask.slice(2, 3, 4).fill(0);
  return {.position = alibi(4),
          .span = window(60, 30),
          .normalizer = normalizer,
          .mask = mask.slice(1, 0, 1),
          .bias = bias,
          .key_lengths = tensor_from<int64_t>({69, 47}, {2}),
          .soft_cap = 6,
          .dropout = dropout,
          .random = random};
}

TEST_P(RowBlock, EverythingAtOnceIsTheFormula) {
  const Tensor q = sample({2, 4, 6, 5}, -2, 2, 1), k = sample({2, 2, 70, 5}, -2, 2, 2),
               v = sample({2, 2, 70, 3}, -2, 2, 3), bias = sample({4, 6, 70}, -1, 1, 4);
  AttendOptions options = everything(normalizer(), bias, nullptr, 0);
  options.return_weights = true;
  const Attended got = attend(q, k, v, options);
  const Reference want = reference(q, k, v, options);
  EXPECT_TRUE(close(got.out.values(), want.out.values(), 1e-9));
  EXPECT_TRUE(close(got.weights.values(), want.weights.values(), 1e-9));
  EXPECT_FALSE(got.log_sum_exp.defined());
  const auto narrow = [](const Tensor& x) { return x.to(Dtype::f32); };
  options.bias = narrow(bias);
  EXPECT_TRUE(
      close(attend(narrow(q), narrow(k), narrow(v), options).out.to(Dtype::f64).values(), want.out.values(), 1e-4));
}

TEST_P(RowBlock, ItsGradientsAreThoseOfFiniteDifferences) {
  const Inputs inputs = {sample({2, 4, 6, 5}, -2, 2, 1), sample({2, 2, 70, 5}, -2, 2, 2),
                         sample({2, 2, 70, 3}, -2, 2, 3), sample({4, 6, 70}, -1, 1, 4)};
  const auto f = [&](const Inputs& in) {
    Random random{.seed = 3};
    AttendOptions options = everything(normalizer(), in[3], &random, 0.3F);
    options.return_weights = true;
    const Attended y = attend(in[0], in[1], in[2], options);
    return sum(y.out * y.out) + sum(y.weights * y.weights);
  };
  EXPECT_TRUE(gradcheck(f, inputs));
}

TEST_P(RowBlock, ABiasOfTheKeysGetsItsGradient) {
  const Inputs inputs = {sample({1, 2, 9, 5}, -2, 2, 1), sample({1, 2, 70, 5}, -2, 2, 2),
                         sample({1, 2, 70, 3}, -2, 2, 3), sample({2, 1, 70}, -1, 1, 4)};
  EXPECT_TRUE(gradcheck(
      [&](const Inputs& in) { return attend(in[0], in[1], in[2], {.normalizer = normalizer(), .bias = in[3]}).out; },
      inputs));
}

TEST_P(RowBlock, ChosenWeightsAreThoseOfAll) {
  const Tensor q = sample({2, 3, 40, 5}), k = sample({2, 3, 70, 5}, -2, 2, 2), v = sample({2, 3, 70, 3}, -2, 2, 3);
  const Tensor all = attend(q, k, v, {.normalizer = normalizer(), .return_weights = true}).weights;
  const Tensor some =
      attend(
          q, k, v,
          {.normalizer = normalizer(), .return_weights = true, .weights_of = {.heads = {2, 0}, .queries = {39, 3, 4}}})
          .weights;
  const int64_t heads[] = {2, 0}, queries[] = {39, 3, 4};
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < 2; ++h)
      for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(some[b][h][i].values(), all[b][heads[h]][queries[i]].values());
}

// Chunks of queries have a dK and dV of their own where there are few heads.
TEST_P(RowBlock, OneHeadOfManyQueriesHasTheSameBitsWithOneAndTwoThreads) {
  const int before = threads();
  const auto run = [&](int count) {
    set_threads(count);
    std::vector<Tensor> inputs = {
        sample({1, 1, 600, 16}).to(Dtype::f32), sample({1, 1, 700, 16}, -2, 2, 2).to(Dtype::f32),
        sample({1, 1, 700, 16}, -2, 2, 3).to(Dtype::f32), sample({600, 700}, -1, 1, 4).to(Dtype::f32)};
    for (Tensor& x : inputs) x.requires_grad(true);
    Random random{.seed = 3};
    const Tensor out = attend(inputs[0], inputs[1], inputs[2],
                              {.normalizer = normalizer(), .bias = inputs[3], .dropout = 0.1F, .random = &random})
                           .out;
    auto all = gradients(sum(out * out), inputs);
    all.push_back(out);
    return all;
  };
  const auto one = run(1), two = run(2);
  for (size_t j = 0; j < one.size(); ++j) EXPECT_EQ(one[j].values(), two[j].values()) << j;
  set_threads(before);
}

TEST_P(RowBlock, NothingIsFine) {
  for (const auto& [queries, keys] : std::vector<std::pair<int64_t, int64_t>>{{0, 5}, {5, 0}, {0, 0}}) {
    const Tensor q = sample({1, 1, queries, 4}).requires_grad(true), k = sample({1, 1, keys, 4});
    const Attended y = attend(q, k, k, {.normalizer = normalizer(), .return_weights = true});
    for (const double x : y.out.values()) EXPECT_EQ(x, 0);
    for (const double x : gradients(sum(y.out), {q})[0].values()) EXPECT_EQ(x, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Normalizers, RowBlock, ::testing::Range<size_t>(0, normalizers().size()),
                         [](const auto& at) { return std::string(normalizers()[at.param].name); });

}  // namespace
}  // namespace heed::attention
