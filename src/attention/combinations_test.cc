// Any choice of what the table of mechanisms puts into the slots: as the formula says, with the gradients of finite
// differences, or refused by a sentence that names both options.
#include <gtest/gtest.h>
#include <heed/attention.h>
// After gtest.
#include <rapidcheck/gtest.h>

#include <set>

#include "attention/mechanisms.h"
#include "attention/reference.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed::attention {
namespace {

using heed::testing::close;
using heed::testing::complains;
using heed::testing::Inputs;
using heed::testing::sample;

// What some row puts into a slot, on top of what is there: the last that fills it, spans together.
void put(AttendOptions& options, const AttendOptions& some) {
  if (some.scores.room) options.scores = some.scores;
  if (some.position.room) options.position = some.position;
  if (some.normalizer.room) options.normalizer = some.normalizer;
  options.span = options.span & some.span;
}

// ---- any four rows ----------------------------------------------------------------------------------------

struct Choice {
  Sizes n;
  std::vector<const Mechanism*> rows;
  bool soft_cap, bias, mask, lengths;
};

Choice any_choice(const Sizes& most) {
  const auto size = [](int64_t high) { return *rc::gen::inRange<int64_t>(1, high + 1); };
  const auto either = [] { return *rc::gen::arbitrary<bool>(); };
  Choice choice{{size(most.batch), size(most.heads), size(most.groups), size(most.queries), size(most.keys),
                 2 * size(most.width / 2), size(most.value_width)},
                {},
                either(),
                either(),
                either(),
                either()};
  choice.n.heads *= choice.n.groups;
  for (int i = 0; i < 4; ++i) choice.rows.push_back(&mechanisms()[*rc::gen::inRange<size_t>(0, mechanisms().size())]);
  return choice;
}

// q, k, v, a bias, and what the rows learn, one after the other.
Inputs inputs_of(const Choice& choice, uint64_t seed) {
  const Sizes& n = choice.n;
  Inputs inputs = {sample({n.batch, n.heads, n.queries, n.width}, -2, 2, seed),
                   sample({n.batch, n.groups, n.keys, n.width}, -2, 2, seed + 1),
                   sample({n.batch, n.groups, n.keys, n.value_width}, -2, 2, seed + 2),
                   sample({n.heads, n.queries, n.keys}, -1, 1, seed + 3)};
  for (const Mechanism* row : choice.rows)
    for (const auto& [name, tensor] : example_tensors(*row, n, Dtype::f64, seed)) inputs.push_back(tensor);
  return inputs;
}

AttendOptions options_of(const Choice& choice, const Inputs& inputs) {
  const Sizes& n = choice.n;
  AttendOptions options;
  size_t at = 4;
  for (const Mechanism* row : choice.rows) {
    LearnedTensors learned = example_tensors(*row, n, Dtype::f64, 7);
    for (auto& [name, tensor] : learned) tensor = inputs[at++];
    put(options, row->options(learned, n));
  }
  if (choice.soft_cap) options.soft_cap = 3;
  if (choice.bias) options.bias = inputs[3];
  if (choice.mask) options.mask = greater(sample({n.batch, 1, n.queries, n.keys}, -1, 2, 9), 0);
  if (choice.lengths) options.key_lengths = Tensor::full({n.batch}, static_cast<double>(n.keys / 2), Dtype::i64);
  return options;
}

Attended attended(const Choice& choice, const Inputs& in) {
  Random from{7, 0, 0};
  AttendOptions options = options_of(choice, in);
  options.return_weights = true, options.random = &from;
  return attend(in[0], in[1], in[2], options);
}

// Whether it is refused, which it may be in one way only.
bool is_refused(const Choice& choice, const Inputs& in) {
  try {
    NoGrad off;
    attended(choice, in);
    return false;
  } catch (const Error& error) {
    RC_ASSERT(std::string(error.what()).find("do not combine") != std::string::npos);
    return true;
  }
}

RC_GTEST_PROP(Combinations, AreThoseOfTheFormulaOrRefused, ()) {
  const Choice choice = any_choice({2, 2, 2, 20, 80, 8, 7});
  const Inputs in = inputs_of(choice, 1);
  if (is_refused(choice, in)) return;
  Random from{7, 0, 0};
  AttendOptions options = options_of(choice, in);
  options.random = &from;
  const Attended got = attended(choice, in);
  const Reference want = reference(in[0], in[1], in[2], options);
  RC_ASSERT(close(got.out.values(), want.out.values(), 1e-8));
  RC_ASSERT(close(got.weights.values(), want.weights.values(), 1e-8));
}

// In f32, with scores that lie far apart, from one block of keys to another too. What chooses keys is left out: of two
// that are as good as equal it may take the other.
RC_GTEST_PROP(Combinations, InSinglePrecisionAreThoseOfTheFormula, ()) {
  const Choice choice = any_choice({2, 2, 2, 20, 300, 16, 7});
  const std::set<std::string> choosing = {"hard", "sampled", "top_k"};
  for (const Mechanism* row : choice.rows) RC_PRE(!choosing.contains(row->name));
  const double apart = *rc::gen::element(1.0, 30.0, 1000.0);
  Inputs in = inputs_of(choice, 1), single;
  in[3] = in[3] * apart;
  for (Tensor& each : in) {
    single.push_back(each.dtype() == Dtype::f64 ? each.to(Dtype::f32) : each);
    each = single.back().dtype() == Dtype::f32 ? single.back().to(Dtype::f64) : each;
  }
  if (is_refused(choice, in)) return;
  const Attended got = attended(choice, single);
  const Reference want = reference(in[0], in[1], in[2], options_of(choice, in));
  RC_ASSERT(close(got.out.values(), want.out.values(), 3e-6 * (30 + apart)));
  RC_ASSERT(close(got.weights.values(), want.weights.values(), 3e-6 * (30 + apart)));
}

// Where a difference steps over the edge of what is chosen it says nothing: then other numbers have to do.
RC_GTEST_PROP(Combinations, HaveTheGradientsOfFiniteDifferences, ()) {
  const Choice choice = any_choice({2, 2, 2, 4, 6, 4, 3});
  if (is_refused(choice, inputs_of(choice, 1))) return;
  const auto f = [&](const Inputs& in) {
    const Attended y = attended(choice, in);
    const Tensor both = sum(y.out, -1) + sum(square(y.weights), -1);
    return y.log_probability.defined() ? both + y.log_probability + y.entropy : both;
  };
  ::testing::AssertionResult same = ::testing::AssertionFailure();
  for (uint64_t seed = 1; seed < 40 && !same; seed += 13)
    same = heed::testing::gradcheck(f, inputs_of(choice, seed), 2e-6);
  std::string rows;
  for (const Mechanism* row : choice.rows) rows += std::string(row->name) + " ";
  if (!same) RC_FAIL(rows + same.message());
}

// ---- what does not combine --------------------------------------------------------------------------------

constexpr Sizes kSizes{1, 2, 2, 3, 7, 4, 4};
Inputs given() { return {sample({1, 2, 3, 4}), sample({1, 2, 7, 4}), sample({1, 2, 7, 4})}; }

AttendOptions options_of(const Mechanism& row) {
  return row.options(example_tensors(row, kSizes, Dtype::f64, 7), kSizes);
}

// What is said of these options; nothing where they combine.
std::string said_of(const AttendOptions& options) {
  try {
    const Inputs in = given();
    attend(in[0], in[1], in[2], options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
bool names(const std::string& said, const std::string& first, const std::string& second) {
  return said.find("do not combine") != std::string::npos && said.find(first) != std::string::npos &&
         said.find(second) != std::string::npos;
}

using Pairs = std::set<std::pair<std::string, std::string>>;

// Every two rows of the table that fill different slots.
TEST(Refusals, NameBothRows) {
  Pairs refused, wanted;
  for (const Mechanism& first : mechanisms())
    for (const Mechanism& second : mechanisms()) {
      AttendOptions both = options_of(first);
      const AttendOptions other = options_of(second);
      if (&first >= &second || (both.normalizer.room && other.normalizer.room)) continue;
      put(both, other);
      const std::string said = said_of(both);
      if (said.empty()) continue;
      refused.insert({first.name, second.name});
      EXPECT_TRUE(names(said, first.name, second.name)) << first.name << ", " << second.name << ": " << said;
    }
  for (const char* row : {"shaw", "transformer_xl", "local_p"})
    for (const char* normalizer : {"sparsemax", "entmax15", "top_k", "hard", "sampled"})
      wanted.insert({row, normalizer});
  for (const char* normalizer : {"sigmoid", "none", "sparsemax", "entmax15", "top_k", "hard", "sampled", "sink"})
    wanted.insert({"adaptive", normalizer});
  EXPECT_EQ(refused, wanted);
}

TEST(Refusals, NameTheSoftCap) {
  for (const Mechanism& row : mechanisms()) {
    AttendOptions options = options_of(row);
    options.soft_cap = 3;
    const std::string said = said_of(options);
    EXPECT_EQ(!said.empty(), std::string(row.name) == "adaptive") << row.name << ": " << said;
    if (!said.empty()) {
      EXPECT_TRUE(names(said, row.name, "soft cap of 3")) << said;
    }
  }
}

TEST(Refusals, NameTheOtherCentre) {
  const auto& row = mechanism("local_p");
  const LearnedTensors t = example_tensors(row, kSizes, Dtype::f64, 7);
  const Span first = local_p(t.at("w_p"), t.at("v_p"), 3), second = local_p(t.at("w_p"), t.at("v_p"), 7);
  EXPECT_TRUE(names(said_of({.span = first & second}), "local_p(3)", "local_p(7)"));
}

TEST(Refusals, NameTheGuidedLoss) {
  const Tensor alignment = Tensor::full({3, 7}, 1. / 7, Dtype::f64);
  for (const Mechanism& row : mechanisms()) {
    const AttendOptions options = options_of(row);
    const std::string name = row.name;
    const bool refused = options.normalizer.room || name == "local_p" || name == "additive_value";
    const auto call = [&] { guided_loss(given()[0], given()[1], alignment, options); };
    if (refused) {
      EXPECT_TRUE(complains(call, {"guided", name == "additive_value" ? "additive" : name})) << name;
    } else {
      EXPECT_NO_THROW(call()) << row.name;
    }
  }
}

}  // namespace
}  // namespace heed::attention
