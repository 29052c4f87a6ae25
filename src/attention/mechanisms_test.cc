// From each row of the table, without further code: the engine against the formula, finite differences, f32, what must
// not matter.
#include "attention/mechanisms.h"

#include <fmt/format.h>
#include <heed/base.h>

#include "attention/reference.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed::attention {
namespace {

using heed::testing::close;
using heed::testing::complains;
using heed::testing::gradcheck;
using heed::testing::sample;

// Whatever draws begins at the same place each time.
Attended run(const Tensor& q, const Tensor& k, const Tensor& v, AttendOptions options) {
  Random from{7, 0, 0};
  options.random = &from;
  return attend(q, k, v, options);
}
Reference formula(const Tensor& q, const Tensor& k, const Tensor& v, AttendOptions options) {
  Random from{7, 0, 0};
  options.random = &from;
  return reference(q, k, v, options);
}

struct Example {
  Sizes n;
  const char* what;
};
// Odd sizes, D ≠ E, groups, T ≠ S, more than a block of keys and of queries.
const std::vector<Example> kExamples = {
    {{1, 2, 2, 5, 5, 4, 4}, "small"},
    {{2, 4, 2, 3, 7, 5, 3}, "grouped, more keys than queries"},
    {{1, 2, 1, 9, 4, 3, 6}, "fewer keys than queries"},
    {{1, 1, 1, 1, 67, 8, 8}, "one query"},
    {{1, 1, 1, 131, 131, 16, 16}, "blocks"},
    {{1, 2, 2, 35, 200, 17, 9}, "blocks, odd widths"},
};

class Rows : public ::testing::TestWithParam<size_t> {
 protected:
  const Mechanism& row() const { return mechanisms()[GetParam()]; }
  struct Given {
    Tensor q, k, v;
    AttendOptions options;
  };
  Given given(const Sizes& n, Dtype dtype = Dtype::f64) const {
    return {sample({n.batch, n.heads, n.queries, n.width}, -2, 2, 1).to(dtype),
            sample({n.batch, n.groups, n.keys, n.width}, -2, 2, 2).to(dtype),
            sample({n.batch, n.groups, n.keys, n.value_width}, -2, 2, 3).to(dtype),
            row().options(example_tensors(row(), n, dtype, 7), n)};
  }
};

::testing::AssertionResult agrees(const Tensor& got, const Tensor& want, double tolerance) {
  return close(got.to(Dtype::f64).values(), want.values(), tolerance);
}

TEST_P(Rows, AgreesWithTheFormula) {
  for (const Example& example : kExamples) {
    Given x = given(example.n);
    x.options.return_weights = true;
    const Attended got = run(x.q, x.k, x.v, x.options);
    const Reference want = formula(x.q, x.k, x.v, x.options);
    EXPECT_TRUE(agrees(got.out, want.out, 1e-9)) << example.what;
    EXPECT_TRUE(agrees(got.weights, want.weights, 1e-9)) << example.what;
    if (got.log_sum_exp.defined()) {
      EXPECT_TRUE(agrees(got.log_sum_exp, want.log_sum_exp, 1e-9)) << example.what;
    }
    const Given f32 = given(example.n, Dtype::f32);
    EXPECT_TRUE(agrees(run(f32.q, f32.k, f32.v, f32.options).out, want.out, 3e-5)) << example.what << " in f32";
  }
}

TEST_P(Rows, GradientsAreThoseOfFiniteDifferences) {
  for (const size_t i : {0, 1, 2, 3}) {
    const Sizes& n = kExamples[i].n;
    const Given x = given(n);
    heed::testing::Inputs inputs = {x.q, x.k, x.v};
    for (const auto& [name, tensor] : example_tensors(row(), n, Dtype::f64, 7)) inputs.push_back(tensor);
    const auto f = [&](const heed::testing::Inputs& in) {
      LearnedTensors learned;
      size_t at = 3;
      for (const auto& [name, tensor] : example_tensors(row(), n, Dtype::f64, 7)) learned[name] = in[at++];
      return run(in[0], in[1], in[2], row().options(learned, n)).out;
    };
    EXPECT_TRUE(gradcheck(f, inputs)) << kExamples[i].what;
  }
}

// f32 against f64 where finite differences would take too long.
TEST_P(Rows, GradientsOfLargeProblemsAgreeInF32) {
  for (const size_t i : {4, 5}) {
    const Sizes& n = kExamples[i].n;
    const auto gradients_in = [&](Dtype dtype) {
      Given x = given(n, dtype);
      std::vector<Tensor> inputs = {x.q, x.k, x.v};
      LearnedTensors learned = example_tensors(row(), n, dtype, 7);
      for (auto& [name, tensor] : learned) inputs.push_back(tensor);
      for (Tensor& input : inputs) input.requires_grad(true);
      for (auto& [name, tensor] : learned) tensor.requires_grad(true);
      const Tensor out = run(inputs[0], inputs[1], inputs[2], row().options(learned, n)).out;
      return gradients(out, inputs, {.seed = sample(out.shape(), -1, 1, 5).to(dtype)});
    };
    const auto got = gradients_in(Dtype::f32), want = gradients_in(Dtype::f64);
    for (size_t j = 0; j < want.size(); ++j)
      EXPECT_TRUE(agrees(got[j], want[j], 2e-4)) << kExamples[i].what << " input " << j;
  }
}

TEST_P(Rows, SameBitsWithOneAndTwoThreads) {
  const int before = threads();
  for (const size_t i : {4, 5}) {
    const auto with_threads = [&](int count) {
      set_threads(count);
      Given x = given(kExamples[i].n, Dtype::f32);
      for (Tensor* t : {&x.q, &x.k, &x.v}) t->requires_grad(true);
      const Tensor out = run(x.q, x.k, x.v, x.options).out;
      auto all = gradients(sum(out * out), {x.q, x.k, x.v});
      all.push_back(out);
      return all;
    };
    const auto one = with_threads(1), two = with_threads(2);
    for (size_t j = 0; j < one.size(); ++j) EXPECT_EQ(one[j].values(), two[j].values()) << kExamples[i].what;
  }
  set_threads(before);
}

TEST_P(Rows, PaddingNeverMatters) {
  const Sizes n{2, 2, 2, 6, 70, 5, 4};
  Given x = given(n);
  x.options.key_lengths = tensor_from<int64_t>({66, 3}, {2});
  const Tensor clean = run(x.q, x.k, x.v, x.options).out;
  for (Tensor* t : {&x.k, &x.v}) {
    *t = t->clone();
    t->slice(2, 66, 70).fill(NAN);
    (*t)[1].slice(1, 3, 70).fill(NAN);
  }
  const Tensor dirty = run(x.q, x.k, x.v, x.options).out;
  EXPECT_TRUE(agrees(dirty, clean, 1e-15));
}

// What is learned, and q, get the gradients that they get of clean padding; padding itself gets none.
TEST_P(Rows, WhatIsInPaddingReachesNoGradient) {
  for (const Sizes& n : {Sizes{2, 2, 2, 6, 70, 5, 4}, Sizes{2, 4, 2, 1, 70, 5, 5}, Sizes{2, 2, 1, 70, 130, 5, 4}}) {
    const auto gradients_with = [&](double padding, Dtype dtype) {
      Given x = given(n, dtype);
      for (Tensor* t : {&x.k, &x.v}) {
        *t = t->clone();
        t->slice(2, 66, n.keys).fill(padding);
        (*t)[1].slice(1, 3, n.keys).fill(padding);
      }
      LearnedTensors learned = example_tensors(row(), n, dtype, 7);
      std::vector<Tensor> inputs = {x.q, x.k, x.v};
      for (const auto& [name, tensor] : learned) inputs.push_back(tensor);
      for (Tensor& input : inputs) input.requires_grad(true);
      AttendOptions options = row().options(learned, n);
      options.key_lengths = tensor_from<int64_t>({66, 3}, {2});
      const Attended y = run(x.q, x.k, x.v, options);
      Tensor loss = sum(y.out * y.out);
      if (y.log_sum_exp.defined()) loss = loss + sum(clamp(y.log_sum_exp, -9));
      return gradients(loss, inputs);
    };
    for (const Dtype dtype : {Dtype::f64, Dtype::f32}) {
      const auto clean = gradients_with(0, dtype);
      for (const double padding : {static_cast<double>(NAN), static_cast<double>(INFINITY), 1e30}) {
        const auto dirty = gradients_with(padding, dtype);
        for (size_t i = 0; i < clean.size(); ++i)
          EXPECT_TRUE(close(dirty[i].to(Dtype::f64).values(), clean[i].to(Dtype::f64).values(),
                            dtype == Dtype::f64 ? 1e-10 : 2e-5))
              << "input " << i << ", padding " << padding << ", keys " << n.keys;
      }
    }
  }
}

TEST_P(Rows, AFutureThatIsHiddenNeverMatters) {
  const Sizes n{1, 2, 2, 70, 70, 5, 4};
  Given x = given(n);
  x.options.span = x.options.span & causal();
  const Tensor before = run(x.q, x.k, x.v, x.options).out;
  x.k = x.k.clone(), x.v = x.v.clone();
  x.k.slice(2, 40, 70).fill(3), x.v.slice(2, 40, 70).fill(NAN);
  const Tensor after = run(x.q, x.k, x.v, x.options).out;
  EXPECT_TRUE(agrees(after.slice(2, 0, 40), before.slice(2, 0, 40), 1e-12));
  EXPECT_TRUE(std::isnan(after.value({0, 0, 69, 0})));
}

TEST_P(Rows, StridedInputsAreTheSame) {
  const Sizes n{2, 2, 2, 9, 70, 5, 4};
  const Given x = given(n);
  const auto strided = [](const Tensor& t) { return t.permute({0, 2, 1, 3}).clone().permute({0, 2, 1, 3}); };
  EXPECT_TRUE(
      agrees(run(strided(x.q), strided(x.k), strided(x.v), x.options).out, run(x.q, x.k, x.v, x.options).out, 1e-14));
}

TEST_P(Rows, NamesTensorsThatAreNotThoseItLearns) {
  const Sizes n{2, 4, 2, 3, 7, 5, 3};
  const LearnedTensors right = example_tensors(row(), n, Dtype::f64, 7);
  const auto refuses = [&](const LearnedTensors& given, std::vector<std::string> words) {
    words.emplace_back(row().name);
    return complains([&] { row().options(given, n); }, words);
  };
  LearnedTensors more = right;
  more["other"] = sample({3});
  EXPECT_TRUE(refuses(more, {"too many other"}));
  for (const Learned& each : row().learned) {
    LearnedTensors some = right;
    some.erase(each.name);
    EXPECT_TRUE(refuses(some, {std::string("missing ") + each.name}));
    some[each.name] = Tensor();
    EXPECT_TRUE(refuses(some, {each.name, "undefined"}));
    some[each.name] = sample({9, 9, 9, 9});
    EXPECT_TRUE(refuses(some, {each.name, "(9, 9, 9, 9)", "wanted ("}));
    some[each.name] = right.at(each.name).to(Dtype::i64);
    EXPECT_TRUE(refuses(some, {each.name, "i64", "one floating dtype"}));
  }
}

// Tensors of another dtype than q's.
TEST_P(Rows, NamesBothDtypes) {
  const Given x = given({2, 4, 2, 3, 7, 5, 3}, Dtype::f32);
  const auto f64 = [](const Tensor& t) { return t.to(Dtype::f64); };
  if (row().learned.empty()) return;
  EXPECT_TRUE(complains([&] { run(f64(x.q), f64(x.k), f64(x.v), x.options); }, {"f32", "f64"}));
}

// The rooms take one for each head, or one for all of them.
TEST(Learned, OneForAllHeadsOrOneForEach) {
  const Sizes n{2, 4, 2, 3, 7, 5, 3};
  const auto attends = [&](const char* name, const LearnedTensors& learned) {
    run(sample({2, 4, 3, 5}), sample({2, 2, 7, 5}), sample({2, 2, 7, 3}), mechanism(name).options(learned, n));
  };
  attends("learned_scale", {{"scale", sample({})}});
  attends("learned_scale", {{"scale", sample({1})}});
  attends("learned_scale", {{"scale", sample({4})}});
  attends("linear_pooling", {{"w", sample({5})}, {"b", sample({})}});
  attends("additive", {{"w", sample({4, 8, 5})}, {"u", sample({2, 8, 5})}, {"vec", sample({8})}, {"b", sample({8})}});
  EXPECT_TRUE(complains([&] { attends("learned_scale", {{"scale", sample({2})}}); }, {"scale", "(2)", "wanted (4)"}));
  EXPECT_TRUE(complains([&] { attends("general", {{"w", sample({6, 5})}}); }, {"w", "(6, 5)", "wanted (5, any)"}));
}

TEST_P(Rows, SaysWhatThereIsToSay) {
  for (const char* text : {row().name, row().paper, row().formula, row().cost, row().purpose.en, row().purpose.zh,
                           row().trap.en, row().trap.zh, row().code})
    EXPECT_TRUE(text && *text) << row().name;
  EXPECT_GT(row().year, 1980);
}

INSTANTIATE_TEST_SUITE_P(Table, Rows, ::testing::Range<size_t>(0, mechanisms().size()),
                         [](const auto& at) { return std::string(mechanisms()[at.param].name); });

}  // namespace
}  // namespace heed::attention
