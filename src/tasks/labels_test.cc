#include "tasks/labels.h"

#include "support/close.h"
#include "support/files.h"

namespace heed {
namespace {

using testing::close;
using testing::refused;

using Texts = std::vector<std::string>;

Labels labels_of(LabelKind kind, const Texts& texts, char separator = ',') {
  std::vector<int64_t> lines;
  for (size_t n = 0; n < texts.size(); ++n) lines.push_back(static_cast<int64_t>(n) + 1);
  return Labels::of(kind, separator, texts, lines, "data.tsv");
}

TEST(Labels, SingleOnesAreNumberedByName) {
  const Labels labels = labels_of(LabelKind::single, {"positive", "negative", " positive ", "a, b"});
  EXPECT_EQ(labels.names(), (Texts{"a, b", "negative", "positive"}));
  EXPECT_EQ(labels.target("positive ", 1, ""), std::vector<float>{2});
  EXPECT_EQ(labels.outputs(), 3);
}

TEST(Labels, SeveralStandBetweenSeparators) {
  const Labels labels = labels_of(LabelKind::multi, {"a, b", "", "c,a,,a"});
  EXPECT_EQ(labels.names(), (Texts{"a", "b", "c"}));
  EXPECT_EQ(labels.target("c,a", 1, ""), (std::vector<float>{1, 0, 1}));
  EXPECT_EQ(labels.target("", 1, ""), (std::vector<float>{0, 0, 0}));
}

TEST(Labels, NumbersAreLearnedWithMeanZeroAndDeviationOne) {
  const Labels labels = labels_of(LabelKind::regression, {"10", "30"});
  EXPECT_EQ(labels.target("30", 1, ""), std::vector<float>{1});
  EXPECT_EQ(labels.target("10", 1, ""), std::vector<float>{-1});
  EXPECT_EQ(labels.answers(tensor_from<float>({0.5}, {1, 1})).at(0).values, std::vector<double>{25});
}

TEST(Labels, AnswersAreTheMostLikelyOrAllThatAreLikely) {
  const Tensor logits = tensor_from<float>({0, 2, 1, -1, -3, -2}, {2, 3});
  const auto single = labels_of(LabelKind::single, {"a", "b", "c"}).answers(logits);
  EXPECT_EQ(single[0].labels, Texts{"b"});
  EXPECT_EQ(single[1].labels, Texts{"a"});
  EXPECT_NEAR(single[0].values[1], std::exp(2) / (1 + std::exp(2) + std::exp(1)), 1e-6);
  const auto multi = labels_of(LabelKind::multi, {"a", "b", "c"}).answers(logits);
  EXPECT_EQ(multi[0].labels, (Texts{"b", "c"}));
  EXPECT_EQ(multi[1].labels, Texts{});
  EXPECT_NEAR(multi[0].values[1], 1 / (1 + std::exp(-2)), 1e-6);
}

TEST(Labels, LossesAreSumsOverTheTexts) {
  const Tensor logits = tensor_from<float>({0.5, -0.25, 1, 2}, {2, 2});
  const auto log_sum = [](double a, double b) { return std::log(std::exp(a) + std::exp(b)); };
  const double first = log_sum(0.5, -0.25) - 0.5, second = log_sum(1, 2) - 2;
  const Labels single = labels_of(LabelKind::single, {"a", "b"}), multi = labels_of(LabelKind::multi, {"a", "b"}),
               number = labels_of(LabelKind::regression, {"0", "2"});
  const Tensor targets = tensor_from<float>({0, 1}, {2, 1});
  EXPECT_NEAR(single.loss(logits, targets, {}).item(), first + second, 1e-5);
  EXPECT_NEAR(single.loss(logits, targets, {.class_weights = tensor_from<float>({1, 3}, {2})}).item(),
              first + 3 * second, 1e-5);
  const double smooth = 0.9 * first + 0.1 * (log_sum(0.5, -0.25) - 0.125) + 0.9 * second + 0.1 * (log_sum(1, 2) - 1.5);
  EXPECT_NEAR(single.loss(logits, targets, {.smoothing = 0.1}).item(), smooth, 1e-5);
  const auto binary = [](double x, double t) { return std::log1p(std::exp(x)) - t * x; };
  EXPECT_NEAR(multi.loss(logits, tensor_from<float>({1, 0, 0, 1}, {2, 2}), {.smoothing = 0.2}).item(),
              (binary(0.5, 0.9) + binary(-0.25, 0.1) + binary(1, 0.1) + binary(2, 0.9)) / 2, 1e-5);
  EXPECT_NEAR(number.loss(tensor_from<float>({0.5, -1}, {2, 1}), targets, {}).item(), 0.25 + 4, 1e-5);
}

TEST(Labels, AreMadeAgainFromTheirFields) {
  for (const LabelKind kind : {LabelKind::single, LabelKind::multi, LabelKind::regression}) {
    const Labels labels = labels_of(kind, {"10", "2", "35"});
    const Labels again = Labels::from_fields(labels.fields(), "config.json");
    EXPECT_EQ(again.kind(), kind);
    EXPECT_EQ(again.fields(), labels.fields());
    EXPECT_EQ(again.target("35", 1, ""), labels.target("35", 1, ""));
  }
}

TEST(Labels, KeepTheirSeparator) {
  const Labels labels = labels_of(LabelKind::multi, {"a|b", "c,d"}, '|');
  EXPECT_EQ(Labels::from_fields(labels.fields(), "").target("b|c,d", 1, ""), (std::vector<float>{0, 1, 1}));
  EXPECT_EQ(labels.text_of(tensor_from<float>({1, 0, 1}, {3})), "a|c,d");
}

TEST(Labels, MeasuresAreThoseOfTheTask) {
  const Labels single = labels_of(LabelKind::single, {"a", "b"}), multi = labels_of(LabelKind::multi, {"a", "b"}),
               number = labels_of(LabelKind::regression, {"0", "10"});
  const auto value = [](const std::vector<Measure>& all, const std::string& name) {
    for (const Measure& each : all)
      if (each.name == name) return each.value;
    return -1.0;
  };
  const auto of_single = single.measures({{{}, {0.9, 0.1}}, {{}, {0.6, 0.4}}}, tensor_from<float>({0, 1}, {2, 1}));
  EXPECT_EQ(value(of_single, "accuracy"), 50);
  EXPECT_NEAR(value(of_single, "f1"), 100.0 / 3, 1e-9);
  const auto of_multi = multi.measures({{{}, {0.9, 0.8}}, {{}, {0.6, 0.4}}}, tensor_from<float>({1, 1, 0, 0}, {2, 2}));
  EXPECT_EQ(value(of_multi, "exact"), 50);
  EXPECT_NEAR(value(of_multi, "f1"), 80, 1e-9);
  const auto of_numbers = number.measures({{{}, {1}}, {{}, {8}}}, tensor_from<float>({-1, 1}, {2, 1}));
  EXPECT_NEAR(value(of_numbers, "mae"), 1.5, 1e-9);
  EXPECT_NEAR(value(of_numbers, "r2"), 1 - 5.0 / 50, 1e-9);
}

TEST(Labels, ClassWeightsAreBalancedOrNamed) {
  const Labels labels = labels_of(LabelKind::single, {"a", "b"});
  EXPECT_FALSE(class_weights("", labels, {}).defined());
  EXPECT_TRUE(close(class_weights("balanced", labels, {0, 0, 0, 1}).values(), std::vector<double>{2.0 / 3, 2}, 1e-6));
  EXPECT_TRUE(close(class_weights("b=2.5", labels, {0, 1}).values(), std::vector<double>{1, 2.5}, 1e-6));
  const auto wants = [&](const char* text, const char* part) {
    return refused(ErrorKind::usage, {part}, [&] { class_weights(text, labels, {0, 1}); });
  };
  EXPECT_TRUE(wants("c=2", "c=2"));
  EXPECT_TRUE(wants("a", "LABEL=WEIGHT"));
  EXPECT_TRUE(wants("a=x", "number"));
  EXPECT_TRUE(wants("a=-1", "less than 0"));
  EXPECT_TRUE(refused(ErrorKind::usage, {"single"}, [] {
    class_weights("balanced", labels_of(LabelKind::multi, {"a", "b"}), {});
  }));
}

TEST(Labels, WhatIsNoneIsRefusedWithItsLine) {
  const auto made = [](LabelKind kind, const Texts& texts) { return [=] { labels_of(kind, texts); }; };
  EXPECT_TRUE(refused(ErrorKind::data, {"data.tsv:2", "'good'", "number"}, made(LabelKind::regression, {"1", "good"})));
  EXPECT_TRUE(refused(ErrorKind::data, {"data.tsv:1", "'1e999'"}, made(LabelKind::regression, {"1e999"})));
  EXPECT_TRUE(refused(ErrorKind::data, {"data.tsv", "1 different labels"}, made(LabelKind::single, {"a", "a"})));
  Texts all_different;
  for (int n = 0; n < 200; ++n) all_different.push_back("text " + std::to_string(n));
  EXPECT_TRUE(refused(ErrorKind::data, {"200 different labels", "--columns"}, made(LabelKind::single, all_different)));
  const Labels labels = labels_of(LabelKind::single, {"a", "b"});
  EXPECT_TRUE(refused(ErrorKind::data, {"dev.tsv:7", "'c'"}, [&] { labels.target("c", 7, "dev.tsv"); }));
}

TEST(Labels, ATamperedConfigurationIsRefused) {
  const auto read = [](const std::map<std::string, std::string>& fields) {
    return [fields] { Labels::from_fields(fields, "config.json"); };
  };
  const std::string single = "single_label_classification";
  EXPECT_TRUE(refused(ErrorKind::format, {"config.json", "problem_type"}, read({})));
  EXPECT_TRUE(refused(ErrorKind::format, {"'what'"}, read({{"problem_type", "what"}})));
  EXPECT_TRUE(refused(ErrorKind::format, {"id2label"}, read({{"problem_type", single}})));
  for (const char* bad :
       {"[]", "{", "{}", R"({"0":"a"})", R"({"0":"a","2":"b"})", R"({"0":"a","1":1})", R"({"0":"a","1":"a"})"})
    EXPECT_TRUE(refused(ErrorKind::format, {"id2label"}, read({{"problem_type", single}, {"id2label", bad}}))) << bad;
}

}  // namespace
}  // namespace heed
