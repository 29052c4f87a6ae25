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

// A hypothesis that goes on.
struct Live {
  std::vector<int32_t> ids;                // the prefix, then what was found
  std::vector<float> log_probabilities;    // of each
  std::vector<Alternatives> alternatives;  // of each that was found
  std::vector<int32_t> read;               // the row of the batch in which each place was read
  double log_probability = 0;              // of what was found
  int64_t row = 0;                         // of the batch, where it stands now
  int64_t sample = 0;                      // which of n_best

  Live followed_by(const Candidate& next) const;
};

// Where places looked at the source, as the model's steps said.
class Looks {
 public:
  void add(const Tensor& weights);                          // (R,n,S) of the next n places
  Tensor of(const Live& hypothesis, int64_t source) const;  // (T,source) of its T ids

 private:
  std::vector<Tensor> places_;  // (R,S)
};

// What all sentences of a search share.
struct Shared {
  const SearchOptions& options;
  Looks looks = {};

  bool wants_looks() const { return options.alignment || options.coverage_penalty != 0; }
};

struct Ended {
  int64_t sample;
  Hypothesis hypothesis;
};

class Sentence {
 public:
  std::vector<Live> live;

  // The n-th of its batch, with so many words of source; `longest` of what may be found.
  Sentence(const Shared& shared, int64_t n, int64_t source, int64_t longest);

  int64_t number() const { return number_; }
  uint64_t stream() const;  // of its samples
  const std::vector<Ended>& ended() const { return ended_; }
  int64_t longest() const { return longest_; }
  int64_t found(const Live& hypothesis) const { return static_cast<int64_t>(hypothesis.ids.size()) - forced_; }
  bool is_end(int32_t id) const;
  Then tell(const Live& hypothesis) const;
  void end(const Live& hypothesis, Ending ending);
  void end_all(Ending ending);              // of those that go on
  std::vector<Hypothesis> best(int64_t n);  // samples in their order, others by their score; no longer kept here

 private:
  const Shared* shared_;
  int64_t number_, source_, longest_, forced_;
  std::vector<Ended> ended_;
};

}  // namespace heed::decoding
