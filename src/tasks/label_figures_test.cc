#include "tasks/label_figures.h"

#include "support/close.h"

namespace heed {
namespace {

Labels labels_of(LabelKind kind, const std::vector<std::string>& texts) {
  return Labels::of(kind, ',', texts, std::vector<int64_t>(texts.size(), 1), "data.tsv");
}

double value(const std::vector<ResampledFigure>& figures, const std::string& name) {
  for (const ResampledFigure& each : figures)
    if (each.figure.name == name) return each.figure.value;
  ADD_FAILURE() << "no figure " << name;
  return -1;
}

// Six texts, worked by hand: a a a b b b, of which a a b and b b a are said.
const std::vector<Answer> kSaid = {{{}, {0.9, 0.1}}, {{}, {0.8, 0.2}}, {{}, {0.4, 0.6}},
                                   {{}, {0.2, 0.8}}, {{}, {0.3, 0.7}}, {{}, {0.7, 0.3}}};
const std::vector<float> kTruth = {0, 0, 0, 1, 1, 1};

TEST(LabelFigures, SingleLabels) {
  const Labels labels = labels_of(LabelKind::single, {"a", "b"});
  const Tensor targets = tensor_from(kTruth, {6, 1});
  const auto figures = label_figures(labels, kSaid, targets);
  EXPECT_NEAR(value(figures, "accuracy"), 400.0 / 6, 1e-9);
  EXPECT_NEAR(value(figures, "F1"), 200.0 / 3, 1e-9);
  EXPECT_NEAR(value(figures, "AUC"), 800.0 / 9, 1e-9);  // one of nine pairs is the wrong way round
  // 4 of 6 are right; confidences .9 .8 .6 .8 .7 .7 lie in bins of 1/15 with the accuracies 1, 1, 0, 1/2.
  EXPECT_NEAR(value(figures, "calibration error"), 100 * (0.1 + 0.4 + 0.6 + 0.4) / 6, 1e-9);
  for (const auto& [figure, resamples] : figures) {
    EXPECT_EQ(resamples.size(), 1000u);
    EXPECT_LT(figure.low, figure.high) << figure.name;
  }
  const std::string drawing = confusion_drawing(labels, kSaid, targets);
  EXPECT_NE(drawing.find("a         2         1\n"), drawing.npos) << drawing;
  EXPECT_NE(drawing.find("b         1         2\n"), drawing.npos) << drawing;
}

TEST(LabelFigures, SeveralLabels) {
  const Labels labels = labels_of(LabelKind::multi, {"a", "b"});
  const std::vector<Answer> said = {{{}, {0.9, 0.8}}, {{}, {0.6, 0.4}}, {{}, {0.1, 0.9}}};
  const Tensor targets = tensor_from<float>({1, 1, 0, 0, 0, 1}, {3, 2});
  const auto figures = label_figures(labels, said, targets);
  EXPECT_NEAR(value(figures, "exact match"), 200.0 / 3, 1e-9);
  EXPECT_NEAR(value(figures, "F1, micro"), 600.0 / 7, 1e-9);
  EXPECT_NEAR(value(figures, "F1, macro"), 500.0 / 6, 1e-9);
  EXPECT_EQ(confusion_drawing(labels, said, targets), "");
}

TEST(LabelFigures, Numbers) {
  const Labels labels = labels_of(LabelKind::regression, {"0", "10"});
  const auto figures = label_figures(labels, {{{}, {1}}, {{}, {8}}}, tensor_from<float>({-1, 1}, {2, 1}));
  EXPECT_NEAR(value(figures, "mean absolute error"), 1.5, 1e-9);
  EXPECT_NEAR(value(figures, "root mean square"), std::sqrt(2.5), 1e-9);
  EXPECT_NEAR(value(figures, "R²"), 0.9, 1e-9);
  EXPECT_NEAR(value(figures, "correlation"), 1, 1e-9);
}

}  // namespace
}  // namespace heed
