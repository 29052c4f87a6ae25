#include "generate/rules.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "support/close.h"

namespace heed::rules {
namespace {

using testing::close;
using Floats = std::vector<float>;
using Ids = std::vector<int32_t>;
constexpr float kNever = -INFINITY;

Floats logits_of(Floats probabilities) {
  for (float& p : probabilities) p = std::log(p) + 3;
  return probabilities;
}

// Which may be said.
Ids left(const Floats& logits) {
  Ids ids;
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] > kNever) ids.push_back(static_cast<int32_t>(i));
  return ids;
}

TEST(RepetitionPenalty, OnceForEachThatWasSaid) {
  Floats x = {2, -2, 3, 0, 4};
  repetition_penalty(x, Ids{0, 1, 1, 0, 3}, 2);
  EXPECT_EQ(x, (Floats{1, -4, 3, 0, 4}));
}

TEST(Temperature, Divides) {
  Floats x = {2, -3, 0};
  temperature(x, 0.5);
  EXPECT_EQ(x, (Floats{4, -6, 0}));
}

TEST(KeepOnly, TheOthersAreRuledOut) {
  Floats x = {1, 2, 3, 4};
  keep_only(x, Ids{3, 1});
  EXPECT_EQ(x, (Floats{kNever, 2, kNever, 4}));
}

TEST(NoRepeat, NoSequenceTwice) {
  const auto after = [](const Ids& said, int64_t n) {
    Floats x(6, 0);
    no_repeat(x, said, n);
    return left(x);
  };
  EXPECT_EQ(after({1, 2, 3, 1}, 2), (Ids{0, 1, 3, 4, 5}));
  EXPECT_EQ(after({1, 2, 3, 1, 4, 1}, 2), (Ids{0, 1, 3, 5}));
  EXPECT_EQ(after({1, 2, 3, 1, 2}, 3), (Ids{0, 1, 2, 4, 5}));
  EXPECT_EQ(after({1, 2, 3, 1}, 3).size(), 6u);
  EXPECT_EQ(after({1, 2, 2, 4}, 1), (Ids{0, 3, 5}));
  EXPECT_EQ(after({}, 2).size(), 6u);
  EXPECT_EQ(after({4, 4}, 2), (Ids{0, 1, 2, 3, 5}));
}

// Whatever is said under the rule has each sequence of n tokens once.
TEST(NoRepeat, HoldsOfAllThatIsSaid) {
  EXPECT_TRUE(rc::check("no sequence twice", [] {
    const auto n = *rc::gen::inRange<int64_t>(1, 4);
    Ids said;
    for (int step = 0; step < 30; ++step) {
      Floats x(3, 0);
      no_repeat(x, said, n);
      const Ids choice = left(x);
      if (choice.empty()) break;
      said.push_back(*rc::gen::elementOf(choice));
    }
    for (auto i = said.begin(); i + n <= said.end(); ++i)
      RC_ASSERT(std::search(i + 1, said.end(), i, i + n) == said.end());
  }));
}

TEST(TopK, TheLargest) {
  Floats x = {1, 5, 3, 5, kNever};
  top_k(x, 3);
  EXPECT_EQ(x, (Floats{kNever, 5, 3, 5, kNever}));
  top_k(x, 1);
  EXPECT_EQ(left(x), Ids{1});
  top_k(x, 10);
  EXPECT_EQ(left(x), Ids{1});
}

TEST(TopP, TheFewestWithThatProbability) {
  const auto of = [](double p) {
    Floats x = logits_of({0.1f, 0.5f, 0.25f, 0.15f});
    top_p(x, p);
    return left(x);
  };
  EXPECT_EQ(of(0.3), Ids{1});
  EXPECT_EQ(of(0.6), (Ids{1, 2}));
  EXPECT_EQ(of(0.8), (Ids{1, 2, 3}));
  EXPECT_EQ(of(0.95), (Ids{0, 1, 2, 3}));
}

TEST(TopP, OfWhatMayBeSaid) {
  Floats x = logits_of({0.1f, 0.5f, 0.25f, 0.15f});
  x[1] = kNever;
  top_p(x, 0.45);
  EXPECT_EQ(left(x), Ids{2});
}

TEST(TopP, OfLongFlatRows) {
  Floats x(5000, 1);
  x[4999] = 2;
  top_p(x, 0.5);
  EXPECT_NEAR(static_cast<double>(left(x).size()), 2500, 3);
  EXPECT_EQ(left(x).back(), 4999);
}

// Against putting all of them in order.
TEST(TopP, IsTheHeadOfTheOrder) {
  EXPECT_TRUE(rc::check("the fewest of the most probable", [] {
    const auto p = *rc::gen::inRange(1, 100) * 0.01;
    auto x = *rc::gen::nonEmpty(rc::gen::container<Floats>(
        rc::gen::map(rc::gen::inRange(-80, 80), [](int v) { return 0.1f * static_cast<float>(v); })));
    double all = 0, sum = 0;
    for (const float each : x) all += std::exp(static_cast<double>(each));
    Ids want(x.size());
    std::iota(want.begin(), want.end(), 0);
    std::stable_sort(want.begin(), want.end(), [&](int32_t a, int32_t b) { return x[a] > x[b]; });
    size_t count = 0;
    while (count < want.size() && sum < p - 1e-6) sum += std::exp(static_cast<double>(x[want[count++]])) / all;
    RC_PRE(std::abs(sum - p) > 2e-6);
    want.resize(count);
    std::sort(want.begin(), want.end());
    top_p(x, p);
    RC_ASSERT(left(x) == want);
  }));
}

TEST(MinP, AShareOfTheMostProbable) {
  const auto of = [](double p) {
    Floats x = logits_of({0.1f, 0.5f, 0.25f, 0.15f});
    min_p(x, p);
    return left(x);
  };
  EXPECT_EQ(of(0.9), Ids{1});
  EXPECT_EQ(of(0.45), (Ids{1, 2}));
  EXPECT_EQ(of(0.25), (Ids{1, 2, 3}));
  EXPECT_EQ(of(0.1), (Ids{0, 1, 2, 3}));
}

}  // namespace
}  // namespace heed::rules
