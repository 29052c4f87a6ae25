// Sampled attention: what it draws, its score function, and what trains it, against sums over all that could be drawn.
#include <heed/attention.h>
#include <heed/base.h>

#include <cmath>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed::attention {
namespace {

using heed::testing::close;
using heed::testing::complains;
using heed::testing::gradcheck;
using heed::testing::sample;

struct Given {
  Tensor q = sample({1, 2, 3, 4}, -2, 2, 1), k = sample({1, 2, 4, 4}, -2, 2, 2), v = sample({1, 2, 4, 3}, -2, 2, 3);
  Attended run(uint64_t seed, AttendOptions options = {}) const {
    Random from{seed, 0, 0};
    options.normalizer = sampled(), options.random = &from;
    return attend(q, k, v, options);
  }
  Tensor weights(AttendOptions options = {}) const {
    options.return_weights = true;
    return attend(q, k, v, options).weights;
  }
};

TEST(Sampled, OutIsTheValueThatWasDrawnAndItsProbabilityThatOfASoftmax) {
  const Given x;
  const Tensor p = x.weights({.soft_cap = 2}), bits = x.weights();
  const Attended y = x.run(1, {.soft_cap = 2, .return_weights = true});
  ASSERT_EQ(y.drawn.shape(), (Shape{1, 2, 3}));
  for (int64_t h = 0; h < 2; ++h)
    for (int64_t i = 0; i < 3; ++i) {
      const auto j = static_cast<int64_t>(y.drawn.value({0, h, i}));
      EXPECT_EQ(y.out[0][h][i].values(), x.v[0][h][j].values());
      EXPECT_EQ(y.weights.value({0, h, i, j}), 1);
      EXPECT_NEAR(y.log_probability.value({0, h, i}), std::log(p.value({0, h, i, j})), 1e-12);
    }
  EXPECT_TRUE(close(y.entropy.values(), (sum(p * log(p), -1) * -1).values(), 1e-12));
  EXPECT_TRUE(close(sum(y.weights, -1).values(), std::vector<double>(6, 1), 0));
}

TEST(Sampled, DrawsAsOftenAsTheSoftmaxSays) {
  const Given x;
  const Tensor p = x.weights();
  Random from{5, 0, 0};
  constexpr int kDraws = 20000;
  Tensor counts = Tensor::zeros(p.shape(), Dtype::f64);
  for (int n = 0; n < kDraws; ++n)
    counts = counts + attend(x.q, x.k, x.v, {.normalizer = sampled(), .random = &from, .return_weights = true}).weights;
  EXPECT_EQ(from.position, 6u * kDraws);  // a word a row
  const std::vector<double> got = counts.values(), want = p.values();
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_LT(std::abs(got[i] / kDraws - want[i]), 5 * std::sqrt(want[i] * (1 - want[i]) / kDraws)) << i;
}

TEST(Sampled, OfManyKeysInBothDtypes) {
  const Tensor q = sample({1, 1, 300, 4}, -2, 2, 1), k = sample({1, 1, 500, 4}, -2, 2, 2);
  const Tensor places = reshape(arange(500).to(Dtype::f64), {1, 1, 500, 1});
  const Tensor want = sum(attend(q, k, places).out), variance = attend(q, k, square(places)).out;
  Random from{2, 0, 0}, again{2, 0, 0};
  const Attended y = attend(q, k, places, {.normalizer = sampled(), .random = &from});
  EXPECT_LT(std::abs((sum(y.out) - want).item()), 4 * std::sqrt(sum(variance).item()));
  const auto f32 = [](const Tensor& t) { return t.to(Dtype::f32); };
  const Attended same = attend(f32(q), f32(k), f32(places), {.normalizer = sampled(), .random = &again});
  EXPECT_EQ(same.drawn.values(), y.drawn.values());
  EXPECT_TRUE(close(same.log_probability.values(), y.log_probability.values(), 1e-5));
  EXPECT_TRUE(close(same.entropy.values(), y.entropy.values(), 1e-5));
}

TEST(Sampled, GradientsOfProbabilityAndEntropyAreThoseOfFiniteDifferences) {
  const Given x;
  const Tensor bias = sample({2, 3, 4}, -1, 1, 5);
  const auto run = [&](const heed::testing::Inputs& in) {
    Random from{3, 0, 0};
    return attend(in[0], in[1], in[2],
                  {.normalizer = sampled(), .bias = in[3], .soft_cap = 3, .random = &from, .return_weights = true});
  };
  const heed::testing::Inputs inputs = {x.q, x.k, x.v, bias};
  EXPECT_TRUE(gradcheck([&](const auto& in) { return run(in).log_probability; }, inputs));
  EXPECT_TRUE(gradcheck([&](const auto& in) { return run(in).entropy; }, inputs));
  EXPECT_TRUE(gradcheck(
      [&](const auto& in) {
        const Attended y = run(in);
        return sum(y.out, -1) + y.log_probability * 2 - y.entropy + sum(y.weights, -1);
      },
      inputs));
}

// The loss of a row is L_i(v_j), so E = Σ_i Σ_j p_ij L_i(v_j) is known exactly, and so are its gradients.
TEST(Sampled, TheEstimateIsRightOnAverage) {
  Given x;
  x.q = x.q * 0.3;  // every key is drawn often enough for its error to be known
  std::vector<Tensor> inputs = {x.q, x.k, x.v};
  for (Tensor& t : inputs) t.requires_grad(true);
  const Tensor target = sample({1, 2, 3, 3}, -1, 1, 4);
  const auto losses = [&](const Tensor& out) { return sum(square(out - target), -1); };  // (B,H,T)
  constexpr double kEntropy = 0.3;
  const Tensor p = x.weights();
  Tensor exact = sum(p * log(p)) * kEntropy;
  for (int64_t j = 0; j < 4; ++j)
    exact = exact + sum(heed::select(p, 3, j) * losses(unsqueeze(heed::select(x.v, 2, j), 2)));
  const auto want = gradients(exact, inputs);

  constexpr int kDraws = 20000;
  std::vector<Tensor> sums, squares;
  for (const Tensor& t : inputs) {
    sums.push_back(Tensor::zeros(t.shape(), Dtype::f64)), squares.push_back(Tensor::zeros(t.shape(), Dtype::f64));
  }
  MovingBaseline baseline;
  for (uint64_t n = 0; n < kDraws; ++n) {
    const Attended y = x.run(100 + n);
    const Tensor loss = losses(y.out), reward = -loss;
    const Tensor all =
        sum(loss) + score_function_loss(y, reward, {.baseline = baseline.step(reward), .entropy_weight = kEntropy});
    const auto got = gradients(all, inputs);
    for (size_t i = 0; i < got.size(); ++i) sums[i] = sums[i] + got[i], squares[i] = squares[i] + square(got[i]);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::vector<double> first = sums[i].values(), second = squares[i].values(), exactly = want[i].values();
    double furthest = 0;
    for (size_t c = 0; c < first.size(); ++c) {
      const double mean = first[c] / kDraws, error = std::sqrt((second[c] / kDraws - mean * mean) / kDraws);
      furthest = std::max(furthest, std::abs(mean - exactly[c]) / (error + 1e-12));
    }
    EXPECT_LT(furthest, 4.5) << "input " << i;
  }
}

TEST(Sampled, SameBitsWithOneAndTwoThreads) {
  const int before = threads();
  const auto run = [&](int count) {
    set_threads(count);
    std::vector<Tensor> inputs = {sample({2, 2, 140, 16}, -1, 1, 1).to(Dtype::f32),
                                  sample({2, 2, 200, 16}, -1, 1, 2).to(Dtype::f32),
                                  sample({2, 2, 200, 16}, -1, 1, 3).to(Dtype::f32)};
    for (Tensor& t : inputs) t.requires_grad(true);
    Random from{1, 0, 0};
    const Attended y =
        attend(inputs[0], inputs[1], inputs[2], {.normalizer = sampled(), .dropout = 0.2f, .random = &from});
    auto all = gradients(sum(y.out * y.out) + score_function_loss(y, sum(y.out, -1), {.entropy_weight = 0.1}), inputs);
    for (const Tensor& t : {y.out, y.log_probability, y.entropy, y.drawn}) all.push_back(t);
    return all;
  };
  const auto one = run(1), two = run(2);
  set_threads(before);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].values(), two[i].values()) << i;
}

TEST(Sampled, ARowThatMayLookNowhereDrawsNothing) {
  Given x;
  x.k = x.k.slice(2, 0, 1).clone(), x.v = x.v.slice(2, 0, 1).clone();
  x.q.requires_grad(true);
  const Attended y = x.run(1, {.span = causal()});  // of 3 causal queries 2 see nothing
  EXPECT_EQ(y.drawn[0][0].values(), (std::vector<double>{-1, -1, 0}));
  EXPECT_EQ(y.log_probability[0][0].values(), (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(y.out[0][1][1].values(), (std::vector<double>{0, 0, 0}));
  for (const double g : gradients(score_function_loss(y, sum(y.out, -1), {.entropy_weight = 1}), {x.q})[0].values())
    EXPECT_EQ(g, 0);
}

TEST(Sampled, NaNReachesTheRowsThatSeeItAndNoOthers) {
  Given x;
  x.k = x.k.clone();
  x.k.at<double>({0, 0, 3, 1}) = NAN;
  const Attended y = x.run(1, {.span = causal()});  // query 2 alone sees key 3
  for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(std::isnan(y.out.value({0, 0, i, 0})), i == 2) << i;
  EXPECT_TRUE(std::isnan(y.log_probability.value({0, 0, 2})));
  EXPECT_EQ(y.drawn.value({0, 0, 2}), -1);
}

TEST(Sampled, TheBaselineIsThatBeforeTheReward) {
  MovingBaseline baseline;
  EXPECT_EQ(baseline.step(tensor({1.f, 3.f})), 0);
  EXPECT_NEAR(baseline.step(tensor({-1.f})), 0.2, 1e-7);
  EXPECT_NEAR(baseline.value, 0.9 * 0.2 - 0.1, 1e-7);
}

TEST(Sampled, SaysWhatIsWrong) {
  const Given x;
  const Attended y = x.run(1);
  EXPECT_TRUE(complains([&] { score_function_loss(attend(x.q, x.k, x.v), y.out); }, {"log-probability", "sampled()"}));
  EXPECT_TRUE(complains([&] { score_function_loss(y, sample({7})); }, {"(7)", "(1, 2, 3)"}));
  EXPECT_TRUE(complains([&] { score_function_loss(y, sample({2, 1, 2, 3})); }, {"(2, 1, 2, 3)", "(1, 2, 3)"}));
  EXPECT_TRUE(complains([&] { score_function_loss(y, tensor({1.f})); }, {"f32", "f64"}));
  EXPECT_TRUE(complains([&] { score_function_loss(y, sample({1}), {.baseline = NAN}); }, {"baseline", "finite"}));
}

}  // namespace
}  // namespace heed::attention
