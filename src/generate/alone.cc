// Hypotheses that do not compete: each goes on by itself, with its most probable word or one that is drawn.
#include <algorithm>
#include <optional>

#include "base/philox.h"
#include "generate/way.h"
#include "kernels/candidates.h"

namespace heed::decoding {
namespace {

std::optional<Ending> ending(const Sentence& sentence, const Live& hypothesis) {
  const Then then = sentence.tell(hypothesis);
  if (sentence.is_end(hypothesis.ids.back())) return Ending::end;
  if (then == Then::stop) return Ending::stopped;
  if (sentence.found(hypothesis) == sentence.longest()) return Ending::longest;
  return {};
}

class Alone : public Way {
 public:
  // Candidates are no choice here: the hypothesis goes on with each of them, as further samples.
  void go_on(Sentence& sentence, std::span<const std::vector<Candidate>> candidates) const override {
    const std::vector<Live> before = std::move(sentence.live);
    sentence.live.clear();
    for (size_t n = 0; n < before.size(); ++n) {
      if (candidates[n].empty()) sentence.end(before[n], Ending::nothing_left);
      for (size_t i = 0; i < candidates[n].size(); ++i) {
        Live next = before[n].followed_by(candidates[n][i]);
        next.sample += static_cast<int64_t>(i);
        if (const auto why = ending(sentence, next))
          sentence.end(next, *why);
        else
          sentence.live.push_back(std::move(next));
      }
    }
  }
};

class Greedy final : public Alone {
 public:
  std::vector<Candidate> candidates(const Sentence&, const Live&, std::span<const float> logits,
                                    float log_sum_exp) const override {
    return most_probable(logits, log_sum_exp, 1);
  }
};

// In [0, 1), by (seed, sentence, sample, step) alone: neither the batch nor the threads change a sample.
double uniform(int64_t seed, uint64_t stream, int64_t sample, int64_t step) {
  const PhiloxWords words =
      philox(static_cast<uint64_t>(seed), stream, static_cast<uint64_t>(sample) << 32 | static_cast<uint64_t>(step));
  return (static_cast<double>(words[0] >> 5) * 0x1p26 + static_cast<double>(words[1] >> 6)) * 0x1p-53;
}

class Sample final : public Alone {
 public:
  explicit Sample(const SearchOptions& options) : options_(options) {}

  // The first word is drawn for all samples, from then on each draws its own.
  std::vector<Candidate> candidates(const Sentence& sentence, const Live& hypothesis, std::span<const float> logits,
                                    float log_sum_exp) const override {
    const auto n = static_cast<int64_t>(logits.size());
    const int64_t step = sentence.found(hypothesis), count = step == 0 ? options_.n_best : 1;
    const float left = kernels::row_log_sum_exp(logits.data(), n);
    std::vector<Candidate> drawn;
    for (int64_t i = 0; i < count; ++i) {
      const double at = uniform(options_.seed, sentence.stream(), hypothesis.sample + i, step);
      const int64_t id = kernels::row_draw(logits.data(), n, left, at);
      if (id >= 0) drawn.push_back({static_cast<int32_t>(id), logits[static_cast<size_t>(id)] - log_sum_exp});
    }
    return drawn;
  }

 private:
  const SearchOptions& options_;
};

}  // namespace

std::unique_ptr<Way> greedy(const SearchOptions&) { return std::make_unique<Greedy>(); }
std::unique_ptr<Way> sample(const SearchOptions& options) { return std::make_unique<Sample>(options); }

std::vector<Candidate> most_probable(std::span<const float> logits, float log_sum_exp, int64_t count) {
  const auto n = static_cast<int64_t>(logits.size());
  std::vector<float> values(static_cast<size_t>(std::min(count, n)));
  std::vector<int32_t> ids(values.size());
  const int64_t found = kernels::row_largest(logits.data(), n, std::min(count, n), values.data(), ids.data());
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < static_cast<size_t>(found); ++i) candidates.push_back({ids[i], values[i] - log_sum_exp});
  return candidates;
}

}  // namespace heed::decoding
