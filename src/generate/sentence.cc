#include "generate/sentence.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "generate/penalties.h"
#include "generate/way.h"

namespace heed::decoding {

Live Live::followed_by(const Candidate& next) const {
  Live longer = *this;
  longer.ids.push_back(next.id);
  longer.log_probabilities.push_back(next.log_probability);
  longer.log_probability += static_cast<double>(next.log_probability);
  if (next.alternatives) longer.alternatives.push_back(next.alternatives);
  return longer;
}

Tensor Live::looked(int64_t source) const {
  Tensor all({std::ssize(ids), source});
  for (size_t t = 0; t < looks.size() && source > 0; ++t) {
    const float* from = looks[t].weights.data<float>() + looks[t].row * looks[t].weights.dim(1);
    std::memcpy(all.data<float>() + static_cast<int64_t>(t) * source, from,
                static_cast<size_t>(source) * sizeof(float));
  }
  return all;
}

namespace {

std::unique_ptr<Way> way_of(const SearchOptions& options) {
  switch (options.strategy) {
    case Strategy::greedy: return greedy(options);
    case Strategy::sample: return sample(options);
    case Strategy::beam: break;
  }
  return beam(options);
}

// Ids in order, each once; empty where everything is allowed.
std::vector<int32_t> allowed_of(const SearchOptions& o) {
  if (o.allowed.empty()) return {};
  std::set<int32_t> all(o.allowed.begin(), o.allowed.end());
  all.insert(o.ends.begin(), o.ends.end());
  return {all.begin(), all.end()};
}

}  // namespace

Request::Request(SearchOptions asked) : options(std::move(asked)), allowed(allowed_of(options)), way(way_of(options)) {}
Request::~Request() = default;

Sentence::Sentence(std::shared_ptr<const Request> request, Begun begun)
    : request_(std::move(request)), begun_(std::move(begun)) {
  Live first;
  first.ids = begun_.prefix;
  first.log_probabilities.resize(first.ids.size());
  live = {first};
}

bool Sentence::is_end(int32_t id) const {
  const std::vector<int32_t>& ends = options().ends;
  return std::find(ends.begin(), ends.end(), id) != ends.end();
}

Then Sentence::tell(const Live& hypothesis) const {
  const auto& on_token = options().on_token;
  if (!on_token) return Then::go_on;
  Progress progress{number(), hypothesis.sample, hypothesis.ids, hypothesis.log_probabilities.back()};
  if (!hypothesis.alternatives.empty()) progress.alternatives = *hypothesis.alternatives.back();
  return on_token(progress);
}

void Sentence::end(const Live& hypothesis, Ending ending) {
  const Tensor looks = wants_looks(options()) ? hypothesis.looked(begun_.source) : Tensor();
  const int64_t n = std::max<int64_t>(1, found(hypothesis));
  double score = hypothesis.log_probability / length_penalty(options().length_form, options().length_penalty, n);
  if (options().coverage_penalty != 0) score += coverage_penalty(options().coverage_penalty, looks);
  ended_.push_back({hypothesis.sample,
                    {hypothesis.ids, hypothesis.log_probabilities, std::ssize(begun_.prefix), score,
                     options().alignment ? looks : Tensor(), ending}});
  for (const Alternatives& each : hypothesis.alternatives) ended_.back().hypothesis.alternatives.push_back(*each);
}

void Sentence::end_all(Ending ending) {
  for (const Live& hypothesis : live) end(hypothesis, ending);
  live.clear();
}

std::vector<Hypothesis> Sentence::best() {
  std::stable_sort(ended_.begin(), ended_.end(), [](const Ended& a, const Ended& b) {
    return a.sample != b.sample ? a.sample < b.sample : a.hypothesis.score > b.hypothesis.score;
  });
  std::vector<Hypothesis> best;
  for (Ended& each : ended_)
    if (std::ssize(best) < options().n_best) best.push_back(std::move(each.hypothesis));
  ended_.clear();
  return best;
}

}  // namespace heed::decoding
