// Answers of tasks that speak: a search under way, and what each token of it means to those who asked.
#pragma once

#include <map>

#include "generate/stepped_search.h"
#include "tasks/answers.h"

namespace heed {

class SpokenAnswers : public Answers {
 public:
  SpokenAnswers(const SequenceModel& model, const Tokenizer& tokenizer);  // of what is said; both outlive it

  void add(std::vector<Asked> more, Fields& options, Showing showing) override;
  std::vector<size_t> step() override;
  std::vector<Answered> take(size_t which) override;
  int64_t rows() const override { return search_.rows(); }

 protected:
  using Ids = std::vector<int32_t>;
  // A way of asking: what is searched for, and how the task shows a hypothesis of a text of these ids.
  struct Manner {
    SearchOptions search;
    std::function<Answered(const Hypothesis& hypothesis, const Ids& of)> shown;
  };
  virtual Manner manner(Fields& options, Showing showing) const = 0;
  virtual Ids ids_of(const std::string& text) const = 0;  // of a source, or of a prompt

 private:
  struct One {
    Asked asked;
    Ids ids;
    std::shared_ptr<const Manner> manner;
  };
  Then hear(const Progress& progress) const;
  std::string said(std::span<const int32_t> ids, int64_t forced) const;

  const SequenceModel& model_;
  const Tokenizer& tokenizer_;
  std::map<int64_t, One> under_way_;  // by their numbers in the search
  SteppedSearch search_;
};

}  // namespace heed
