// How sure a figure is: Efron's bootstrap, and Koehn's paired one of two systems ("Statistical significance tests for
// machine translation evaluation", EMNLP 2004), with the p-value of sacreBLEU's --paired-bs.
//
// A resample draws as many segments as there are, each any number of times, and has the score of their sum. Resample r
// draws by Philox from (seed, r) alone: threads change nothing, and two systems are drawn the same segments.
#pragma once

#include <heed/tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/threads.h"

namespace heed::metrics {

struct BootstrapOptions {
  int64_t resamples = 1000;
  uint64_t seed = 12345;
};

// The segments of a resample, one after the other.
class Draws {
 public:
  Draws(uint64_t seed, int64_t resample, size_t segments)
      : segments_(segments), from_{seed, static_cast<uint64_t>(resample), 0} {}
  size_t next();  // in [0, segments)

 private:
  uint64_t segments_;
  Random from_;
};

// The score of each resample. `none` is a sum that nothing was added to: sum += segments[i], then score(sum).
template <class Segment, class Score, class Sum = Segment>
std::vector<double> resampled(const std::vector<Segment>& segments, const Score& score,
                              const BootstrapOptions& options = {}, const Sum& none = Sum{}) {
  check(!segments.empty(), "bootstrap", "there is no segment to draw");
  check(segments.size() < uint64_t{1} << 32, "bootstrap", "{} segments are too many", segments.size());
  check(options.resamples > 0, "bootstrap", "{} resamples, wanted at least 1", options.resamples);
  std::vector<double> scores(static_cast<size_t>(options.resamples));
  parallel_items(options.resamples, [&](int64_t resample) {
    Draws draws(options.seed, resample, segments.size());
    Sum sum = none;
    for (size_t i = 0; i < segments.size(); ++i) sum += segments[draws.next()];
    scores[static_cast<size_t>(resample)] = score(sum);
  });
  return scores;
}

// Where 95 % of the resamples lie; sacreBLEU prints mean ± half().
struct Interval {
  double mean = 0, low = 0, high = 0;
  double half() const { return (high - low) / 2; }
};
Interval interval(std::vector<double> scores);

// Is the difference between two systems more than chance? Scores of the same resamples, and of the whole corpus.
struct Paired {
  double p_value = 1;       // of a difference as large as the corpus' if there were none
  double second_ahead = 0;  // share of the resamples in which the second system's figure is the greater one
};
Paired paired(const std::vector<double>& first, const std::vector<double>& second, double corpus_difference);

}  // namespace heed::metrics
