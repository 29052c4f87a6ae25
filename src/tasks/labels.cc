#include "tasks/labels.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/check.h"
#include "models/configuration.h"
#include "tasks/two_columns.h"
#include "tensor/unicode.h"
#include "train/metrics/metrics.h"

namespace heed {
namespace {

using Json = nlohmann::json;

// As Hugging Face names the kinds.
constexpr const char* problem_type(LabelKind kind) {
  switch (kind) {
    case LabelKind::single: return "single_label_classification";
    case LabelKind::multi: return "multi_label_classification";
    case LabelKind::regression: return "regression";
  }
  return "";
}

[[noreturn]] void refuse(const std::string& path, int64_t line, const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::data, fmt::format("{}:{}", path, line), what, hint);
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t"), end = text.find_last_not_of(" \t");
  return begin == text.npos ? "" : text.substr(begin, end - begin + 1);
}

std::vector<std::string> labels_of(LabelKind kind, char separator, const std::string& text) {
  if (kind == LabelKind::single) return {trimmed(text)};
  std::set<std::string> labels;
  for (const std::string& part : split(text, separator))
    if (const std::string label = trimmed(part); !label.empty()) labels.insert(label);
  return {labels.begin(), labels.end()};
}

double number_of(const std::string& text, int64_t line, const std::string& path) {
  const std::string digits = trimmed(text);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value))
    refuse(path, line, fmt::format("'{}' is no number", printable(text)),
           "regression wants a number in the first column; --columns says where it is");
  return value;
}

void check_names(const std::vector<std::string>& names, size_t texts, const std::string& path) {
  if (names.size() < 2)
    throw Error(ErrorKind::data, path, fmt::format("has {} different labels, wanted two or more", names.size()));
  if (texts >= 100 && names.size() > texts / 2)
    throw Error(ErrorKind::data, path, fmt::format("has {} different labels for {} texts", names.size(), texts),
                "is the label the first column? --columns LABEL,TEXT says where they are");
}

Tensor likelihoods(LabelKind kind, const Tensor& logits) {
  return kind == LabelKind::single ? softmax(logits) : sigmoid(logits);
}

std::vector<std::vector<double>> rows_of(const Tensor& x) {
  std::vector<std::vector<double>> rows;
  for (int64_t n = 0; n < x.dim(0); ++n) rows.push_back(x[n].values());
  return rows;
}

std::vector<Measure> single_measures(const std::vector<Answer>& answers, const Tensor& targets) {
  const std::vector<double> truth = targets.values();
  metrics::Confusion confusion(static_cast<int64_t>(answers.at(0).values.size()));
  for (size_t n = 0; n < truth.size(); ++n)
    confusion += metrics::Decision{static_cast<int64_t>(truth[n]), static_cast<int64_t>(most_likely(answers[n]))};
  return {{"accuracy", 100 * confusion.accuracy()}, {"f1", 100 * metrics::macro(confusion.per_class()).f1}};
}

std::vector<bool> likely(const std::vector<double>& probabilities) {
  std::vector<bool> yes;
  for (const double value : probabilities) yes.push_back(value > 0.5);
  return yes;
}
std::vector<Measure> multi_measures(const std::vector<Answer>& answers, const Tensor& targets) {
  const auto truth = rows_of(targets);
  metrics::MultiLabel labels(answers.at(0).values.size());
  for (size_t n = 0; n < truth.size(); ++n) labels.add(likely(truth[n]), likely(answers[n].values));
  return {{"exact", 100 * labels.exact_match()},
          {"f1", 100 * metrics::micro(labels.per_label()).f1},
          {"macro_f1", 100 * metrics::macro(labels.per_label()).f1}};
}

std::vector<Measure> regression_measures(const std::vector<Answer>& answers, const std::vector<double>& truth) {
  std::vector<double> said;
  for (const Answer& answer : answers) said.push_back(answer.values.at(0));
  const metrics::Regression figures = metrics::regression(said, truth);
  return {{"mae", figures.mae}, {"r2", figures.r2.value_or(0)}};
}

}  // namespace

size_t most_likely(const Answer& answer) {
  return static_cast<size_t>(std::max_element(answer.values.begin(), answer.values.end()) - answer.values.begin());
}

Labels Labels::of(LabelKind kind, char separator, const std::vector<std::string>& texts,
                  const std::vector<int64_t>& lines, const std::string& path) {
  Labels all;
  all.kind_ = kind, all.separator_ = separator;
  if (kind == LabelKind::regression) {
    double sum = 0, squares = 0;
    const auto count = static_cast<double>(texts.size());
    for (size_t n = 0; n < texts.size(); ++n) sum += number_of(texts[n], lines[n], path);
    all.mean_ = sum / count;
    for (size_t n = 0; n < texts.size(); ++n) squares += std::pow(number_of(texts[n], lines[n], path) - all.mean_, 2);
    if (squares > 0) all.deviation_ = std::sqrt(squares / count);
    return all;
  }
  std::set<std::string> names;
  for (const std::string& text : texts)
    for (const std::string& label : labels_of(kind, separator, text)) names.insert(label);
  all.names_.assign(names.begin(), names.end());
  check_names(all.names_, texts.size(), path);
  for (const std::string& name : all.names_) all.ids_.emplace(name, all.ids_.size());
  return all;
}

std::map<std::string, std::string> Labels::fields() const {
  std::map<std::string, std::string> fields = {{"problem_type", problem_type(kind_)}};
  if (kind_ == LabelKind::regression) {
    fields["label_mean"] = field_text(mean_), fields["label_deviation"] = field_text(deviation_);
    return fields;
  }
  Json by_id = Json::object();
  for (size_t n = 0; n < names_.size(); ++n) by_id[std::to_string(n)] = names_[n];
  fields["id2label"] = by_id.dump();
  if (kind_ == LabelKind::multi) fields["label_separator"] = separator_;
  return fields;
}

Labels Labels::from_fields(const std::map<std::string, std::string>& fields, const std::string& path) {
  const auto field = [&](const char* name) {
    const auto found = fields.find(name);
    check_format(found != fields.end(), path, "has no {}", name);
    return found->second;
  };
  Labels labels;
  const std::string type = field("problem_type");
  const auto known = names_of(labels.kind_);
  const auto kind =
      std::find_if(known.begin(), known.end(), [&](const auto& each) { return problem_type(each.second) == type; });
  check_format(kind != known.end(), path, "has the problem_type '{}', which heed does not know", printable(type));
  labels.kind_ = kind->second;
  if (labels.kind_ == LabelKind::regression) {
    read_field("label_mean", field("label_mean"), labels.mean_);
    read_field("label_deviation", field("label_deviation"), labels.deviation_);
    return labels;
  }
  if (labels.kind_ == LabelKind::multi) {
    const std::string separator = field("label_separator");
    check_format(separator.size() == 1, path, "label_separator is '{}', wanted one character", printable(separator));
    labels.separator_ = separator[0];
  }
  const Json by_id = Json::parse(field("id2label"), nullptr, false);
  for (size_t n = 0; by_id.is_object() && n < by_id.size(); ++n) {
    const auto name = by_id.find(std::to_string(n));
    check_format(name != by_id.end() && name->is_string(), path, "id2label has no label {}", n);
    labels.names_.push_back(*name), labels.ids_.emplace(*name, n);
  }
  check_format(labels.names_.size() >= 2 && labels.ids_.size() == labels.names_.size(), path,
               "id2label wants two or more different labels");
  return labels;
}

int64_t Labels::outputs() const { return kind_ == LabelKind::regression ? 1 : static_cast<int64_t>(names_.size()); }
size_t Labels::width() const { return kind_ == LabelKind::multi ? names_.size() : 1; }

std::vector<size_t> Labels::numbers(const std::string& text, int64_t line, const std::string& path) const {
  std::vector<size_t> numbers;
  for (const std::string& label : labels_of(kind_, separator_, text)) {
    const auto id = ids_.find(label);
    if (id == ids_.end())
      refuse(path, line,
             fmt::format("has the label '{}', which is none of the {} of the training data", printable(label),
                         names_.size()),
             "it must occur among the first million rows of --data");
    numbers.push_back(id->second);
  }
  return numbers;
}

std::vector<float> Labels::target(const std::string& text, int64_t line, const std::string& path) const {
  switch (kind_) {
    case LabelKind::regression: return {static_cast<float>((number_of(text, line, path) - mean_) / deviation_)};
    case LabelKind::single: return {static_cast<float>(numbers(text, line, path).at(0))};
    case LabelKind::multi: break;
  }
  std::vector<float> each(names_.size());
  for (const size_t id : numbers(text, line, path)) each[id] = 1;
  return each;
}

std::vector<size_t> Labels::held(const std::string& text, int64_t line, const std::string& path) const {
  if (kind_ != LabelKind::regression) return numbers(text, line, path);
  number_of(text, line, path);
  return {0};
}

Tensor Labels::loss(const Tensor& logits, const Tensor& targets, const Loss& o) const {
  switch (kind_) {
    case LabelKind::single:
      return cross_entropy(logits, to(select(targets, 1, 0), Dtype::i64),
                           {.smoothing = o.smoothing, .class_weights = o.class_weights, .reduction = Reduction::sum});
    case LabelKind::multi:
      return binary_cross_entropy(logits, targets * (1 - o.smoothing) + o.smoothing / 2, Reduction::sum) /
             static_cast<double>(names_.size());
    case LabelKind::regression: break;
  }
  return mse_loss(logits, targets, Reduction::sum);
}

std::vector<Answer> Labels::answers(const Tensor& logits) const {
  std::vector<Answer> answers;
  if (kind_ == LabelKind::regression) {
    for (const double value : logits.values()) answers.push_back({{}, {mean_ + deviation_ * value}});
    return answers;
  }
  for (std::vector<double>& row : rows_of(likelihoods(kind_, logits))) {
    Answer answer{{}, std::move(row)};
    for (size_t n = 0; n < names_.size(); ++n)
      if (kind_ == LabelKind::single ? n == most_likely(answer) : answer.values[n] > 0.5)
        answer.labels.push_back(names_[n]);
    answers.push_back(std::move(answer));
  }
  return answers;
}

std::vector<Measure> Labels::measures(const std::vector<Answer>& answers, const Tensor& targets) const {
  switch (kind_) {
    case LabelKind::single: return single_measures(answers, targets);
    case LabelKind::multi: return multi_measures(answers, targets);
    case LabelKind::regression: break;
  }
  return regression_measures(answers, numbers_of(targets));
}

std::vector<double> Labels::numbers_of(const Tensor& targets) const { return (targets * deviation_ + mean_).values(); }
std::string Labels::text_of(const Answer& answer) const {
  if (kind_ == LabelKind::regression) return fmt::format("{:.6g}", answer.values.at(0));
  return fmt::format("{}", fmt::join(answer.labels, std::string(1, separator_)));
}
std::string Labels::text_of(const Tensor& target) const {
  const std::vector<double> row = target.values();
  if (kind_ == LabelKind::regression) return text_of(Answer{{}, {mean_ + deviation_ * row[0]}});
  if (kind_ == LabelKind::single) return names_[static_cast<size_t>(row[0])];
  Answer truth;
  for (size_t n = 0; n < row.size(); ++n)
    if (row[n] > 0.5) truth.labels.push_back(names_[n]);
  return text_of(truth);
}

Tensor class_weights(const std::string& text, const Labels& labels, const std::vector<float>& targets) {
  if (text.empty()) return {};
  check(labels.kind() == LabelKind::single, "class_weights",
        "they are of single labels, not of several and of numbers");
  const auto& names = labels.names();
  std::vector<float> weights(names.size(), 1);
  if (text == "balanced") {
    std::vector<double> counts(names.size());
    for (const float label : targets) ++counts[static_cast<size_t>(label)];
    for (size_t n = 0; n < names.size(); ++n)
      weights[n] = static_cast<float>(static_cast<double>(targets.size()) /
                                      (static_cast<double>(names.size()) * std::max(1.0, counts[n])));
    return tensor_from(weights, {labels.outputs()});
  }
  for (const std::string& part : split(text, ',')) {
    const size_t at = part.rfind('=');
    const auto name = std::find(names.begin(), names.end(), part.substr(0, at));
    check(at != part.npos && name != names.end(), "class_weights",
          "got '{}', wanted balanced, or LABEL=WEIGHT of the labels {}", part, fmt::join(names, ", "));
    double weight = 0;
    read_field("class_weights", part.substr(at + 1), weight);
    check(weight >= 0, "class_weights", "got {}, wanted no less than 0", weight);
    weights[static_cast<size_t>(name - names.begin())] = static_cast<float>(weight);
  }
  return tensor_from(weights, {labels.outputs()});
}

}  // namespace heed
