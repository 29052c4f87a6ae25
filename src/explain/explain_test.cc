// The measures where their values are known beforehand; those of others are in tests/golden/explain_test.cc.
#include <gtest/gtest.h>
#include <heed/explain.h>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;

// Each query looks at one key.
Tensor looks(const std::vector<int64_t>& at, int64_t keys) { return one_hot(tensor_from(at, {std::ssize(at)}), keys); }
std::string strongest(const Tensor& weights, const std::vector<std::string>& tokens) {
  return head_kinds(weights, tokens).at(0).name;
}

TEST(Heads, AreNamedAfterWhatTheyDo) {
  const std::vector<std::string> tokens = {"a", "b", "a", ".", "b"};
  EXPECT_EQ(strongest(looks({0, 0, 1, 2, 3}, 5), tokens), "previous token");
  EXPECT_EQ(strongest(looks({1, 2, 3, 4, 4}, 5), tokens), "next token");
  EXPECT_EQ(strongest(looks({0, 0, 0, 0, 0}, 5), tokens), "first token");
  EXPECT_EQ(strongest(looks({2, 4, 0, 0, 1}, 5), tokens), "same word");
  EXPECT_EQ(strongest(looks({3, 3, 3, 3, 3}, 5), tokens), "separator");
  EXPECT_EQ(strongest(looks({0, 1, 2, 3, 4}, 5), tokens), "diagonal");
  EXPECT_TRUE(complains([] { head_kinds(zeros({2, 3}), {"a"}); }, {"heads", "1 tokens"}));
}

TEST(Heads, CountPlacesFromTheEnd) {  // two queries behind three keys of a cache
  EXPECT_TRUE(close(head_distance(looks({2, 2}, 4)).values(), std::vector<double>{0.5}, 1e-12));
  EXPECT_NEAR(head_entropy(Tensor::full({2, 4}, 0.25)).item(), std::log(4.0), 1e-6);
}

TEST(Kendall, IsOneOfTheSameAndMinusOneOfTheReverse) {
  EXPECT_NEAR(kendall_tau(tensor({1, 2, 3}), tensor({2, 5, 9})), 1, 1e-12);
  EXPECT_NEAR(kendall_tau(tensor({1, 2, 3}), tensor({9, 5, 2})), -1, 1e-12);
  EXPECT_EQ(kendall_tau(tensor({1, 2, 3}), tensor({4, 4, 4})), 0);
  EXPECT_TRUE(complains([] { kendall_tau(tensor({1, 2}), tensor({1, 2, 3})); }, {"kendall_tau", "(2)", "(3)"}));
}

// A model whose answer is a sum of shares of its words: all is known.
Question additive(const std::vector<float>& shares) {
  const auto count = std::ssize(shares);
  return {"words", count,
          [shares, count](int64_t copies, Watcher& watcher) {
            const Tensor x = watcher.value("words", ones({copies, count, 2}));
            const Tensor w = reshape(tensor_from(shares, {count}), {1, count, 1});
            return unsqueeze(sum(x * w, {1, 2}), 1);
          },
          Question::Scale::number};
}

TEST(Saliency, OfASumIsItsParts) {
  const Question question = additive({0.5f, -1, 2});
  const std::vector<double> parts = {1, -2, 4};
  EXPECT_TRUE(close(gradient_times_input(question).values(), parts, 1e-6));
  EXPECT_TRUE(close(occlusion(question).values(), parts, 1e-6));
  const Integrated integrated = integrated_gradients(question, 3);
  EXPECT_TRUE(close(integrated.scores.values(), parts, 1e-6));
  EXPECT_NEAR(integrated.completeness_error, 0, 1e-6);
  EXPECT_TRUE(close(input_gradients(question).values(),
                    std::vector<double>{std::sqrt(0.5), std::sqrt(2.0), std::sqrt(8.0)}, 1e-6));
  EXPECT_TRUE(complains([&] { integrated_gradients(question, 0); }, {"0 steps"}));
}

TEST(Faithfulness, IsTheAreaBetweenTheCurves) {
  const Faithfulness f = faithfulness(additive({1, 2, 3, 4}), tensor({1, 2, 3, 4}));
  EXPECT_TRUE(close(f.removed, std::vector<double>{20, 12, 6, 2, 0}, 1e-6));
  EXPECT_TRUE(close(f.kept, std::vector<double>{0, 8, 14, 18, 20}, 1e-6));
  EXPECT_NEAR(f.comprehensiveness, 20 - (16 + 9 + 4 + 1) / 4.0, 1e-6);
  EXPECT_NEAR(f.sufficiency, 20 - (4 + 11 + 16 + 19) / 4.0, 1e-6);
  EXPECT_TRUE(complains([] { faithfulness(additive({1, 2}), tensor({1, 2, 3})); }, {"faithfulness", "(3)", "2 words"}));
}

TEST(Joined, TokensMakeWordsInEachWayOfMarkingThem) {
  using Groups = std::vector<std::vector<int64_t>>;
  EXPECT_EQ(joined_tokens({"▁un", "break", "▁it", "</s>"}), (Groups{{0, 1}, {2}, {3}}));
  EXPECT_EQ(joined_tokens({"<s>", "un", "break", "Ġit"}), (Groups{{0}, {1, 2}, {3}}));
  EXPECT_EQ(joined_tokens({"un", "##break", "it"}), (Groups{{0, 1}, {2}}));
  EXPECT_EQ(joined_tokens({"a", "b"}), (Groups{{0}, {1}}));
  const Tensor joined = joined_weights(tensor({{0.25, 0.5, 0.25}, {0.5, 0.25, 0.25}}), {{0, 1}}, {{0, 1}, {2}});
  EXPECT_TRUE(close(joined.values(), std::vector<double>{0.75, 0.25}, 1e-6));
}

TEST(Questions, RefuseWhatMakesNoSense) {
  const auto lm = make_model("decoder-lm", {{"target_words", "9"}, {"width", "16"}});
  const auto classifier = make_classifier("attention-classifier", {{"words", "9"}, {"classes", "3"}, {"width", "16"}});
  EXPECT_TRUE(complains([&] { ask(*lm, {1, 2}, {1, 2}); }, {"decoder-lm", "no source"}));
  EXPECT_TRUE(complains([&] { ask(*lm, {1, 2}, 2); }, {"2 tokens", "token 2"}));
  EXPECT_TRUE(complains([&] { input_gradients(ask(*classifier, {1, 2}, 3)); }, {"label 3", "3"}));
}

}  // namespace
}  // namespace heed
