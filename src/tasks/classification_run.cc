// A classifier in use: what it says of texts, and what that is worth.
#include "tasks/classification_run.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "tasks/classification.h"
#include "tasks/classify.h"
#include "tasks/label_figures.h"
#include "train/metrics/bootstrap.h"

namespace heed {
namespace {

using Json = nlohmann::json;

constexpr int64_t kAll = std::numeric_limits<int64_t>::max();

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

class ClassificationRun final : public TrainedRun {
 public:
  explicit ClassificationRun(const std::string& folder) : run_(ClassificationModel::load(folder)) {}

  std::vector<std::vector<Prediction>> predict(std::span<const std::string> inputs, Fields&,
                                               Showing showing) const override {
    const std::vector<Classification> all = run_.classify(inputs, showing != Showing::text);
    std::vector<std::vector<Prediction>> predictions;
    for (size_t n = 0; n < all.size(); ++n) {
      Prediction prediction{run_.labels.text_of(all[n]), {}, {}};
      if (showing == Showing::details) prediction.details = details_of(inputs[n], all[n]);
      predictions.push_back({std::move(prediction)});
    }
    return predictions;
  }

  Evaluation evaluate(Fields& fields) const override {
    const auto options = fields.take<LabelledOptions>();
    const TwoColumns rows = open_labelled(options, options.data, run_.labels.kind()).next(kAll);
    if (rows.size() == 0) throw Error(ErrorKind::data, options.data, "holds no labelled texts");
    std::vector<float> targets;
    for (size_t n = 0; n < rows.first.size(); ++n)
      for (const float value : run_.labels.target(rows.first[n], rows.lines[n], options.data)) targets.push_back(value);
    const Tensor truth = tensor_from(targets, {rows.size(), static_cast<int64_t>(run_.labels.width())});
    std::vector<Answer> answers;
    for (Classification& each : run_.classify(rows.second)) answers.push_back(std::move(each));
    return {label_figures(run_.labels, answers, truth), confusion_drawing(run_.labels, answers, truth)};
  }

 private:
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

  ClassificationModel run_;
};

}  // namespace

std::unique_ptr<TrainedRun> classification_run(const std::string& folder) {
  return std::make_unique<ClassificationRun>(folder);
}
// How often a run says the very label that the row has.
Comparison compare_classifiers(std::span<const std::string> folders, Fields& fields) {
  const auto options = fields.take<LabelledOptions>();
  Comparison comparison;
  std::vector<double> first_resamples;
  for (const std::string& folder : folders) {
    const ClassificationModel run = ClassificationModel::load(folder);
    const TwoColumns rows = open_labelled(options, options.data, run.labels.kind()).next(kAll);
    if (rows.size() == 0) throw Error(ErrorKind::data, options.data, "holds no labelled texts");
    const std::vector<Classification> said = run.classify(rows.second);
    std::vector<double> right;
    for (size_t n = 0; n < said.size(); ++n) right.push_back(run.labels.text_of(said[n]) == rows.first[n] ? 100 : 0);
    const auto mean = [&](double sum) { return sum / static_cast<double>(right.size()); };
    const double share = mean(std::accumulate(right.begin(), right.end(), 0.0));
    const std::vector<double> resamples = metrics::resampled(right, mean);
    if (comparison.rows.empty()) first_resamples = resamples;
    const double p = comparison.rows.empty()
                         ? 1
                         : metrics::paired(first_resamples, resamples, share - comparison.rows[0].value).p_value;
    comparison.rows.push_back({folder, "right", share, p});
  }
  return comparison;
}

std::vector<ModelField> classification_predict_fields() { return {}; }
std::vector<ModelField> classification_evaluate_fields() { return fields_of<LabelledOptions>(); }

}  // namespace heed
