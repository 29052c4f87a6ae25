#include <gtest/gtest.h>
#include <heed/ops.h>

#include <cmath>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;
using testing::f32_agrees;
using testing::gradcheck;
using testing::Inputs;
using testing::layouts;
using testing::runs_empty;
using testing::sample;
using Values = std::vector<double>;

struct Case {
  std::string name;
  Tensor (*f)(const Tensor&);
  double (*want)(double);
  double low = -4, high = 4;
};

double normal_part(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

const std::vector<Case> kCases = {
    {"exp", exp, [](double x) { return std::exp(x); }},
    {"exp2", exp2, [](double x) { return std::exp2(x); }},
    {"log", log, [](double x) { return std::log(x); }, 0.1, 4},
    {"sin", sin, [](double x) { return std::sin(x); }},
    {"cos", cos, [](double x) { return std::cos(x); }},
    {"erf", erf, [](double x) { return std::erf(x); }},
    {"sqrt", sqrt, [](double x) { return std::sqrt(x); }, 0.1, 4},
    {"rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); }, 0.1, 4},
    {"square", square, [](double x) { return x * x; }},
    {"reciprocal", reciprocal, [](double x) { return 1 / x; }, 0.2, 4},
    {"abs", abs, [](double x) { return std::abs(x); }},
    {"sign", sign, [](double x) { return x > 0   ? 1.0
                                         : x < 0 ? -1.0
                                                 : 0.0; }},
    {"floor", floor, [](double x) { return std::floor(x); }},
    {"ceil", ceil, [](double x) { return std::ceil(x); }},
    {"round", round, [](double x) { return std::nearbyint(x); }},
    {"relu", relu, [](double x) { return x > 0 ? x : 0; }},
    {"leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.1); }, [](double x) { return x > 0 ? x : 0.1 * x; }},
    {"elu", [](const Tensor& x) { return elu(x, 0.7); }, [](double x) { return x > 0 ? x : 0.7 * std::expm1(x); }},
    {"tanh", tanh, [](double x) { return std::tanh(x); }},
    {"sigmoid", sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }},
    {"silu", silu, [](double x) { return x / (1 + std::exp(-x)); }},
    {"softplus", softplus, [](double x) { return std::log1p(std::exp(x)); }},
    {"gelu", gelu, [](double x) { return x * normal_part(x); }},
    {"gelu_tanh", gelu_tanh,
     [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }},
};

TEST(Math, ValuesAgreeWithTheFormula) {
  for (const Case& each : kCases) {
    const Tensor x = sample({1013}, each.low, each.high);
    Values want;
    for (double value : x.values()) want.push_back(each.want(value));
    EXPECT_TRUE(close(each.f(x).values(), want, 1e-12)) << each.name;
    want.clear();
    for (double value : x.to(Dtype::f32).values()) want.push_back(each.want(value));
    EXPECT_TRUE(close(each.f(x.to(Dtype::f32)).values(), want, 1e-6)) << each.name;
  }
}

TEST(Math, GradientsInEveryLayout) {
  for (const Case& each : kCases)
    for (const Tensor& x : layouts({3, 19}, each.low, each.high)) {
      const auto f = [&](const Inputs& in) { return each.f(in[0]); };
      EXPECT_TRUE(gradcheck(f, {x})) << each.name;
      EXPECT_TRUE(f32_agrees(f, {x}, 1e-5)) << each.name;
    }
}

TEST(Math, OneElementAndNone) {
  for (const Case& each : kCases) {
    const auto f = [&](const Inputs& in) { return each.f(in[0]); };
    EXPECT_TRUE(gradcheck(f, {sample({}, 0.3, 0.9)})) << each.name;
    EXPECT_TRUE(runs_empty(f, {sample({2, 0})})) << each.name;
  }
}

TEST(Math, FarFromZero) {
  const Tensor x = tensor({-1000, -100, 100, 1000});
  EXPECT_TRUE(close(sigmoid(x).values(), Values{0, 0, 1, 1}, 1e-7));
  EXPECT_TRUE(close(tanh(x).values(), Values{-1, -1, 1, 1}, 1e-7));
  EXPECT_TRUE(close(softplus(x).values(), Values{0, 0, 100, 1000}, 1e-6));
  EXPECT_TRUE(close(gelu(x).values(), Values{0, 0, 100, 1000}, 1e-6));
  EXPECT_TRUE(close(gelu_tanh(x).values(), Values{0, 0, 100, 1000}, 1e-6));
  EXPECT_TRUE(close(silu(x).values(), Values{0, 0, 100, 1000}, 1e-6));
  EXPECT_TRUE(close(elu(x).values(), Values{-1, -1, 100, 1000}, 1e-6));
}

TEST(Math, AtTheCorner) {
  Tensor x = tensor({0.0}, Dtype::f64).requires_grad(true);
  EXPECT_EQ(gradients(relu(x), {x})[0].item(), 0);
  EXPECT_EQ(gradients(abs(x), {x})[0].item(), 0);
  EXPECT_EQ(gradients(leaky_relu(x), {x})[0].item(), 0.01);
}

TEST(Math, ErrorsNameTheOp) {
  EXPECT_TRUE(complains([] { gelu(arange(3)); }, {"gelu", "i64", "f32 or f64"}));
  EXPECT_TRUE(complains([] { exp(Tensor()); }, {"undefined"}));
}

}  // namespace
}  // namespace heed
