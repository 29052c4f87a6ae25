// What stands on attend: each against its formula written out with plain ops, and its gradients.
#include <heed/attention.h>
#include <heed/base.h>

#include <cmath>

#include "attention/engine/problem.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;
using testing::gradcheck;
using testing::Inputs;
using testing::sample;

::testing::AssertionResult agree(const Tensor& got, const Tensor& want, double tolerance = 1e-10) {
  if (got.shape() != want.shape()) return ::testing::AssertionFailure() << got.shape() << " against " << want.shape();
  return close(got.values(), want.values(), tolerance);
}

Tensor phi(const Tensor& x) { return elu(x) + 1; }

TEST(LinearAttention, IsItsFormula) {
  const Tensor q = sample({2, 2, 70, 3}), k = sample({2, 2, 70, 3}, -2, 2, 2), v = sample({2, 2, 70, 4}, -2, 2, 3);
  const Tensor w = matmul(phi(q), transpose(phi(k)));
  EXPECT_TRUE(agree(linear_attention(q, k, v), matmul(w, v) / sum(w, -1, true)));
  const Tensor lower = lower_triangle(w);
  EXPECT_TRUE(agree(linear_attention(q, k, v, true), matmul(lower, v) / sum(lower, -1, true)));
}

TEST(LinearAttention, StepsAreTheCausalForm) {
  const Tensor q = sample({1, 2, 9, 3}), k = sample({1, 2, 9, 3}, -2, 2, 2), v = sample({1, 2, 9, 4}, -2, 2, 3);
  LinearState state;
  std::vector<Tensor> steps;
  for (int64_t i = 0; i < 9; ++i)
    steps.push_back(state.step(slice(q, 2, i, i + 1), slice(k, 2, i, i + 1), slice(v, 2, i, i + 1)));
  EXPECT_TRUE(agree(concat(steps, 2), linear_attention(q, k, v, true)));
}

TEST(LinearAttention, Gradients) {
  const Inputs inputs = {sample({1, 5, 2}), sample({1, 5, 2}, -2, 2, 2), sample({1, 5, 3}, -2, 2, 3)};
  EXPECT_TRUE(gradcheck([](const Inputs& in) { return linear_attention(in[0], in[1], in[2]); }, inputs));
  EXPECT_TRUE(gradcheck([](const Inputs& in) { return linear_attention(in[0], in[1], in[2], true); }, inputs));
}

TEST(LinearAttention, WrongShapes) {
  EXPECT_TRUE(complains(
      [] {
        linear_attention(sample({5, 2}), sample({5, 3}), sample({5, 3}));
      },
      {"(5, 2)", "(5, 3)"}));
  EXPECT_TRUE(complains(
      [] {
        linear_attention(sample({4, 2}), sample({5, 2}), sample({5, 3}), true);
      },
      {"4 queries", "5 keys"}));
}

// Three heads of scores from two, then two of weights: with all of the matrices at hand.
TEST(TalkingHeads, IsItsFormula) {
  const Tensor q = sample({2, 2, 70, 4}), k = sample({2, 2, 70, 4}, -2, 2, 2), v = sample({2, 4, 70, 3}, -2, 2, 3);
  const Tensor p = sample({3, 2}, -1, 1, 4), r = sample({4, 3}, -1, 1, 5);
  const Tensor s = einsum("gh,bhts->bgts", {p, matmul(q, transpose(k)) * 0.5});
  const Tensor above = upper_triangle(Tensor::full({70, 70}, 1, Dtype::f64), 1);
  const auto want = [&](const Tensor& x) { return matmul(einsum("gh,bhts->bgts", {r, softmax(x)}), v); };
  EXPECT_TRUE(agree(talking_heads(q, k, v, p, r), want(s)));
  EXPECT_TRUE(agree(talking_heads(q, k, v, p, r, causal()), want(masked_fill(s, greater(above, 0), -INFINITY))));
}

TEST(TalkingHeads, Gradients) {
  EXPECT_TRUE(gradcheck([](const Inputs& in) { return talking_heads(in[0], in[1], in[2], in[3], in[4], causal()); },
                        {sample({1, 2, 4, 2}), sample({1, 2, 4, 2}, -2, 2, 2), sample({1, 2, 4, 3}, -2, 2, 3),
                         sample({2, 2}), sample({2, 2}, -1, 1, 4)}));
}

// Against the same loss of the weights as a matrix; causal, with a row that has no alignment.
Tensor plain_guided_loss(const Tensor& q, const Tensor& k, const Tensor& a, Guide guide) {
  const Tensor above = upper_triangle(Tensor::full({q.dim(2), k.dim(2)}, 1, Dtype::f64), 1);
  const Tensor p = softmax(masked_fill(matmul(q, transpose(k)) * 0.5, greater(above, 0), -1e300));
  const Tensor seen = a * equal(above, 0).to(Dtype::f64), rows = greater(sum(a, -1), 0).to(Dtype::f64);
  const Tensor cost = guide == Guide::cross_entropy ? -sum(seen * log(p + 1e-300), -1) : sum(square(p - a), -1);
  return sum(cost * rows) / sum(rows);
}

TEST(GuidedLoss, IsTheLossOfTheWeights) {
  Tensor q = sample({2, 2, 70, 4}), k = sample({2, 2, 70, 4}, -2, 2, 2);
  Tensor a = softmax(masked_fill(sample({2, 1, 70, 70}, -3, 3, 3),
                                 greater(upper_triangle(Tensor::full({70, 70}, 1, Dtype::f64), 1), 0), -INFINITY));
  a.slice(2, 5, 6).fill(0);
  q.requires_grad(true), k.requires_grad(true);
  for (const Guide guide : {Guide::cross_entropy, Guide::squared_error}) {
    const Tensor got = guided_loss(q, k, a, {.span = causal()}, guide),
                 want = plain_guided_loss(q, k, a.expand({2, 2, 70, 70}).packed(), guide);
    EXPECT_NEAR(got.item(), want.item(), 1e-10);
    const auto dgot = gradients(got * 3, {q, k}), dwant = gradients(want * 3, {q, k});
    EXPECT_TRUE(agree(dgot[0], dwant[0]));
    EXPECT_TRUE(agree(dgot[1], dwant[1]));
  }
}

TEST(GuidedLoss, Gradients) {
  const Tensor a = softmax(sample({1, 2, 4, 6}, -2, 2, 3)), bias = sample({1, 2, 4, 6}, -1, 1, 4);
  for (const Guide guide : {Guide::cross_entropy, Guide::squared_error})
    EXPECT_TRUE(
        gradcheck([&](const Inputs& in) { return guided_loss(in[0], in[1], a, {.bias = in[2], .soft_cap = 3}, guide); },
                  {sample({1, 2, 4, 3}), sample({1, 1, 6, 3}, -2, 2, 2), bias}));
}

TEST(GuidedLoss, WrongInput) {
  const Tensor q = sample({1, 1, 2, 3}), k = sample({1, 1, 4, 3});
  EXPECT_TRUE(complains([&] { guided_loss(q, k, sample({2, 5})); }, {"(2, 5)", "(1, 1, 2, 4)"}));
  EXPECT_TRUE(complains([&] { guided_loss(q, k, sample({2, 4}).to(Dtype::f32)); }, {"f32", "f64"}));
  EXPECT_TRUE(complains([&] { guided_loss(q, k, sample({2, 4}), {.normalizer = sigmoid()}); }, {"sigmoid", "softmax"}));
}

// The softmax over keys and sentinel together.
TEST(Sentinel, IsOneMoreChoice) {
  const Tensor q = sample({1, 1, 3, 4}), k = sample({1, 1, 5, 4}, -2, 2, 2), v = sample({1, 1, 5, 4}, -2, 2, 3);
  const Tensor s = sample({1, 1, 3, 4}, -2, 2, 4), z = sample({1, 1, 3}, -2, 2, 5);
  const Tensor scores = concat({matmul(q, transpose(k)) * 0.5, unsqueeze(z, -1)}, -1), p = softmax(scores);
  const Tensor want = matmul(slice(p, -1, 0, 5), v) + slice(p, -1, 5, 6) * s;
  const Sentinel got = with_sentinel(attend(q, k, v), s, z);
  EXPECT_TRUE(agree(got.out, want));
  EXPECT_TRUE(agree(got.beta, select(p, -1, 5)));
  EXPECT_TRUE(gradcheck([](const Inputs& in) { return with_sentinel(attend(in[0], in[1], in[2]), in[3], in[4]).out; },
                        {q, k, v, s, z}));
}

TEST(Sentinel, OfAnImage) {
  const Tensor x = sample({2, 3}), h = sample({2, 4}, -2, 2, 2), m = sample({2, 5}, -2, 2, 3);
  const Tensor w_x = sample({5, 3}, -1, 1, 4), w_h = sample({5, 4}, -1, 1, 5);
  EXPECT_TRUE(agree(visual_sentinel(x, h, m, w_x, w_h),
                    tanh(m) / (1 + exp(-(matmul(x, transpose(w_x)) + matmul(h, transpose(w_h)))))));
}

TEST(Coverage, CostsWhatIsLookedAtAgain) {
  Coverage coverage;
  const Tensor a = tensor({{0.7, 0.3, 0}}, Dtype::f64), b = tensor({{0.2, 0.3, 0.5}}, Dtype::f64);
  EXPECT_EQ(coverage.step(a).item(), 0);
  EXPECT_NEAR(coverage.step(b).item(), 0.2 + 0.3, 1e-15);
  EXPECT_TRUE(agree(coverage.sum, a + b));
  EXPECT_TRUE(complains([&] { coverage.step(tensor({{1, 0}}, Dtype::f64)); }, {"(1, 2)", "(1, 3)"}));
}

// The coverage loss reaches q and k through the weights that attend returns.
TEST(Coverage, GradientsGoThroughTheWeights) {
  EXPECT_TRUE(gradcheck(
      [](const Inputs& in) {
        Coverage coverage;
        Tensor loss;
        for (int64_t t = 0; t < 3; ++t) {
          const Attended y = attend(slice(in[0], 2, t, t + 1), in[1], in[2], {.return_weights = true});
          const Tensor step = sum(coverage.step(y.weights)) + sum(y.out * y.out);
          loss = loss.defined() ? loss + step : step;
        }
        return loss;
      },
      {sample({1, 2, 3, 4}), sample({1, 2, 5, 4}, -2, 2, 2), sample({1, 2, 5, 2}, -2, 2, 3)}));
}

TEST(Describe, NamesThePath) {
  const Tensor q = sample({1, 2, 256, 4}), k = sample({1, 2, 256, 4});
  EXPECT_NE(describe(q, k, k).find("100.0 % of 256 x 256"), std::string::npos) << describe(q, k, k);
  const std::string local = describe(q, k, k, {.span = window(15, 0)});
  EXPECT_NE(local.find("streaming engine, tiles"), std::string::npos) << local;
  EXPECT_EQ(local.find("100.0 %"), std::string::npos) << local;
  EXPECT_NE(describe(sample({1, 2, 1, 4}), k, k).find("few queries"), std::string::npos);
  EXPECT_NE(describe(q, k, k, {.normalizer = sparsemax()}).find("row-block"), std::string::npos);
}

// The figure before "MB of tensors", against what the arena gave out at once.
TEST(Describe, TellsTheMemoryOfTensors) {
  const attention::Sizes n{2, 4, 4, 500, 700, 32, 32};
  const auto draw = [&](int64_t rows) { return sample({n.batch, n.heads, rows, n.width}).to(Dtype::f32); };
  const Tensor q = draw(n.queries), one = draw(1), k = draw(n.keys), v = draw(n.keys);
  const auto expect = [&](const Tensor& queries, const AttendOptions& options, const char* what) {
    const NoGrad off;
    const std::string said = describe(queries, k, v, options);
    const size_t end = said.find(" MB of tensors"), begin = said.rfind(' ', end - 1) + 1;
    const double told = 1e6 * std::stod(said.substr(begin, end - begin));
    const int64_t before = memory_use().in_use;
    reset_memory_peak();
    attend(queries, k, v, options);
    const double took = static_cast<double>(memory_use().peak - before);
    EXPECT_LT(told, 1.5 * took) << what << ": " << said;
    EXPECT_LT(took, 1.5 * told) << what << ": " << said << ", took " << took;
  };
  expect(q, {}, "plain");
  expect(q, {.span = causal(), .return_weights = true}, "weights");
  expect(q, {.return_weights = true, .weights_of = {{1}, {}}}, "weights of a head");
  expect(q, {.normalizer = sparsemax()}, "whole rows");
  expect(q, {.normalizer = sampled()}, "what was drawn");
  expect(q, {.position = rope()}, "prepared by rope");
  expect(q,
         {.scores =
              additive(sample({48, 32}).to(Dtype::f32), sample({48, 32}).to(Dtype::f32), sample({48}).to(Dtype::f32))},
         "prepared by additive");
  expect(one, {}, "one query");
}

TEST(Memory, IsSeenAndGetsNoGradient) {
  Tensor memory = sample({1, 3, 4}), x = sample({1, 2, 4}, -2, 2, 2);
  memory.requires_grad(true), x.requires_grad(true);
  const Tensor all = with_memory(memory, x);
  EXPECT_EQ(all.shape(), (Shape{1, 5, 4}));
  backward(sum(all * all));
  EXPECT_TRUE(agree(x.grad(), x.detach() * 2));
  EXPECT_FALSE(memory.grad().defined());
  EXPECT_TRUE(agree(with_memory({}, x), x.detach().clone()));
}

TEST(Cache, OneByOneIsTheWholeText) {
  const Tensor q = sample({2, 4, 150, 4}), k = sample({2, 2, 150, 4}, -2, 2, 2), v = sample({2, 2, 150, 3}, -2, 2, 3);
  const Tensor want = attend(q, k, v, {.span = causal()}).out;
  KeyValueCache cache;
  std::vector<Tensor> got;
  for (int64_t i = 0, n = 1; i < 150; i += n, n = n % 5 + 1) {
    const int64_t end = std::min<int64_t>(150, i + n);
    cache.append(slice(k, 2, i, end), slice(v, 2, i, end));
    got.push_back(cache.attend(slice(q, 2, i, end)).out);
  }
  EXPECT_EQ(cache.size(), 150);
  EXPECT_TRUE(agree(concat(got, 2), want));
  cache.truncate(100);
  EXPECT_TRUE(agree(cache.keys(), slice(k, 2, 0, 100)));
}

// Two batches that have read 70 places and one that has read 3 end together; then only the later one is left.
TEST(Cache, BatchesJoinAtTheirEnds) {
  const Tensor k = sample({2, 2, 70, 4}), v = sample({2, 2, 70, 3}), later_k = sample({1, 2, 3, 4}, -2, 2, 5),
               later_v = sample({1, 2, 3, 3}, -2, 2, 6);
  KeyValueCache cache, later, empty;
  cache.append(k, v), later.append(later_k, later_v);
  cache.join(later, 2, 1), cache.join(empty, 3, 1);
  ASSERT_EQ(cache.keys().shape(), (Shape{4, 2, 70, 4}));
  EXPECT_TRUE(agree(slice(cache.values(), 0, 0, 2), v));
  EXPECT_TRUE(agree(slice(slice(cache.keys(), 0, 2, 3), 2, 67, 70), later_k));
  EXPECT_EQ(sum(abs(slice(slice(cache.keys(), 0, 2, 3), 2, 0, 67))).item(), 0);
  EXPECT_EQ(sum(abs(slice(cache.values(), 0, 3, 4))).item(), 0);
  cache.take(tensor_from<int64_t>({2, 2}, {2}), 67);
  ASSERT_EQ(cache.size(), 3);
  EXPECT_TRUE(agree(slice(cache.values(), 0, 1, 2), later_v));
  EXPECT_TRUE(complains([&] { cache.take(tensor_from<int64_t>({0}, {1}), 4); }, {"drop 4", "3"}));
  EXPECT_TRUE(complains([&] { cache.join(later, 3, 1); }, {"(2, 2,", "3 batches"}));
}

TEST(Cache, RefusesWhatDoesNotFit) {
  KeyValueCache cache;
  EXPECT_TRUE(complains([&] { cache.keys(); }, {"empty"}));
  cache.append(sample({1, 2, 3, 4}), sample({1, 2, 3, 4}));
  EXPECT_TRUE(complains([&] { cache.append(sample({1, 2, 3, 5}), sample({1, 2, 3, 4})); }, {"(1, 2, 3, 5)", "(1, 2,"}));
  EXPECT_TRUE(complains([&] { cache.truncate(4); }, {"4", "3"}));
}

}  // namespace
}  // namespace heed
