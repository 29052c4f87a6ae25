// What the labels of texts mean: one of several, any number of several, or a number; read, learned and answered.
#pragma once

#include <heed/ops.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "tasks/task.h"

namespace heed {

enum class LabelKind { single, multi, regression };
constexpr std::array<std::pair<const char*, LabelKind>, 3> names_of(LabelKind) {
  return {{{"single", LabelKind::single}, {"multi", LabelKind::multi}, {"regression", LabelKind::regression}}};
}

// What a text is said to be.
struct Answer {
  std::vector<std::string> labels;  // single: one; multi: those that are likelier than not; regression: none
  std::vector<double> values;       // the probability of each label; or the number
};
size_t most_likely(const Answer& answer);  // label

class Labels {
 public:
  // Of these texts of labels, each of which a line of `path` holds; `separator` stands between several. Error(data)
  // where a number is none, where there is only one label, and where nearly every text has a label of its own.
  static Labels of(LabelKind kind, char separator, const std::vector<std::string>& texts,
                   const std::vector<int64_t>& lines, const std::string& path);
  // As config.json has them: id2label and problem_type, Hugging Face's; label_mean and label_deviation.
  static Labels from_fields(const std::map<std::string, std::string>& fields, const std::string& path);
  std::map<std::string, std::string> fields() const;

  LabelKind kind() const { return kind_; }
  const std::vector<std::string>& names() const { return names_; }
  int64_t outputs() const;  // of a model
  size_t width() const;     // of a row of targets

  // A row of targets. single: the label's number; multi: 0 or 1 for each; regression: the number, of mean 0 and
  // deviation 1. Error(data) naming line and label where it is none of these.
  std::vector<float> target(const std::string& text, int64_t line, const std::string& path) const;

  // Which outputs of the model it speaks of: the labels', or the one of a number. Errors as those of target.
  std::vector<size_t> held(const std::string& text, int64_t line, const std::string& path) const;

  struct Loss {
    double smoothing = 0;
    Tensor class_weights = {};  // (labels), of single ones
  };
  // logits (B,outputs), targets (B,width): a sum over the texts; of several labels the mean over these.
  Tensor loss(const Tensor& logits, const Tensor& targets, const Loss& options) const;
  std::vector<Answer> answers(const Tensor& logits) const;
  // accuracy and F1; or the mean error and R².
  std::vector<Measure> measures(const std::vector<Answer>& answers, const Tensor& targets) const;
  std::vector<double> numbers_of(const Tensor& targets) const;  // of a regression, as they were given
  std::string text_of(const Answer& answer) const;
  std::string text_of(const Tensor& target) const;  // (width)

 private:
  std::vector<size_t> numbers(const std::string& text, int64_t line, const std::string& path) const;

  LabelKind kind_ = LabelKind::single;
  char separator_ = ',';
  std::vector<std::string> names_;
  std::map<std::string, size_t> ids_;
  double mean_ = 0, deviation_ = 1;
};

// "balanced": n/(C·n_c) of the n_c texts of a label; or LABEL=WEIGHT,…, 1 for those that are not named. Undefined for
// "".
Tensor class_weights(const std::string& text, const Labels& labels, const std::vector<float>& targets);

}  // namespace heed
