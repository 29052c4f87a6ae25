#include "tasks/label_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tensor/unicode.h"
#include "train/metrics/metrics.h"

namespace heed {
namespace {

using metrics::Confusion;
using metrics::Decision;
using metrics::Decisions;

constexpr size_t kDrawn = 20;                    // labels of a drawing
constexpr int kNameWidth = 16, kCountWidth = 8;  // columns

// The figure of all texts and of their resamples. Sum: what texts are added to.
template <class Segment, class Score, class Sum = Segment>
ResampledFigure figure_of(const std::string& name, const std::string& unit, const std::vector<Segment>& texts,
                          const Score& score, const Sum& none = Sum{}) {
  Sum all = none;
  for (const Segment& text : texts) all += text;
  std::vector<double> resamples = metrics::resampled(texts, score, {}, none);
  const metrics::Interval about = metrics::interval(resamples);
  return {{name, "", score(all), about.low, about.high, unit}, std::move(resamples)};
}

// Texts by their numbers, for figures that do not add up.
struct Drawn {
  std::vector<size_t> texts = {};
  Drawn& operator+=(size_t text) {
    texts.push_back(text);
    return *this;
  }
};
std::vector<size_t> numbers(size_t count) {
  std::vector<size_t> all(count);
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

std::vector<Decision> decisions_of(const std::vector<Answer>& answers, const Tensor& targets) {
  const std::vector<double> truth = targets.values();
  std::vector<Decision> all;
  for (size_t n = 0; n < answers.size(); ++n)
    all.push_back({static_cast<int64_t>(truth[n]), static_cast<int64_t>(most_likely(answers[n]))});
  return all;
}

// The mean over the labels, each against all others.
double auc(const Drawn& drawn, const std::vector<Answer>& answers, const std::vector<Decision>& decisions) {
  std::vector<double> probabilities;
  std::vector<int64_t> truth;
  for (const size_t n : drawn.texts) {
    probabilities.insert(probabilities.end(), answers[n].values.begin(), answers[n].values.end());
    truth.push_back(decisions[n].truth);
  }
  return 100 * metrics::mean_of(metrics::auc_one_vs_rest(probabilities, truth)).value_or(0.5);
}

double calibration_error(const Drawn& drawn, const std::vector<Answer>& answers,
                         const std::vector<Decision>& decisions) {
  std::vector<double> confidence;
  std::vector<bool> right;
  for (const size_t n : drawn.texts) {
    confidence.push_back(answers[n].values[static_cast<size_t>(decisions[n].predicted)]);
    right.push_back(decisions[n].truth == decisions[n].predicted);
  }
  return 100 * metrics::expected_calibration_error(metrics::calibration(confidence, right));
}

std::vector<ResampledFigure> single_figures(const std::vector<Answer>& answers, const Tensor& targets) {
  const std::vector<Decision> texts = decisions_of(answers, targets);
  const std::vector<size_t> all = numbers(texts.size());
  const Confusion none(static_cast<int64_t>(answers.at(0).values.size()));
  const auto macro = [&](const char* name, double metrics::Average::*part) {
    const auto score = [part](const Confusion& c) { return 100 * (metrics::macro(c.per_class()).*part); };
    return figure_of(name, "%", texts, score, none);
  };
  return {figure_of(
              "accuracy", "%", texts, [](const Confusion& c) { return 100 * c.accuracy(); }, none),
          macro("precision", &metrics::Average::precision),
          macro("recall", &metrics::Average::recall),
          macro("F1", &metrics::Average::f1),
          figure_of(
              "AUC", "%", all, [&](const Drawn& d) { return auc(d, answers, texts); }, Drawn{}),
          figure_of(
              "calibration error", "%", all, [&](const Drawn& d) { return calibration_error(d, answers, texts); },
              Drawn{})};
}

// The decisions on one text, a label each.
struct Marks {
  std::vector<Decisions> labels = {};
  int64_t texts = 0, exact = 0;
  Marks& operator+=(const Marks& other) {
    labels.resize(std::max(labels.size(), other.labels.size()));
    for (size_t n = 0; n < other.labels.size(); ++n) labels[n] += other.labels[n];
    texts += other.texts, exact += other.exact;
    return *this;
  }
};
Marks marks_of(const Answer& answer, const std::vector<double>& truth) {
  Marks marks{{}, 1, 1};
  for (size_t n = 0; n < truth.size(); ++n) {
    const bool said = answer.values[n] > 0.5, there = truth[n] > 0.5;
    marks.labels.push_back({said && there, said && !there, !said && there});
    marks.exact &= said == there;
  }
  return marks;
}
std::vector<ResampledFigure> multi_figures(const std::vector<Answer>& answers, const Tensor& targets) {
  std::vector<Marks> texts;
  for (size_t n = 0; n < answers.size(); ++n)
    texts.push_back(marks_of(answers[n], targets[static_cast<int64_t>(n)].values()));
  const auto exact = [](const Marks& m) { return 100 * static_cast<double>(m.exact) / static_cast<double>(m.texts); };
  return {figure_of("exact match", "%", texts, exact),
          figure_of("F1, micro", "%", texts, [](const Marks& m) { return 100 * metrics::micro(m.labels).f1; }),
          figure_of("F1, macro", "%", texts, [](const Marks& m) { return 100 * metrics::macro(m.labels).f1; })};
}

std::vector<ResampledFigure> regression_figures(const std::vector<Answer>& answers, const std::vector<double>& truth) {
  const auto of = [&](const Drawn& drawn) {
    std::vector<double> said, wanted;
    for (const size_t n : drawn.texts) said.push_back(answers[n].values.at(0)), wanted.push_back(truth[n]);
    return metrics::regression(said, wanted);
  };
  const std::vector<size_t> all = numbers(answers.size());
  return {figure_of(
              "mean absolute error", "", all, [&](const Drawn& d) { return of(d).mae; }, Drawn{}),
          figure_of(
              "root mean square", "", all, [&](const Drawn& d) { return std::sqrt(of(d).mse); }, Drawn{}),
          figure_of(
              "R²", "", all, [&](const Drawn& d) { return of(d).r2.value_or(0); }, Drawn{}),
          figure_of(
              "correlation", "", all, [&](const Drawn& d) { return of(d).pearson.value_or(0); }, Drawn{})};
}

std::string aligned_right(const std::string& text, int width) {
  const std::string fitted = shortened(printable(text), width);
  return std::string(static_cast<size_t>(std::max(0, width - columns(fitted))), ' ') + fitted;
}

}  // namespace

std::vector<ResampledFigure> label_figures(const Labels& labels, const std::vector<Answer>& answers,
                                           const Tensor& targets) {
  switch (labels.kind()) {
    case LabelKind::single: return single_figures(answers, targets);
    case LabelKind::multi: return multi_figures(answers, targets);
    case LabelKind::regression: break;
  }
  return regression_figures(answers, labels.numbers_of(targets));
}

std::string confusion_drawing(const Labels& labels, const std::vector<Answer>& answers, const Tensor& targets) {
  const auto classes = static_cast<int64_t>(labels.names().size());
  if (labels.kind() != LabelKind::single || labels.names().size() > kDrawn) return "";
  Confusion confusion(classes);
  for (const Decision& decision : decisions_of(answers, targets)) confusion += decision;
  std::string drawing = aligned_right("wanted \\ said", kNameWidth);
  for (const std::string& name : labels.names()) drawing += "  " + aligned_right(name, kCountWidth);
  for (int64_t truth = 0; truth < classes; ++truth) {
    drawing += "\n" + aligned_right(labels.names()[static_cast<size_t>(truth)], kNameWidth);
    for (int64_t said = 0; said < classes; ++said)
      drawing += fmt::format("  {:>{}}", confusion.count(truth, said), kCountWidth);
  }
  return drawing + "\n";
}

}  // namespace heed
