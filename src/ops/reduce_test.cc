#include <gtest/gtest.h>
#include <heed/base.h>
#include <heed/ops.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;
using testing::f32_agrees;
using testing::Function;
using testing::gradcheck;
using testing::Inputs;
using testing::layouts;
using testing::runs_empty;
using testing::sample;
using Values = std::vector<double>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Case {
  std::string name;
  std::function<Tensor(const Tensor&, const Dims&, bool)> f;
};

const std::vector<Case> kCases = {
    {"sum", [](const Tensor& x, const Dims& dims, bool keep) { return sum(x, dims, keep); }},
    {"mean", [](const Tensor& x, const Dims& dims, bool keep) { return mean(x, dims, keep); }},
    {"max", [](const Tensor& x, const Dims& dims, bool keep) { return max(x, dims, keep); }},
    {"min", [](const Tensor& x, const Dims& dims, bool keep) { return min(x, dims, keep); }},
    {"variance", [](const Tensor& x, const Dims& dims, bool keep) { return variance(x, dims, keep, 0.5); }},
    {"norm", [](const Tensor& x, const Dims& dims, bool keep) { return norm(x, 2, dims, keep); }},
    {"norm 1", [](const Tensor& x, const Dims& dims, bool keep) { return norm(x, 1, dims, keep); }},
    {"norm 3", [](const Tensor& x, const Dims& dims, bool keep) { return norm(x, 3, dims, keep); }},
    {"norm 2.5", [](const Tensor& x, const Dims& dims, bool keep) { return norm(x, 2.5, dims, keep); }},
    {"norm inf", [](const Tensor& x, const Dims& dims, bool keep) { return norm(x, kInfinity, dims, keep); }},
    {"log_sum_exp", [](const Tensor& x, const Dims& dims, bool keep) { return log_sum_exp(x, dims, keep); }},
};

const std::vector<Dims> kDims = {Dims{},     Dims{0},    Dims{1},     Dims{-1},
                                 Dims{0, 1}, Dims{1, 2}, Dims{0, -1}, Dims{2, 0, 1}};

TEST(Reduce, GradientsOverAllDimensionsInEveryLayout) {
  for (const Case& each : kCases)
    for (const Dims& dims : kDims)
      for (const Tensor& x : layouts({3, 4, 5}, -2, 2, 11))
        for (bool keep : {false, true}) {
          const auto f = [&](const Inputs& in) { return each.f(in[0], dims, keep); };
          EXPECT_TRUE(gradcheck(f, {x})) << each.name << dims.text();
          EXPECT_TRUE(f32_agrees(f, {x})) << each.name << dims.text();
        }
}

TEST(Reduce, ShapesOfTheResult) {
  const Tensor x = sample({3, 4, 5});
  EXPECT_EQ(sum(x).shape(), Shape({}));
  EXPECT_EQ(sum(x, {}, true).shape(), Shape({1, 1, 1}));
  EXPECT_EQ(mean(x, 1).shape(), Shape({3, 5}));
  EXPECT_EQ(max(x, {0, -1}, true).shape(), Shape({1, 4, 1}));
  EXPECT_EQ(argmax(x).shape(), Shape({}));
  EXPECT_EQ(argmin(x, 1, true).shape(), Shape({3, 1, 5}));
  EXPECT_EQ(argmin(x, -1).dtype(), Dtype::i64);
}

TEST(Reduce, OneElementAndNone) {
  for (const Case& each : kCases) {
    const auto all = [&](const Inputs& in) { return each.f(in[0], {}, false); };
    EXPECT_TRUE(gradcheck(all, {sample({}, 0.5, 1)})) << each.name;
    EXPECT_TRUE(gradcheck(all, {sample({1, 1}, 0.5, 1)})) << each.name;
    const auto other = [&](const Inputs& in) { return each.f(in[0], 1, false); };
    EXPECT_TRUE(runs_empty(other, {sample({0, 3})})) << each.name;
  }
}

TEST(Reduce, OverNothing) {
  const Tensor none = zeros({2, 0});
  EXPECT_TRUE(close(sum(none, 1).values(), Values{0, 0}, 0));
  EXPECT_TRUE(close(log_sum_exp(none, 1).values(), Values{-kInfinity, -kInfinity}, 0));
  EXPECT_TRUE(close(norm(none, 2, 1).values(), Values{0, 0}, 0));
  EXPECT_TRUE(std::isnan(mean(none).item()));
  EXPECT_TRUE(complains([&] { max(none, 1); }, {"max", "(2, 0)"}));
  EXPECT_TRUE(complains([&] { argmin(none, 1); }, {"argmin", "(2, 0)"}));
}

TEST(Reduce, LargeSums) {
  const Tensor x = sample({257, 1031}, 0, 1);
  for (const Dims& dims : {Dims{}, Dims{0}, Dims{1}})
    for (const Case& each : kCases)
      if (each.name != "norm 2.5") {
        const auto f = [&](const Inputs& in) { return each.f(in[0], dims, false); };
        EXPECT_TRUE(f32_agrees(f, {x}, 2e-5)) << each.name << dims.text();
      }
}

TEST(Reduce, EqualOnesShareTheGradient) {
  Tensor x = tensor({3, 1, 3, 2}, Dtype::f64).requires_grad(true);
  EXPECT_TRUE(close(gradients(max(x), {x})[0].values(), Values{0.5, 0, 0.5, 0}, 0));
}

TEST(Reduce, ExtremesOfPairs) {
  const auto f = [](const Inputs& in) { return max(in[0], -1) - min(in[0], -1); };
  EXPECT_TRUE(gradcheck(f, {sample({3, 7, 2}, -1, 1)}));
  EXPECT_TRUE(f32_agrees(f, {sample({37, 2}, -1, 1)}, 1e-6));
  Tensor x = tensor({{1, 1}, {2, 0}, {0, 2}}, Dtype::f64).requires_grad(true);
  EXPECT_TRUE(close(gradients(sum(max(x, 1)), {x})[0].values(), Values{0.5, 0.5, 1, 0, 0, 1}, 0));
}

TEST(Reduce, NormOfZerosHasNoNaN) {
  for (double p : {1.0, 2.0, 3.0, kInfinity}) {
    Tensor x = zeros({3}, Dtype::f64).requires_grad(true);
    const Values dx = gradients(norm(x, p), {x})[0].values();
    for (double value : dx) EXPECT_FALSE(std::isnan(value)) << p;
  }
  Tensor x = tensor({0, 3, 4}, Dtype::f64).requires_grad(true);
  EXPECT_TRUE(close(gradients(norm(x), {x})[0].values(), Values{0, 0.6, 0.8}, 1e-15));
}

TEST(Reduce, LogSumExpOfInfinities) {
  Tensor x = tensor({{-kInfinity, -kInfinity}, {-kInfinity, 1}, {1e5, 1e5}}, Dtype::f64).requires_grad(true);
  const Tensor y = log_sum_exp(x, 1);
  EXPECT_TRUE(close(y.values(), Values{-kInfinity, 1, 1e5 + std::log(2.0)}, 1e-15));
  EXPECT_TRUE(close(gradients(sum(y), {x})[0].values(), Values{0, 0, 0, 1, 0.5, 0.5}, 1e-10));
  EXPECT_EQ(log_sum_exp(tensor({1, kInfinity})).item(), kInfinity);
}

TEST(Reduce, ArgMax) {
  const Tensor x = tensor({{1, 5, 5}, {7, 0, 0}});
  EXPECT_TRUE(close(argmax(x, 1).values(), Values{1, 0}, 0));
  EXPECT_TRUE(close(argmax(x, 0).values(), Values{1, 0, 0}, 0));
  EXPECT_TRUE(close(argmin(x, 1).values(), Values{0, 1}, 0));
  EXPECT_EQ(argmax(x).item(), 3);
  EXPECT_EQ(argmin(transpose(x)).item(), 3);
  EXPECT_EQ(argmax(sample({70000}).to(Dtype::f32)).item(),
            argmax(sample({70000}).to(Dtype::f32).to(Dtype::f64)).item());
}

TEST(Reduce, CumulativeSum) {
  EXPECT_TRUE(close(cumulative_sum(tensor({{1, 2}, {3, 4}}), 0).values(), Values{1, 2, 4, 6}, 0));
  EXPECT_TRUE(close(cumulative_sum(tensor({{1, 2}, {3, 4}}), 1).values(), Values{1, 3, 3, 7}, 0));
  for (int dim : {0, 1, -1})
    for (const Tensor& x : layouts({3, 4, 5}, -2, 2, 11)) {
      const auto f = [&](const Inputs& in) { return cumulative_sum(in[0], dim); };
      EXPECT_TRUE(gradcheck(f, {x}));
      EXPECT_TRUE(f32_agrees(f, {x}));
    }
  EXPECT_TRUE(runs_empty([](const Inputs& in) { return cumulative_sum(in[0], 0); }, {sample({0, 2})}));
}

TEST(Reduce, Errors) {
  const Tensor x = sample({2, 3});
  EXPECT_TRUE(complains([&] { sum(x, 2); }, {"sum", "2"}));
  EXPECT_TRUE(complains([&] { mean(x, {0, -2}); }, {"mean", "0", "twice"}));
  EXPECT_TRUE(complains([&] { log_sum_exp(arange(3)); }, {"log_sum_exp", "i64"}));
  EXPECT_TRUE(complains([&] { norm(x, -1); }, {"norm", "-1"}));
}

TEST(Reduce, TheSameBitsWithOneAndTwoThreads) {
  const Tensor x = sample({301, 1009}).to(Dtype::f32);
  const auto run = [&] {
    std::vector<Tensor> all;
    for (const Dims& dims : {Dims{}, Dims{0}, Dims{1}})
      for (const Case& each : kCases) all.push_back(each.f(x, dims, false).view({-1}));
    return concat(all).values();
  };
  const int before = threads();
  set_threads(1);
  const Values one = run();
  set_threads(2);
  const Values two = run();
  set_threads(before);
  EXPECT_TRUE(one == two);
}

// Over some dimensions and then over the others is over all.
RC_GTEST_PROP(Reduce, DimensionsInAnyOrder, ()) {
  std::vector<int64_t> sizes = *rc::gen::container<std::vector<int64_t>>(3, rc::gen::inRange<int64_t>(1, 6));
  const int64_t dim = *rc::gen::inRange<int64_t>(0, 3);
  const Tensor x = sample(sizes);
  RC_ASSERT(max(max(x, dim)).item() == max(x).item());
  RC_ASSERT(std::abs(sum(sum(x, dim)).item() - sum(x).item()) < 1e-10);
}

}  // namespace
}  // namespace heed
