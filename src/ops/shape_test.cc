#include <gtest/gtest.h>
#include <heed/base.h>
#include <heed/ops.h>
#include <rapidcheck/gtest.h>

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

Tensor counted(const Shape& shape, Dtype dtype = Dtype::f64) { return arange(shape.numel(), dtype).view(shape); }

struct Case {
  std::string name;
  Function f;
};

// Every op of one input of shape (3, 4, 5), in one list: gradients, dtypes, layouts.
const std::vector<Case> kCases = {
    {"reshape",
     [](const Inputs& in) {
       return reshape(in[0], {5, -1});
     }},
    {"transpose", [](const Inputs& in) { return transpose(in[0], 0, -1); }},
    {"permute",
     [](const Inputs& in) {
       return permute(in[0], {1, -1, 0});
     }},
    {"slice", [](const Inputs& in) { return slice(in[0], -1, 1, -1, 2); }},
    {"select", [](const Inputs& in) { return select(in[0], 1, -2); }},
    {"squeeze", [](const Inputs& in) { return squeeze(slice(in[0], 1, 2, 3), 1); }},
    {"unsqueeze", [](const Inputs& in) { return unsqueeze(in[0], -1); }},
    {"expand",
     [](const Inputs& in) {
       return expand(slice(in[0], 1, 0, 1), {2, 3, 6, 5});
     }},
    {"repeat",
     [](const Inputs& in) {
       return repeat(in[0], {2, 1, 3});
     }},
    {"concat",
     [](const Inputs& in) {
       return concat({in[0], slice(in[0], 1, 0, 2), in[0]}, 1);
     }},
    {"stack",
     [](const Inputs& in) {
       return stack({in[0], flip(in[0], {0}), in[0]}, -1);
     }},
    {"split",
     [](const Inputs& in) {
       return concat({split(in[0], {1, 2, 1}, 1)[1], chunk(in[0], 3, 1)[0]}, 1);
     }},
    {"unstack",
     [](const Inputs& in) {
       return stack({unstack(in[0], -1)[4], unstack(in[0], -1)[0]});
     }},
    {"pad",
     [](const Inputs& in) {
       return pad(in[0], {{1, 2}, {0, 3}}, PadMode::constant, 7);
     }},
    {"pad reflect",
     [](const Inputs& in) {
       return pad(in[0], {{1, 2}, {3, 4}}, PadMode::reflect);
     }},
    {"pad replicate",
     [](const Inputs& in) {
       return pad(in[0], {{1, 2}, {7, 0}}, PadMode::replicate);
     }},
    {"flip",
     [](const Inputs& in) {
       return flip(in[0], {0, -1});
     }},
    {"roll", [](const Inputs& in) { return roll(in[0], -7, 2); }},
    {"lower", [](const Inputs& in) { return lower_triangle(in[0], 1); }},
    {"upper", [](const Inputs& in) { return upper_triangle(in[0], -1); }},
    {"to", [](const Inputs& in) { return to(in[0], Dtype::f64).to(Dtype::f64); }},
};

TEST(Shape, GradientsInEveryLayout) {
  for (const Case& each : kCases)
    for (const Tensor& x : layouts({3, 4, 5})) EXPECT_TRUE(gradcheck(each.f, {x})) << each.name;
}

TEST(Shape, F32AgreesWithF64) {
  for (const Case& each : kCases)
    if (each.name != "to") {
      EXPECT_TRUE(f32_agrees(each.f, {sample({3, 4, 5})})) << each.name;
    }
}

TEST(Shape, EmptyTensorsPass) {
  for (const char* name : {"reshape", "transpose", "permute", "slice", "select", "unsqueeze", "repeat", "concat",
                           "stack", "split", "unstack", "pad", "flip", "roll", "lower", "upper"})
    for (const Case& each : kCases)
      if (each.name == name) {
        EXPECT_TRUE(runs_empty(each.f, {sample({0, 4, 5})})) << name;
      }
}

TEST(Shape, OneElement) {
  EXPECT_TRUE(gradcheck([](const Inputs& in) { return reshape(in[0], {1, 1}); }, {sample({})}));
  EXPECT_TRUE(gradcheck([](const Inputs& in) { return flip(roll(in[0], 3, 0), {0}); }, {sample({1})}));
  EXPECT_TRUE(gradcheck([](const Inputs& in) { return stack({in[0], in[0]}); }, {sample({})}));
}

TEST(Shape, WhatStandsWhere) {
  const Tensor x = counted({2, 3});  // 0 1 2 / 3 4 5
  EXPECT_TRUE(close(transpose(x).values(), Values{0, 3, 1, 4, 2, 5}, 0));
  EXPECT_TRUE(close(flip(x, {-1}).values(), Values{2, 1, 0, 5, 4, 3}, 0));
  EXPECT_TRUE(close(roll(x, 1, 1).values(), Values{2, 0, 1, 5, 3, 4}, 0));
  EXPECT_TRUE(close(repeat(x, {1, 2}).values(), Values{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}, 0));
  EXPECT_TRUE(close(repeat(x, {2, 1}).values(), Values{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}, 0));
  EXPECT_TRUE(close(concat({x, x}, 1).values(), Values{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}, 0));
  EXPECT_TRUE(close(stack({x, x}, 1).values(), Values{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}, 0));
  EXPECT_TRUE(close(pad(x, {{1, 0}}, PadMode::constant, 9).values(), Values{9, 0, 1, 2, 9, 3, 4, 5}, 0));
  EXPECT_TRUE(close(pad(x, {{2, 1}}, PadMode::reflect).values(), Values{2, 1, 0, 1, 2, 1, 5, 4, 3, 4, 5, 4}, 0));
  EXPECT_TRUE(close(pad(x, {{2, 1}}, PadMode::replicate).values(), Values{0, 0, 0, 1, 2, 2, 3, 3, 3, 4, 5, 5}, 0));
  EXPECT_TRUE(close(lower_triangle(x).values(), Values{0, 0, 0, 3, 4, 0}, 0));
  EXPECT_TRUE(close(upper_triangle(x, 1).values(), Values{0, 1, 2, 0, 0, 5}, 0));
  EXPECT_TRUE(close(chunk(counted({5}), 2)[1].values(), Values{3, 4}, 0));
}

TEST(Shape, IntegersHaveShapesToo) {
  const Tensor ids = counted({2, 3}, Dtype::i64);
  EXPECT_TRUE(close(concat({flip(ids, {0}), pad(ids, {{1, 0}, {0, 0}})}).values(),
                    Values{3, 4, 5, 0, 1, 2, 0, 0, 0, 0, 1, 2, 3, 4, 5}, 0));
  EXPECT_TRUE(close(lower_triangle(to(ids, Dtype::boolean)).values(), Values{0, 0, 0, 1, 1, 0}, 0));
}

TEST(Shape, ErrorsNameOpAndShapes) {
  const Tensor x = counted({2, 3});
  EXPECT_TRUE(complains([&] { reshape(x, {4, 2}); }, {"reshape", "(2, 3)", "(4, 2)"}));
  EXPECT_TRUE(complains([&] { transpose(x, 0, 2); }, {"transpose", "2"}));
  EXPECT_TRUE(complains([&] { concat({x, counted({3, 2})}, 0); }, {"concat", "(3, 2)", "(2, 3)"}));
  EXPECT_TRUE(complains([&] { concat({x, counted({2, 3}, Dtype::f32)}, 0); }, {"concat", "f64", "f32"}));
  EXPECT_TRUE(complains([&] { concat({}); }, {"concat"}));
  EXPECT_TRUE(complains([&] { stack({x, counted({2})}); }, {"stack", "(2)"}));
  EXPECT_TRUE(complains([&] { split(x, {1, 1}, 1); }, {"split", "2", "3"}));
  EXPECT_TRUE(complains([&] { pad(x, {{3, 0}}, PadMode::reflect); }, {"pad", "3"}));
  EXPECT_TRUE(complains([&] { pad(x, {{-1, 0}}); }, {"pad", "-1"}));
  EXPECT_TRUE(complains([&] { repeat(x, {2}); }, {"repeat", "(2, 3)"}));
  EXPECT_TRUE(complains([&] { flip(x, {1, -1}); }, {"flip", "1"}));
  EXPECT_TRUE(complains([&] { lower_triangle(counted({3})); }, {"lower_triangle", "(3)"}));
  EXPECT_TRUE(complains([&] { expand(x, {3, 3}); }, {"expand", "(2, 3)", "(3, 3)"}));
}

// A cut and its parts put together again are the whole, wherever it is cut.
RC_GTEST_PROP(Shape, SplitAndConcatAreInverse, ()) {
  const auto sizes = *rc::gen::container<std::vector<int64_t>>(3, rc::gen::inRange<int64_t>(0, 5));
  const int dim = *rc::gen::inRange(0, 2);
  Shape shape = {3, 2};
  shape[dim] = sizes[0] + sizes[1] + sizes[2];
  const Tensor x = sample(shape);
  RC_ASSERT(concat(split(x, sizes, dim), dim).values() == x.values());
}

RC_GTEST_PROP(Shape, PermutedTwiceIsTheSame, ()) {
  std::vector<int64_t> order = {0, 1, 2, 3};
  for (int i = 3; i > 0; --i) std::swap(order[static_cast<size_t>(i)], order[*rc::gen::inRange<size_t>(0, i + 1)]);
  std::vector<int64_t> inverse(4);
  for (size_t i = 0; i < 4; ++i) inverse[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  const Tensor x = sample({2, 3, 4, 5});
  const Tensor y = permute(permute(x, order), inverse);
  RC_ASSERT(y.shape() == x.shape());
  RC_ASSERT(y.values() == x.values());
}

TEST(Create, Values) {
  EXPECT_TRUE(close(arange(4).values(), Values{0, 1, 2, 3}, 0));
  EXPECT_EQ(arange(4).dtype(), Dtype::i64);
  EXPECT_TRUE(close(arange(1.0, 2.0, 0.25).values(), Values{1, 1.25, 1.5, 1.75}, 0));
  EXPECT_TRUE(close(arange(2.0, 0.0, -1).values(), Values{2, 1}, 0));
  EXPECT_EQ(arange(2.0, 0.0).numel(), 0);
  EXPECT_TRUE(close(linspace(0, 1, 5).values(), Values{0, 0.25, 0.5, 0.75, 1}, 0));
  EXPECT_TRUE(close(linspace(3, 7, 1).values(), Values{3}, 0));
  EXPECT_TRUE(close(eye(2, 3).values(), Values{1, 0, 0, 0, 1, 0}, 0));
  EXPECT_TRUE(close(eye(3, 2).values(), Values{1, 0, 0, 1, 0, 0}, 0));
  EXPECT_EQ(eye(0).numel(), 0);
  EXPECT_TRUE(close(full({2}, 3, Dtype::i32).values(), Values{3, 3}, 0));
  EXPECT_TRUE(close((ones({2}).values()), Values{1, 1}, 0));
  EXPECT_TRUE(complains([] { arange(0.0, 1.0, 0.0); }, {"arange"}));
}

// Bytes of tensors that backward takes at most at a time.
int64_t peak_of_backward(const Tensor& y) {
  reset_memory_peak();
  const int64_t before = memory_use().in_use;
  backward(y);
  return memory_use().peak - before;
}

// Zeros of the whole for each of them would be a second tensor of that size, and T² in time.
TEST(Shapes, PartsOfOneTensorShareItsGradient) {
  constexpr int64_t kSteps = 32, kWidth = 4096, kBytes = kSteps * kWidth * 4;
  const auto sum_of_parts = [](const Tensor& x, const auto& part) {
    Tensor y;
    for (int64_t t = 0; t < kSteps; ++t) {
      const Tensor one = sum(part(x, t)) * static_cast<double>(t);
      y = y.defined() ? y + one : one;
    }
    return y;
  };
  const auto check = [&](const auto& part) {
    Tensor x = Tensor::full({kSteps, kWidth}, 1).requires_grad(true);
    EXPECT_LT(peak_of_backward(sum_of_parts(x, part)), kBytes * 5 / 4);
    for (int64_t t = 0; t < kSteps; ++t) EXPECT_EQ(x.grad().value({t, 7}), t);
    Tensor once = Tensor::full({kSteps, kWidth}, 1).requires_grad(true);
    EXPECT_LT(peak_of_backward(sum_of_parts(once * 2, part)), kBytes * 9 / 4);  // and once's own
    for (int64_t t = 0; t < kSteps; ++t) EXPECT_EQ(once.grad().value({t, 7}), 2 * t);
  };
  check([](const Tensor& x, int64_t t) { return select(x, 0, t); });
  check([](const Tensor& x, int64_t t) { return slice(x, 0, t, t + 1); });
}

}  // namespace
}  // namespace heed
