// A classifier in use: what it says of texts, and what that is worth.
#include "tasks/classification_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>

#include "base/check.h"
#include "explain/alignment.h"
#include "tasks/answers.h"
#include "tasks/classification.h"
#include "tasks/classify.h"
#include "tasks/explained.h"
#include "tasks/label_figures.h"
#include "tensor/unicode.h"
#include "train/metrics/metrics.h"

namespace heed {
namespace {

using Json = nlohmann::json;

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

std::string text_of(const TokenWeight& token, const std::string& text) {
  return text.substr(static_cast<size_t>(token.begin), static_cast<size_t>(token.end - token.begin));
}

class ClassificationRun final : public TrainedRun, public AnsweringRun {
 public:
  explicit ClassificationRun(const std::string& folder) : run_(ClassificationModel::load(folder)) {}

  std::vector<std::vector<Prediction>> predict(std::span<const std::string> inputs, Fields&,
                                               Showing showing) const override {
    const std::vector<Classification> all = run_.classify(inputs, showing != Showing::text);
    std::vector<std::vector<Prediction>> predictions;
    for (size_t n = 0; n < all.size(); ++n) {
      Prediction prediction{run_.labels.text_of(all[n]), {}, {}};
      if (showing == Showing::details) prediction.details = details_of(inputs[n], all[n]);
      if (showing == Showing::drawing) prediction.drawing = drawing_of(inputs[n], all[n]);
      predictions.push_back({std::move(prediction)});
    }
    return predictions;
  }

  std::unique_ptr<Answers> answers() const override { return all_at_once(*this); }
  bool speaks() const override { return false; }
  const Tokenizer& tokenizer() const override { return run_.tokenizer; }
  Tensor embed(std::span<const std::string> texts) const override { return run_.embed(texts); }

  Evaluation evaluate(Fields& fields) const override {
    const Asked asked = ask(fields.take<LabelledOptions>());
    Evaluation evaluation{{}, confusion_drawing(run_.labels, asked.answers, asked.targets)};
    for (const ResampledFigure& each : label_figures(run_.labels, asked.answers, asked.targets))
      evaluation.figures.push_back(each.figure);
    return evaluation;
  }
  explain::Seen explain(const std::string& text, const ExplainOptions& options) const override {
    return explained(run_, text, options);
  }
  std::vector<Question> questions(Fields& fields, int64_t most) const override {
    const auto options = fields.take<LabelledOptions>();
    return questions_of(run_, read(options, most), options.data);
  }
  std::vector<ResampledFigure> figures(const LabelledOptions& options) const {
    const Asked asked = ask(options);
    return label_figures(run_.labels, asked.answers, asked.targets);
  }
  const Labels& labels() const { return run_.labels; }

 private:
  static constexpr int64_t kAll = std::numeric_limits<int64_t>::max();

  TwoColumns read(const LabelledOptions& options, int64_t most) const {
    TwoColumns rows = open_labelled(options, options.data, run_.labels.kind()).next(most);
    if (rows.size() == 0) throw Error(ErrorKind::data, options.data, "holds no labelled texts");
    return rows;
  }

  struct Asked {
    std::vector<Answer> answers;
    Tensor targets;
  };
  Asked ask(const LabelledOptions& options) const {
    const TwoColumns rows = read(options, kAll);
    std::vector<float> targets;
    for (size_t n = 0; n < rows.first.size(); ++n)
      for (const float value : run_.labels.target(rows.first[n], rows.lines[n], options.data)) targets.push_back(value);
    Asked asked{{}, tensor_from(targets, {rows.size(), static_cast<int64_t>(run_.labels.width())})};
    for (Classification& each : run_.classify(rows.second)) asked.answers.push_back(std::move(each));
    return asked;
  }

  Json details_of(const std::string& text, const Classification& said) const {
    Json json = {{"text", text}};
    if (run_.labels.kind() == LabelKind::regression) {
      json["value"] = said.values.at(0);
    } else {
      json["labels"] = said.labels;
      for (size_t n = 0; n < said.values.size(); ++n)
        json["probabilities"][run_.labels.names()[n]] = rounded(said.values[n]);
    }
    for (const TokenWeight& each : said.weights)
      json["tokens"].push_back(
          {{"text", text.substr(static_cast<size_t>(each.begin), static_cast<size_t>(each.end - each.begin))},
           {"begin", each.begin},
           {"end", each.end},
           {"weight", rounded(each.weight)}});
    return json;
  }

  // The tokens, and how much each counted for what was said.
  Drawing drawing_of(const std::string& text, const Classification& said) const {
    if (said.weights.empty())
      return [](const explain::Paper& paper) {
        return wrapped("This model weighs no tokens: there is nothing to draw.", paper.columns);
      };
    std::vector<float> weights;
    std::vector<std::string> tokens;
    for (const TokenWeight& each : said.weights)
      weights.push_back(static_cast<float>(each.weight)), tokens.push_back(text_of(each, text));
    return [tokens, label = run_.labels.text_of(said),
            weights = tensor_from(weights, {1, std::ssize(weights)})](const explain::Paper& paper) {
      return explain::alignment(weights, {label}, tokens, paper.ink, paper.columns);
    };
  }

  ClassificationModel run_;
};

}  // namespace

std::unique_ptr<TrainedRun> classification_run(const std::string& folder) {
  return std::make_unique<ClassificationRun>(folder);
}
Comparison compare_classifiers(std::span<const std::string> folders, Fields& fields) {
  const auto options = fields.take<LabelledOptions>();
  const ClassificationRun first(folders[0]);
  const std::vector<ResampledFigure> wanted = first.figures(options);
  std::vector<std::vector<ResampledFigure>> all = {wanted};
  for (const std::string& folder : folders.subspan(1)) {
    const ClassificationRun other(folder);
    check(other.labels().kind() == first.labels().kind() && other.labels().names() == first.labels().names(), "compare",
          "{} and {} have different labels", folders[0], folder);
    all.push_back(other.figures(options));
  }
  Comparison comparison;
  for (size_t f = 0; f < wanted.size(); ++f)
    for (size_t n = 0; n < all.size(); ++n) {
      const auto& [figure, resamples] = all[n][f];
      const double ahead = figure.value - wanted[f].figure.value;
      const double p = n == 0 ? 1 : metrics::paired(wanted[f].resamples, resamples, ahead).p_value;
      comparison.rows.push_back({folders[n], figure.name, figure.value, p});
    }
  return comparison;
}
std::vector<ModelField> classification_predict_fields() { return {}; }
std::vector<ModelField> classification_evaluate_fields() { return fields_of<LabelledOptions>(); }

}  // namespace heed
