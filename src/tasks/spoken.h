// Answers of tasks that speak: a search under way, and what each token of it means to those who asked.
#pragma once

#include <optional>

#include "generate/stepped_search.h"
#include "tasks/answers.h"

namespace heed {

class SpokenAnswers : public Answers {
 public:
  SpokenAnswers(std::vector<Asked> asked, const Tokenizer& tokenizer);  // of what is said

  std::vector<size_t> step() override;
  bool done() const override { return search_->done(); }
  std::vector<Answered> take(size_t which) override;

 protected:
  const std::vector<Asked>& asked() const { return asked_; }
  void begin(const SequenceModel& model, const Sentences& source, SearchOptions options);
  // How the task shows a hypothesis of the n-th.
  virtual Answered shown(size_t which, const Hypothesis& hypothesis) const = 0;

 private:
  Then hear(const Progress& progress) const;
  std::string said(std::span<const int32_t> ids, int64_t forced) const;
  int64_t forced(int64_t which) const;
  bool ends(int32_t id) const;

  std::vector<Asked> asked_;
  const Tokenizer tokenizer_;
  std::vector<std::vector<int32_t>> prefixes_;
  std::vector<int32_t> ends_;
  bool steady_ = true;  // what was said stays
  std::optional<SteppedSearch> search_;
};

}  // namespace heed
