#include <gtest/gtest.h>
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

struct Case {
  std::string name;
  Function f;
};

// Of two inputs that broadcast; the second one is positive.
const std::vector<Case> kBinary = {
    {"add", [](const Inputs& in) { return in[0] + in[1]; }},
    {"subtract", [](const Inputs& in) { return in[0] - in[1]; }},
    {"multiply", [](const Inputs& in) { return in[0] * in[1]; }},
    {"divide", [](const Inputs& in) { return in[0] / in[1]; }},
    {"pow", [](const Inputs& in) { return pow(in[1], in[0]); }},
    {"minimum", [](const Inputs& in) { return minimum(in[0], in[1]); }},
    {"maximum", [](const Inputs& in) { return maximum(in[0], in[1]); }},
    {"where", [](const Inputs& in) { return where(less(in[0], in[1] - 1.0), in[0], in[1]); }},
};

// Of one input.
const std::vector<Case> kWithNumbers = {
    {"plus a number", [](const Inputs& in) { return 1.5 + (in[0] + 2) * 3; }},
    {"minus a number", [](const Inputs& in) { return (1.5 - in[0]) - 2; }},
    {"by a number", [](const Inputs& in) { return in[0] / 3 + 2 / (in[0] + 5); }},
    {"negative", [](const Inputs& in) { return -in[0]; }},
    {"itself", [](const Inputs& in) { return in[0] * in[0] - in[0] / (in[0] * in[0] + 1); }},
    {"power 3", [](const Inputs& in) { return pow(in[0], 3); }},
    {"power 2.5", [](const Inputs& in) { return pow(in[0] * in[0] + 0.5, 2.5); }},
    {"2 to the power", [](const Inputs& in) { return pow(2.5, in[0]); }},
    {"clamp", [](const Inputs& in) { return clamp(in[0], -0.5, 1); }},
    {"clamp below", [](const Inputs& in) { return clamp(in[0], 0.25); }},
    {"masked_fill", [](const Inputs& in) { return masked_fill(in[0], greater(in[0], 0.5), -7); }},
    {"where yes", [](const Inputs& in) { return where(greater(in[0], 0), in[0] * in[0], 4); }},
    {"where no", [](const Inputs& in) { return where(greater(in[0], 0), 4, in[0]); }},
    {"choice broadcasts", [](const Inputs& in) { return where(less(select(in[0], 0, 0), 0), in[0], 1); }},
};

TEST(Elementwise, BinaryOpsBroadcastBothWays) {
  const std::vector<std::pair<Shape, Shape>> shapes = {
      {{3, 5}, {3, 5}}, {{3, 5}, {5}}, {{3, 5}, {3, 1}}, {{1, 5}, {3, 1}},    {{2, 3, 7}, {1, 3, 1}},
      {{}, {4}},        {{1}, {1}},    {{}, {}},         {{2, 1, 9}, {3, 1}}, {{1, 1}, {2, 33, 2}}};
  for (const Case& each : kBinary)
    for (const auto& [a, b] : shapes) {
      const Inputs inputs = {sample(a), sample(b, 0.5, 2, 2)}, other = {sample(b), sample(a, 0.5, 2, 2)};
      EXPECT_TRUE(gradcheck(each.f, inputs)) << each.name << a.text() << b.text();
      EXPECT_TRUE(gradcheck(each.f, other)) << each.name << b.text() << a.text();
      EXPECT_TRUE(f32_agrees(each.f, inputs)) << each.name << a.text() << b.text();
    }
}

TEST(Elementwise, BinaryOpsInEveryLayout) {
  for (const Case& each : kBinary)
    for (const Tensor& a : layouts({4, 3, 5}))
      for (const Tensor& b : layouts({3, 5}, 0.5, 2, 9)) {
        EXPECT_TRUE(gradcheck(each.f, {a, b})) << each.name;
        EXPECT_TRUE(f32_agrees(each.f, {a, b})) << each.name;
      }
}

TEST(Elementwise, OpsWithNumbers) {
  for (const Case& each : kWithNumbers)
    for (const Tensor& x : layouts({3, 17})) {
      EXPECT_TRUE(gradcheck(each.f, {x})) << each.name;
      EXPECT_TRUE(f32_agrees(each.f, {x}, 1e-4)) << each.name;
    }
}

TEST(Elementwise, Empty) {
  for (const Case& each : kBinary) {
    EXPECT_TRUE(runs_empty(each.f, {sample({0}), sample({0})})) << each.name;
    EXPECT_TRUE(runs_empty(each.f, {sample({3, 0}), sample({1})})) << each.name;
    EXPECT_TRUE(runs_empty(each.f, {sample({2, 1}), sample({1, 0})})) << each.name;
  }
  for (const Case& each : kWithNumbers) EXPECT_TRUE(runs_empty(each.f, {sample({2, 0})})) << each.name;
}

TEST(Elementwise, LargeTensors) {
  const Tensor a = sample({301, 1003}), b = sample({1003}, 0.5, 2, 3);
  for (const Case& each : kBinary)
    if (each.name != "pow") {
      EXPECT_TRUE(f32_agrees(each.f, {a, b}, 1e-3)) << each.name;
    }
}

TEST(Elementwise, EqualOnesShareTheGradient) {
  Tensor a = tensor({1, 2}, Dtype::f64).requires_grad(true), b = tensor({1, 3}, Dtype::f64).requires_grad(true);
  backward(maximum(a, b), {.seed = tensor({1, 1}, Dtype::f64)});
  EXPECT_TRUE(close(a.grad().values(), Values{0.5, 0}, 0));
  EXPECT_TRUE(close(b.grad().values(), Values{0.5, 1}, 0));
}

TEST(Elementwise, PowersOfZero) {
  Tensor x = tensor({0, 0}, Dtype::f64).requires_grad(true);
  const auto slope = [&](double p) { return gradients(pow(x, p), {x}, {.seed = ones({2}, Dtype::f64)})[0].values(); };
  EXPECT_TRUE(close(slope(2), Values{0, 0}, 0));
  EXPECT_TRUE(close(slope(1), Values{1, 1}, 0));
  EXPECT_TRUE(close(slope(0), Values{0, 0}, 0));
  Tensor p = tensor({2, 3}, Dtype::f64).requires_grad(true);
  EXPECT_TRUE(close(gradients(pow(x, p), {p}, {.seed = ones({2}, Dtype::f64)})[0].values(), Values{0, 0}, 0));
}

TEST(Elementwise, WhatIsNotChosenSendsNothingBack) {
  Tensor x = tensor({0, 4}, Dtype::f64).requires_grad(true);
  backward(where(greater(x, 1), 1 / x, 0), {.seed = ones({2}, Dtype::f64)});
  EXPECT_EQ(x.grad().values()[1], -1.0 / 16);
}

TEST(Comparisons, Values) {
  const double nan = std::nan("");
  for (Dtype dtype : {Dtype::f32, Dtype::f64, Dtype::i64, Dtype::i32, Dtype::u8}) {
    const Tensor a = tensor({1, 2, 3}, dtype), b = tensor({2, 2, 2}, dtype);
    EXPECT_TRUE(close(equal(a, b).values(), Values{0, 1, 0}, 0));
    EXPECT_TRUE(close(not_equal(a, b).values(), Values{1, 0, 1}, 0));
    EXPECT_TRUE(close(less(a, b).values(), Values{1, 0, 0}, 0));
    EXPECT_TRUE(close(less_equal(a, b).values(), Values{1, 1, 0}, 0));
    EXPECT_TRUE(close(greater(a, b).values(), Values{0, 0, 1}, 0));
    EXPECT_TRUE(close(greater_equal(a, 2).values(), Values{0, 1, 1}, 0));
    EXPECT_TRUE(close(equal(a, 3).values(), Values{0, 0, 1}, 0));
    EXPECT_TRUE(close(not_equal(a, 3).values(), Values{1, 1, 0}, 0));
    EXPECT_TRUE(close(less_equal(a, 2).values(), Values{1, 1, 0}, 0));
    EXPECT_TRUE(close(less(a, 2).values(), Values{1, 0, 0}, 0));
    EXPECT_TRUE(close(greater(a, 2).values(), Values{0, 0, 1}, 0));
    EXPECT_EQ(equal(a, b).dtype(), Dtype::boolean);
  }
  EXPECT_TRUE(close(equal(tensor({nan, 1}), tensor({nan, 1})).values(), Values{0, 1}, 0));
  EXPECT_TRUE(close(not_equal(tensor({nan, 1}), nan).values(), Values{1, 1}, 0));
}

TEST(Comparisons, Broadcast) {
  const Tensor rows = arange(3).view({3, 1}), columns = arange(4);
  EXPECT_TRUE(close(to(greater_equal(rows, columns), Dtype::f64).values(),
                    to(lower_triangle(ones({3, 4}, Dtype::boolean)), Dtype::f32).values(), 0));
}

TEST(Logic, Values) {
  const Tensor a = tensor({0, 0, 1, 1}).to(Dtype::boolean), b = tensor({0, 1, 0, 1}).to(Dtype::boolean);
  EXPECT_TRUE(close(logical_and(a, b).values(), Values{0, 0, 0, 1}, 0));
  EXPECT_TRUE(close(logical_or(a, b).values(), Values{0, 1, 1, 1}, 0));
  EXPECT_TRUE(close(logical_xor(a, b).values(), Values{0, 1, 1, 0}, 0));
  EXPECT_TRUE(close(logical_not(a).values(), Values{1, 1, 0, 0}, 0));
}

TEST(Choice, OfIntegers) {
  const Tensor ids = arange(4), mask = tensor({1, 0, 0, 1}).to(Dtype::boolean);
  EXPECT_TRUE(close(where(mask, ids, 9).values(), Values{0, 9, 9, 3}, 0));
  EXPECT_TRUE(close(masked_fill(ids, mask, -100).values(), Values{-100, 1, 2, -100}, 0));
  EXPECT_EQ(where(mask, ids, ids).dtype(), Dtype::i64);
}

TEST(Elementwise, Errors) {
  const Tensor a = sample({2, 3}), b = sample({2, 4}), c = a.to(Dtype::f32);
  EXPECT_TRUE(complains([&] { a + b; }, {"add", "(2, 3)", "(2, 4)"}));
  EXPECT_TRUE(complains([&] { a* c; }, {"multiply", "f64", "f32"}));
  EXPECT_TRUE(complains([&] { a / a.to(Dtype::bf16); }, {"divide", "bf16"}));
  EXPECT_TRUE(complains([&] { less(a, c); }, {"less", "f64", "f32"}));
  EXPECT_TRUE(complains([&] { where(a, a, a); }, {"where", "f64", "bool"}));
  EXPECT_TRUE(complains([&] { where(less(a, 0), a, c); }, {"where", "f64", "f32"}));
  EXPECT_TRUE(complains([&] { logical_and(less(a, 0), a); }, {"logical_and", "f64", "bool"}));
  EXPECT_TRUE(complains([&] { masked_fill(a, c, 0); }, {"masked_fill", "f32", "bool"}));
  EXPECT_TRUE(complains([&] { clamp(a, 1, 0); }, {"clamp", "1", "0"}));
}

// Every pair of shapes that fits together gives what counting the indices out by hand gives.
RC_GTEST_PROP(Elementwise, BroadcastingIsIndexArithmetic, ()) {
  const int rank = *rc::gen::inRange(0, 5), shorter = *rc::gen::inRange(0, rank + 1);
  std::vector<int64_t> a, b;
  for (int i = 0; i < rank; ++i) {
    const int64_t size = *rc::gen::inRange<int64_t>(0, 4);
    const int kind = *rc::gen::inRange(0, 3);
    a.push_back(kind == 0 ? 1 : size);
    if (i >= rank - shorter) b.push_back(kind == 1 ? 1 : size);
  }
  const Tensor x = sample(a), y = sample(b, -2, 2, 7);
  const bool swapped = *rc::gen::arbitrary<bool>();
  const Tensor z = swapped ? y - x : x - y;
  const Values p = x.expand(z.shape()).values(), q = y.expand(z.shape()).values(), got = z.values();
  RC_ASSERT(got.size() == p.size());
  for (size_t i = 0; i < got.size(); ++i) RC_ASSERT(got[i] == (swapped ? q[i] - p[i] : p[i] - q[i]));
}

}  // namespace
}  // namespace heed
