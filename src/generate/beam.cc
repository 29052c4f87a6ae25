// Beam search: of all that the hypotheses of a sentence may be followed by, the `beam` most probable go on. One that
// says an end among the best `beam` has ended, and makes room for the next.
#include <algorithm>
#include <functional>
#include <tuple>

#include "generate/penalties.h"
#include "generate/way.h"

namespace heed::decoding {
namespace {

struct Extension {
  double log_probability;
  size_t of;  // which of those that go on
  Candidate by;
};

// The most probable first; of equally probable ones that of the first hypothesis, then the first word.
bool before(const Extension& a, const Extension& b) {
  return std::tuple(-a.log_probability, a.of, a.by.id) < std::tuple(-b.log_probability, b.of, b.by.id);
}

std::vector<Extension> extensions(const Sentence& sentence, std::span<const std::vector<Candidate>> candidates) {
  std::vector<Extension> all;
  for (size_t n = 0; n < candidates.size(); ++n)
    for (const Candidate& by : candidates[n])
      all.push_back({sentence.live[n].log_probability + static_cast<double>(by.log_probability), n, by});
  std::sort(all.begin(), all.end(), before);
  return all;
}

class Beam final : public Way {
 public:
  explicit Beam(const SearchOptions& options) : options_(options) {}

  // Enough that `beam` go on, whatever ends.
  std::vector<Candidate> candidates(const Sentence&, const Live&, std::span<const float> logits,
                                    float log_sum_exp) const override {
    return most_probable(logits, log_sum_exp, options_.beam + static_cast<int64_t>(options_.ends.size()));
  }

  void go_on(Sentence& sentence, std::span<const std::vector<Candidate>> candidates) const override {
    const std::vector<Extension> all = extensions(sentence, candidates);
    if (all.empty()) return sentence.end_all(Ending::nothing_left);
    choose(sentence, all);
    if (enough(sentence)) return sentence.live.clear();
    if (sentence.tell(sentence.live[0]) == Then::stop) return sentence.end_all(Ending::stopped);
    if (sentence.found(sentence.live[0]) == sentence.longest()) sentence.end_all(Ending::longest);
  }

 private:
  size_t width() const { return static_cast<size_t>(options_.beam); }

  void choose(Sentence& sentence, const std::vector<Extension>& all) const {
    const std::vector<Live> from = std::move(sentence.live);
    sentence.live.clear();
    for (size_t rank = 0; rank < all.size() && sentence.live.size() < width(); ++rank) {
      const Extension& next = all[rank];
      if (!sentence.is_end(next.by.id))
        sentence.live.push_back(from[next.of].followed_by(next.by));
      else if (rank < width())
        sentence.end(from[next.of].followed_by(next.by), Ending::end);
    }
  }

  // Does nothing that goes on matter any more?
  bool enough(const Sentence& sentence) const {
    if (sentence.live.empty()) return true;
    const bool first = options_.early_stopping == EarlyStopping::first || options_.beam == 1;
    if (first) return sentence.ended().size() >= width();
    if (sentence.found(sentence.live[0]) == sentence.longest()) return false;  // they end as they stand
    return sentence.ended().size() >= static_cast<size_t>(options_.n_best) &&
           attainable(sentence) <= worst_of_the_best(sentence);
  }

  // The score that the most probable one has as it stands, or at most, whatever follows: log P never rises, and no
  // coverage adds to it.
  double attainable(const Sentence& sentence) const {
    int64_t length = sentence.found(sentence.live[0]);
    if (options_.early_stopping == EarlyStopping::never)
      length = options_.length_penalty > 0 ? sentence.longest() : length + 1;
    return sentence.live[0].log_probability / length_penalty(options_.length_form, options_.length_penalty, length);
  }

  double worst_of_the_best(const Sentence& sentence) const {
    std::vector<double> scores;
    for (const Ended& each : sentence.ended()) scores.push_back(each.hypothesis.score);
    const auto nth = scores.begin() + (options_.n_best - 1);
    std::nth_element(scores.begin(), nth, scores.end(), std::greater<>());
    return *nth;
  }

  const SearchOptions& options_;
};

}  // namespace

std::unique_ptr<Way> beam(const SearchOptions& options) { return std::make_unique<Beam>(options); }

}  // namespace heed::decoding
