#include "generate/sentence.h"

#include <algorithm>
#include <cstring>

#include "generate/penalties.h"

namespace heed::decoding {

Live Live::followed_by(const Candidate& next) const {
  Live longer = *this;
  longer.ids.push_back(next.id);
  longer.log_probabilities.push_back(next.log_probability);
  longer.log_probability += static_cast<double>(next.log_probability);
  if (next.alternatives) longer.alternatives.push_back(next.alternatives);
  return longer;
}

void Looks::add(const Tensor& weights) {
  for (int64_t t = 0; t < weights.dim(1); ++t) places_.push_back(weights.select(1, t).to(Dtype::f32).packed());
}

Tensor Looks::of(const Live& hypothesis, int64_t source) const {
  const auto length = static_cast<int64_t>(hypothesis.ids.size());
  Tensor looks({length, source});
  for (int64_t t = 0; t < length && source > 0; ++t) {
    const Tensor& place = places_[static_cast<size_t>(t)];
    const float* from = place.data<float>() + hypothesis.read[static_cast<size_t>(t)] * place.dim(1);
    std::memcpy(looks.data<float>() + t * source, from, static_cast<size_t>(source) * sizeof(float));
  }
  return looks;
}

Sentence::Sentence(const Shared& shared, int64_t n, int64_t source, int64_t longest)
    : shared_(&shared), number_(n), source_(source), longest_(longest) {
  Live first;
  if (!shared.options.prefixes.empty()) first.ids = shared.options.prefixes[static_cast<size_t>(n)];
  first.log_probabilities.resize(first.ids.size());
  first.row = n;
  forced_ = static_cast<int64_t>(first.ids.size());
  live = {first};
}

uint64_t Sentence::stream() const {
  const std::vector<int64_t>& numbers = shared_->options.numbers;
  return static_cast<uint64_t>(numbers.empty() ? number_ : numbers[static_cast<size_t>(number_)]);
}

bool Sentence::is_end(int32_t id) const {
  const std::vector<int32_t>& ends = shared_->options.ends;
  return std::find(ends.begin(), ends.end(), id) != ends.end();
}

Then Sentence::tell(const Live& hypothesis) const {
  const auto& on_token = shared_->options.on_token;
  if (!on_token) return Then::go_on;
  Progress progress{number_, hypothesis.sample, hypothesis.ids, hypothesis.log_probabilities.back()};
  if (!hypothesis.alternatives.empty()) progress.alternatives = *hypothesis.alternatives.back();
  return on_token(progress);
}

void Sentence::end(const Live& hypothesis, Ending ending) {
  const SearchOptions& options = shared_->options;
  const Tensor looks = shared_->wants_looks() ? shared_->looks.of(hypothesis, source_) : Tensor();
  const int64_t n = std::max<int64_t>(1, found(hypothesis));
  double score = hypothesis.log_probability / length_penalty(options.length_form, options.length_penalty, n);
  if (options.coverage_penalty != 0) score += coverage_penalty(options.coverage_penalty, looks);
  ended_.push_back(
      {hypothesis.sample,
       {hypothesis.ids, hypothesis.log_probabilities, forced_, score, options.alignment ? looks : Tensor(), ending}});
  for (const Alternatives& each : hypothesis.alternatives) ended_.back().hypothesis.alternatives.push_back(*each);
}

void Sentence::end_all(Ending ending) {
  for (const Live& hypothesis : live) end(hypothesis, ending);
  live.clear();
}

std::vector<Hypothesis> Sentence::best(int64_t n) {
  std::stable_sort(ended_.begin(), ended_.end(), [](const Ended& a, const Ended& b) {
    return a.sample != b.sample ? a.sample < b.sample : a.hypothesis.score > b.hypothesis.score;
  });
  std::vector<Hypothesis> best;
  for (Ended& each : ended_)
    if (static_cast<int64_t>(best.size()) < n) best.push_back(std::move(each.hypothesis));
  ended_.clear();
  return best;
}

}  // namespace heed::decoding
