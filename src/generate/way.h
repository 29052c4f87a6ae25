// How hypotheses go on: a room each.
#pragma once

#include <memory>
#include <span>

#include "generate/sentence.h"

namespace heed::decoding {

class Way {
 public:
  virtual ~Way() = default;
  // What may follow a hypothesis, from its row of logits, where what may not be said is −inf. Any thread may ask.
  virtual std::vector<Candidate> candidates(const Sentence& sentence, const Live& hypothesis,
                                            std::span<const float> logits, float log_sum_exp) const = 0;
  // The hypotheses that go on become longer, or end; candidates of each. A sentence is done when none goes on.
  virtual void go_on(Sentence& sentence, std::span<const std::vector<Candidate>> candidates) const = 0;
};

// The options outlive it.
std::unique_ptr<Way> greedy(const SearchOptions& options);
std::unique_ptr<Way> sample(const SearchOptions& options);
std::unique_ptr<Way> beam(const SearchOptions& options);

// The count largest, the largest first.
std::vector<Candidate> most_probable(std::span<const float> logits, float log_sum_exp, int64_t count);

}  // namespace heed::decoding
