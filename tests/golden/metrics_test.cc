// Are heed's figures sacreBLEU's and scikit-learn's? make_metrics.py says what the file holds.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/close.h"
#include "train/metrics/metrics.h"

namespace heed::metrics {
namespace {

using nlohmann::json;
using testing::close;

constexpr double kExact = 1e-12;

const json& golden() {
  static const json all = json::parse(std::ifstream(HEED_GOLDEN "/metrics.json"));
  return all;
}
const json& texts() { return golden()["texts"]; }

// ---- texts -------------------------------------------------------------------------------------------------

Bleu bleu_of(const json& o) {
  const std::map<std::string, Smoothing> smoothings = {{"none", Smoothing::none},
                                                       {"floor", Smoothing::floor},
                                                       {"add-k", Smoothing::add_k},
                                                       {"exp", Smoothing::exponential}};
  BleuOptions options{.tokens = bleu_tokens(o.at("tokenize").get<std::string>()),
                      .smoothing = smoothings.at(o.value("smooth_method", "exp")),
                      .effective_order = o.value("effective_order", false),
                      .lowercase = o.value("lowercase", false)};
  if (o.contains("smooth_value")) options.smoothing_value = o["smooth_value"].get<double>();
  return Bleu(options);
}
Chrf chrf_of(const json& o) {
  return Chrf({.characters = o.value("char_order", size_t{6}),
               .words = o.value("word_order", size_t{0}),
               .beta = o.value("beta", 2.0),
               .lowercase = o.value("lowercase", false),
               .whitespace = o.value("whitespace", false),
               .epsilon = o.value("eps_smoothing", false)});
}
Ter ter_of(const json& o) {
  return Ter({.normalized = o.value("normalized", false),
              .no_punctuation = o.value("no_punct", false),
              .asian = o.value("asian_support", false),
              .case_sensitive = o.value("case_sensitive", false)});
}
// Calls body(metric) with the metric that the options describe.
template <class Body>
auto with_metric(const json& options, const Body& body) {
  const std::string name = options.at("metric");
  return name == "bleu" ? body(bleu_of(options)) : name == "chrf" ? body(chrf_of(options)) : body(ter_of(options));
}

std::vector<References> references_of(const json& system) {
  const auto streams = texts()["corpora"][system["corpus"].get<std::string>()].get<std::vector<References>>();
  const auto count = system["references"].get<size_t>();
  std::vector<References> all(streams[0].size());
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t stream = 0; stream < count; ++stream)
      if (!system["missing"].get<bool>() || stream + 1 < count || i % 3 != 0) all[i].push_back(streams[stream][i]);
  return all;
}

class Systems : public ::testing::TestWithParam<size_t> {
 protected:
  const json& system() const { return texts()["systems"][GetParam()]; }
  std::vector<std::string> hypotheses() const { return system()["texts"].get<std::vector<std::string>>(); }
};

TEST_P(Systems, ScoreAndSignatureOfTheCorpus) {
  const auto references = references_of(system());
  ASSERT_EQ(texts()["corpus_options"].size(), 21u);
  for (size_t i = 0; i < texts()["corpus_options"].size(); ++i) {
    const json& options = texts()["corpus_options"][i];
    with_metric(options, [&](const auto& metric) {
      const auto segments = segment_statistics(metric, hypotheses(), references);
      const double want = system()["scores"][i][0];
      EXPECT_NEAR(metric.score(total(segments)), want, kExact * 100) << options;
      EXPECT_EQ(metric.signature(references), system()["scores"][i][1]) << options;
    });
  }
}

TEST_P(Systems, ScoreOfEachSegment) {
  const auto references = references_of(system());
  ASSERT_EQ(texts()["segment_options"].size(), system()["segments"].size());
  for (size_t i = 0; i < texts()["segment_options"].size(); ++i) {
    const json& options = texts()["segment_options"][i];
    with_metric(options, [&](const auto& metric) {
      std::vector<double> got;
      for (const auto& stats : segment_statistics(metric, hypotheses(), references)) got.push_back(metric.score(stats));
      EXPECT_TRUE(close(got, system()["segments"][i].get<std::vector<double>>(), kExact)) << options;
    });
  }
}

INSTANTIATE_TEST_SUITE_P(All, Systems, ::testing::Range<size_t>(0, 20));

TEST(Bootstrap, TwoSystemsAsSacreBleuComparesThem) {
  const BootstrapOptions how{texts()["resamples"], texts()["seed"]};
  ASSERT_EQ(texts()["compared"].size(), 12u);
  for (const json& want : texts()["compared"]) {
    const json &first = texts()["systems"][want["first"].get<size_t>()],
               &second = texts()["systems"][want["second"].get<size_t>()];
    with_metric(want["options"], [&](const auto& metric) {
      const auto references = references_of(first);
      const auto segments = [&](const json& system) {
        return segment_statistics(metric, system["texts"].template get<std::vector<std::string>>(), references);
      };
      const auto a = segments(first), b = segments(second);
      const auto a_scores = resampled(a, score_of(metric), how), b_scores = resampled(b, score_of(metric), how);
      const Paired got = paired(a_scores, b_scores, metric.score(total(b)) - metric.score(total(a)));
      EXPECT_NEAR(got.p_value, want["p_value"].template get<double>(), kExact) << want;
      EXPECT_NEAR(got.second_ahead, want["second_ahead"].template get<double>(), kExact) << want;
      EXPECT_NEAR(interval(b_scores).mean, want["mean"].template get<double>(), 100 * kExact) << want;
      EXPECT_NEAR(interval(b_scores).half(), want["half"].template get<double>(), 100 * kExact) << want;
    });
  }
}

// ---- labels and numbers ------------------------------------------------------------------------------------

std::vector<double> flat(const std::vector<Decisions>& classes) {
  std::vector<double> all;
  for (const Decisions& each : classes) all.insert(all.end(), {each.precision(), each.recall(), each.f1()});
  return all;
}
std::vector<double> flat(const Average& average) { return {average.precision, average.recall, average.f1}; }
std::vector<double> in_order(const json& rows) {
  std::vector<double> all;
  for (const json& row : rows)
    for (const json& value : row) all.push_back(value);
  return all;
}

TEST(Labels, AsScikitLearnCountsThem) {
  const json& want = golden()["labels"];
  Confusion confusion(5);
  for (size_t i = 0; i < want["truth"].size(); ++i) confusion += Decision{want["truth"][i], want["predicted"][i]};
  std::vector<int64_t> counts;
  for (int64_t t = 0; t < 5; ++t)
    for (int64_t p = 0; p < 5; ++p) counts.push_back(confusion.count(t, p));
  EXPECT_EQ(counts, want["confusion"].get<std::vector<int64_t>>());
  EXPECT_NEAR(confusion.accuracy(), want["accuracy"].get<double>(), kExact);
  EXPECT_TRUE(close(flat(confusion.per_class()), in_order(want["per_class"]), kExact));
  EXPECT_TRUE(close(flat(macro(confusion.per_class())), want["macro"].get<std::vector<double>>(), kExact));
  EXPECT_TRUE(close(flat(micro(confusion.per_class())), want["micro"].get<std::vector<double>>(), kExact));
}

TEST(Labels, RankedAsScikitLearnRanksThem) {
  const json& want = golden()["labels"];
  const auto truth = want["truth"].get<std::vector<int64_t>>();
  const auto areas = auc_one_vs_rest(want["probabilities"].get<std::vector<double>>(), truth);
  ASSERT_EQ(areas.size(), 5u);
  EXPECT_FALSE(areas[4].has_value());
  std::vector<double> got;
  for (size_t i = 0; i < 4; ++i) got.push_back(areas[i].value());
  EXPECT_TRUE(close(got, want["auc"].get<std::vector<double>>(), kExact));
}

TEST(Labels, Calibrated) {
  const json& want = golden()["labels"];
  const auto truth = want["truth"].get<std::vector<int64_t>>(),
             predicted = want["predicted"].get<std::vector<int64_t>>();
  const auto probabilities = want["probabilities"].get<std::vector<double>>();
  std::vector<double> confidence, first;
  std::vector<bool> right, is_first;
  for (size_t i = 0; i < truth.size(); ++i) {
    confidence.push_back(probabilities[i * 5 + static_cast<size_t>(predicted[i])]),
        first.push_back(probabilities[i * 5]);
    right.push_back(truth[i] == predicted[i]), is_first.push_back(truth[i] == 0);
  }
  for (const auto& [bins, error] : want["ece"].items())
    EXPECT_NEAR(expected_calibration_error(calibration(confidence, right, std::stoi(bins))), error.get<double>(),
                kExact);
  EXPECT_NEAR(brier(probabilities, truth), want["brier"].get<double>(), kExact);
  EXPECT_NEAR(brier(first, is_first), want["binary_brier"].get<double>(), kExact);
}

TEST(Labels, SeveralToAText) {
  const json& want = golden()["many_labels"];
  MultiLabel got(4);
  for (size_t i = 0; i < want["truth"].size(); ++i) got.add(want["truth"][i], want["predicted"][i]);
  EXPECT_NEAR(got.exact_match(), want["exact"].get<double>(), kExact);
  EXPECT_NEAR(got.hamming_loss(), want["hamming"].get<double>(), kExact);
  EXPECT_TRUE(close(flat(macro(got.per_label())), want["macro"].get<std::vector<double>>(), kExact));
  EXPECT_TRUE(close(flat(micro(got.per_label())), want["micro"].get<std::vector<double>>(), kExact));
}

TEST(Numbers, AsScikitLearnAndSciPyCompareThem) {
  const json& want = golden()["numbers"];
  const Regression got =
      regression(want["predicted"].get<std::vector<double>>(), want["truth"].get<std::vector<double>>());
  EXPECT_NEAR(got.mse, want["mse"].get<double>(), kExact);
  EXPECT_NEAR(got.mae, want["mae"].get<double>(), kExact);
  EXPECT_NEAR(got.r2.value(), want["r2"].get<double>(), 1e-11);
  EXPECT_NEAR(got.pearson.value(), want["pearson"].get<double>(), 1e-11);
}

}  // namespace
}  // namespace heed::metrics
