// What is asked of a question: its answer with something else in the place of its words, and how probable that is.
#pragma once

#include <heed/explain.h>

#include "base/check.h"

namespace heed::explain {

// Shows the words' vectors (copies, count, width) to `change`, and the model what it gives back.
template <class Change>
class WordsWatcher final : public Watcher {
 public:
  WordsWatcher(const Question& question, Change change) : question_(question), change_(std::move(change)) {}
  Tensor value(const std::string& place, const Tensor& x) override {
    if (place != question_.words) return x;
    check(x.dim(1) == question_.count, "explain", "{} words at {}, wanted {}", x.dim(1), place, question_.count);
    return change_(x);
  }

 private:
  const Question& question_;
  Change change_;
};

// The answer with words multiplied by `kept` (copies, count): (copies, parts), without gradients.
inline Tensor answer_with(const Question& question, const Tensor& kept) {
  const NoGrad scope;
  WordsWatcher watcher(question, [&](const Tensor& x) { return x * unsqueeze(to(kept, x.dtype()), 2); });
  return question.answer(kept.dim(0), watcher);
}

// The geometric mean of the parts' probabilities, or the mean of numbers, of answers (copies, parts): (copies).
inline std::vector<double> probabilities(const Question& question, const Tensor& answers) {
  const Tensor means = mean(answers, {1});
  return (question.scale == Question::Scale::number ? means : exp(means)).values();
}

// answer_with() of many copies, some at a time.
inline Tensor answers_with(const Question& question, const Tensor& kept, int64_t together = 32) {
  std::vector<Tensor> answers;
  for (int64_t begin = 0; begin < kept.dim(0); begin += together)
    answers.push_back(answer_with(question, kept.slice(0, begin, std::min(kept.dim(0), begin + together))));
  return concat(answers, 0);
}

}  // namespace heed::explain
