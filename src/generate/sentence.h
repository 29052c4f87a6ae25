// A sentence under way: its hypotheses that go on and those that have ended.
#pragma once

#include <heed/generate.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace heed::decoding {

// The most probable at a place, the first first; all that goes on from there shares them.
using Alternatives = std::shared_ptr<const std::vector<Alternative>>;

// What may be said next.
struct Candidate {
  int32_t id;
  float log_probability;
  Alternatives alternatives = {};  // where they are asked for
};

// Where a place looked at the source: a row of what the model's step said.
struct Look {
  Tensor weights;  // (R,S), S of the longest source of that step
  int64_t row;
};

// A hypothesis that goes on.
struct Live {
  std::vector<int32_t> ids;                // the prefix, then what was found
  std::vector<float> log_probabilities;    // of each
  std::vector<Alternatives> alternatives;  // of each that was found
  std::vector<Look> looks;                 // of each, where they are asked for
  double log_probability = 0;              // of what was found
  int64_t row = 0;                         // of the batch, where it stands now
  int64_t sample = 0;                      // which of n_best

  Live followed_by(const Candidate& next) const;
  Tensor looked(int64_t source) const;  // (T,source) of its T ids
};

inline bool wants_looks(const SearchOptions& options) { return options.alignment || options.coverage_penalty != 0; }

// What is asked of the sentences that are added together.
class Way;
struct Request {
  const SearchOptions options;
  const std::vector<int32_t> allowed;  // words in order, with the ends; empty: all
  const std::unique_ptr<Way> way;

  explicit Request(SearchOptions options);
  ~Request();
};

struct Ended {
  int64_t sample;
  Hypothesis hypothesis;
};

// What is known of a sentence from the beginning.
struct Begun {
  int64_t number = 0;                // by which the search tells of it
  int64_t stream = 0;                // of its samples
  std::vector<int32_t> prefix = {};  // said before anything is chosen
  int64_t source = 0;                // words
  int64_t longest = 1;               // of what may be found
};

class Sentence {
 public:
  std::vector<Live> live;  // as many tokens each

  Sentence(std::shared_ptr<const Request> request, Begun begun);

  const Request& request() const { return *request_; }
  const SearchOptions& options() const { return request_->options; }
  int64_t number() const { return begun_.number; }
  uint64_t stream() const { return static_cast<uint64_t>(begun_.stream); }
  const std::vector<Ended>& ended() const { return ended_; }
  int64_t longest() const { return begun_.longest; }
  int64_t found(const Live& hypothesis) const { return std::ssize(hypothesis.ids) - std::ssize(begun_.prefix); }
  bool is_end(int32_t id) const;
  Then tell(const Live& hypothesis) const;
  void end(const Live& hypothesis, Ending ending);
  void end_all(Ending ending);     // of those that go on
  std::vector<Hypothesis> best();  // samples in their order, others by their score; no longer kept here

 private:
  std::shared_ptr<const Request> request_;
  Begun begun_;
  std::vector<Ended> ended_;
};

}  // namespace heed::decoding
