#include <heed/generate.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/threads.h"
#include "generate/batch.h"
#include "generate/rules.h"
#include "generate/stepped_search.h"
#include "generate/way.h"
#include "kernels/candidates.h"

namespace heed {
namespace {

using namespace decoding;

constexpr const char* kSearch = "search";

void check_beam(const SearchOptions& o) {
  check(o.beam >= 1, kSearch, "beam is {}, wanted 1 or more", o.beam);
  check(o.n_best >= 1, kSearch, "n_best is {}, wanted 1 or more", o.n_best);
  const int64_t most = o.strategy == Strategy::beam ? o.beam : 1;
  check(o.strategy == Strategy::sample || o.n_best <= most, kSearch, "n_best is {}, but only {} are kept side by side",
        o.n_best, most);
  check(o.alternatives >= 0, kSearch, "alternatives is {}, wanted 0 or more", o.alternatives);
  check(std::isfinite(o.length_penalty), kSearch, "length_penalty is no finite number");
  check(o.coverage_penalty >= 0, kSearch, "coverage_penalty is {}, wanted 0 or more", o.coverage_penalty);
}

void check_lengths(const SearchOptions& o) {
  check(o.longest >= 1, kSearch, "longest is {}, wanted 1 or more", o.longest);
  check(o.longest_factor >= 0 && o.longest_plus >= 0, kSearch,
        "longest is {} times the source plus {}, wanted 0 or more", o.longest_factor, o.longest_plus);
}

void check_rules(const SearchOptions& o) {
  check(o.no_repeat >= 0, kSearch, "no_repeat is {}, wanted 0 or more", o.no_repeat);
  check(o.repetition_penalty > 0, kSearch, "repetition_penalty is {}, wanted more than 0", o.repetition_penalty);
  check(o.temperature > 0, kSearch, "temperature is {}, wanted more than 0; greedy takes the most probable word",
        o.temperature);
  check(o.top_k >= 0, kSearch, "top_k is {}, wanted 0 or more", o.top_k);
  check(o.top_p > 0 && o.top_p <= 1, kSearch, "top_p is {}, wanted more than 0 and at most 1", o.top_p);
  check(o.min_p >= 0 && o.min_p <= 1, kSearch, "min_p is {}, wanted 0 to 1", o.min_p);
}

void check_options(const SearchOptions& options) { check_beam(options), check_lengths(options), check_rules(options); }

void check_sentences(const SequenceModel& model, int64_t count, const SearchOptions& o) {
  const auto one_each = [&](size_t given, const char* what) {
    check(given == 0 || static_cast<int64_t>(given) == count, kSearch, "got {} {}, wanted one for each of {} sentences",
          given, what, count);
  };
  one_each(o.prefixes.size(), "prefixes"), one_each(o.numbers.size(), "numbers");
  for (int64_t n = 0; n < count && !o.begin; ++n)
    check(!o.prefixes.empty() && !o.prefixes[static_cast<size_t>(n)].empty(), kSearch,
          "sentence {} has neither a begin nor a prefix to begin with", n);
  check(!wants_looks(o) || (model.has_source() && o.begin), kSearch,
        "alignment and coverage are of a source, read from a begin on; {} has none",
        model.has_source() ? "the search" : model.name());
}

void check_words(const std::vector<int32_t>& ids, const char* what, int64_t words) {
  for (const int32_t id : ids)
    check(id >= 0 && id < words, kSearch, "{} has the token {}, the model has {}", what, id, words);
}

// What may be found of a sentence with so many words of source.
int64_t wished(const SearchOptions& o, bool has_source, int64_t source) {
  if (!has_source || o.longest_factor == 0) return o.longest;
  const double most = std::ceil(o.longest_factor * static_cast<double>(source) + o.longest_plus);
  return std::max<int64_t>(1, static_cast<int64_t>(std::min(most, static_cast<double>(o.longest))));
}
// The same, as far as the model has places for what it reads: a begin, the prefix and all that was found but the last.
int64_t longest_of(const SearchOptions& o, const SequenceModel& model, const Begun& begun) {
  const int64_t before = std::ssize(begun.prefix) + (o.begin ? 1 : 0), places = model.places();
  check(before <= places, kSearch, "sentence {} begins with {} tokens, {} knows {} places", begun.number, before,
        model.name(), places);
  return std::min(wished(o, model.has_source(), begun.source), places - before + 1);
}

Alternatives alternatives(rules::Row logits, float log_sum_exp, int64_t count) {
  if (count == 0 || !std::isfinite(log_sum_exp)) return {};
  std::vector<Alternative> all;
  for (const Candidate& each : most_probable(logits, log_sum_exp, count))
    all.push_back({each.id, each.log_probability});
  return std::make_shared<const std::vector<Alternative>>(std::move(all));
}

// Changes the row of a hypothesis that has said so much; gives the log-sum-exp and the alternatives before anything was
// ruled out.
float apply_rules(const Request& request, rules::Row logits, rules::Said said, Alternatives& before) {
  const SearchOptions& o = request.options;
  if (o.repetition_penalty != 1) rules::repetition_penalty(logits, said, o.repetition_penalty);
  if (o.temperature != 1) rules::temperature(logits, o.temperature);
  const float log_sum_exp = kernels::row_log_sum_exp(logits.data(), static_cast<int64_t>(logits.size()));
  before = alternatives(logits, log_sum_exp, o.alternatives);
  if (!request.allowed.empty()) rules::keep_only(logits, request.allowed);
  if (o.no_repeat > 0) rules::no_repeat(logits, said, o.no_repeat);
  if (o.top_k > 0) rules::top_k(logits, o.top_k);
  if (o.top_p < 1) rules::top_p(logits, o.top_p);
  if (o.min_p > 0) rules::min_p(logits, o.min_p);
  return log_sum_exp;
}

void go_on(Batch& batch, const std::vector<std::vector<Candidate>>& candidates) {
  size_t used = 0;
  for (Sentence& sentence : batch.sentences()) {
    const size_t count = sentence.live.size();
    sentence.request().way->go_on(sentence, std::span(candidates).subspan(used, count));
    used += count;
  }
}

// Joined as far as they can be; the first halves with the second, so that none is copied often.
std::vector<Batch> joined(std::vector<Batch> all) {
  while (all.size() > 1) {
    std::vector<Batch> fewer;
    for (size_t n = 0; n < all.size(); n += 2) {
      fewer.push_back(std::move(all[n]));
      if (n + 1 < all.size() && !fewer.back().join(all[n + 1])) fewer.push_back(std::move(all[n + 1]));
    }
    if (fewer.size() == all.size()) return fewer;
    all = std::move(fewer);
  }
  return all;
}

// The batches under way: one, unless the model wants those apart that did not begin together.
class Search {
 public:
  explicit Search(const SequenceModel& model) : model_(model) {}
  int64_t add(const Sentences& source, SearchOptions options);  // gives the number of the first of them
  bool done() const { return batches_.empty(); }
  int64_t rows() const;
  std::vector<int64_t> step();
  std::vector<Hypothesis> take(int64_t sentence);

 private:
  Batch begin(const Sentences& source, const std::vector<int64_t>& which,
              const std::shared_ptr<const Request>& request) const;
  void check_all_words(const Sentence& sentence) const;
  Tensor logits_of(const Tensor& features, const std::vector<Turn>& turns);
  std::vector<std::vector<Candidate>> candidates(Tensor logits, const std::vector<Turn>& turns) const;

  const SequenceModel& model_;
  std::vector<Batch> batches_;
  std::map<int64_t, std::vector<Hypothesis>> found_;  // until they are taken
  int64_t begun_ = 0;                                 // sentences
  int64_t words_ = 0;                                 // of the model; 0: not known yet
};

void Search::check_all_words(const Sentence& sentence) const {
  const SearchOptions& o = sentence.options();
  check_words(o.allowed, "allowed", words_), check_words(o.ends, "ends", words_);
  check_words(sentence.live[0].ids, "a prefix", words_);
}

// Those of one length of the sources that are added.
Batch Search::begin(const Sentences& source, const std::vector<int64_t>& which,
                    const std::shared_ptr<const Request>& request) const {
  const SearchOptions& o = request->options;
  std::vector<Sentence> sentences;
  for (const int64_t n : which) {
    Begun begun{.number = begun_ + n, .stream = begun_ + n, .source = source.lengths.at<int64_t>({n})};
    if (!o.numbers.empty()) begun.stream = o.numbers[static_cast<size_t>(n)];
    if (!o.prefixes.empty()) begun.prefix = o.prefixes[static_cast<size_t>(n)];
    begun.longest = longest_of(o, model_, begun);
    sentences.emplace_back(request, std::move(begun));
    if (words_ > 0) check_all_words(sentences.back());
  }
  const Tensor rows = tensor_from(which, {std::ssize(which)});
  const Sentences of{index_select(source.ids, 0, rows), index_select(source.lengths, 0, rows)};
  return {model_, of, std::move(sentences)};
}

int64_t Search::add(const Sentences& source, SearchOptions options) {
  check_options(options), check_sentences(model_, source.count(), options);
  const auto request = std::make_shared<const Request>(std::move(options));
  std::map<size_t, std::vector<int64_t>> by_length;  // of what is read before anything is said
  const auto& prefixes = request->options.prefixes;
  for (int64_t n = 0; n < source.count(); ++n)
    by_length[prefixes.empty() ? 0 : prefixes[static_cast<size_t>(n)].size()].push_back(n);
  std::vector<Batch> batches;
  for (const auto& [length, which] : by_length) batches.push_back(begin(source, which, request));
  for (Batch& more : joined(std::move(batches)))
    if (batches_.empty() || !batches_[0].join(more)) batches_.push_back(std::move(more));
  return std::exchange(begun_, begun_ + source.count());
}

// (turns, words), to be written to.
Tensor Search::logits_of(const Tensor& features, const std::vector<Turn>& turns) {
  Tensor logits = model_.read_out(features);
  if (!logits.sole_owner() || !logits.contiguous()) logits = logits.clone();
  if (words_ == 0) {
    words_ = logits.dim(-1);
    for (const Turn& turn : turns) check_all_words(*turn.sentence);
  }
  return logits.view({std::ssize(turns), words_});
}

std::vector<std::vector<Candidate>> Search::candidates(Tensor logits, const std::vector<Turn>& turns) const {
  const auto words = static_cast<size_t>(logits.dim(1));
  std::vector<std::vector<Candidate>> found(turns.size());
  std::vector<float> sums(turns.size());
  float* const data = logits.data<float>();
  const auto find = [&](size_t n) {
    const rules::Row row(data + n * words, words);
    const auto& [sentence, hypothesis] = turns[n];
    const Request& request = sentence->request();
    Alternatives before;
    sums[n] = apply_rules(request, row, hypothesis->ids, before);
    if (std::isfinite(sums[n])) found[n] = request.way->candidates(*sentence, *hypothesis, row, sums[n]);
    for (Candidate& each : found[n]) each.alternatives = before;
  };
  parallel(std::ssize(turns), 1 + 8192 / logits.dim(1), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) find(static_cast<size_t>(n));
  });
  for (size_t n = 0; n < turns.size(); ++n)
    if (!std::isfinite(sums[n]))
      fail(ErrorKind::numeric, kSearch, "{} gives sentence {} logits that are no numbers", model_.name(),
           turns[n].sentence->number());
  return found;
}

std::vector<int64_t> Search::step() {
  std::vector<int64_t> done;
  for (Batch& batch : batches_) {
    const std::vector<Turn> turns = batch.turns();
    go_on(batch, candidates(logits_of(batch.read(turns), turns), turns));
    for (Sentence& sentence : batch.take_done()) found_[done.emplace_back(sentence.number())] = sentence.best();
  }
  std::erase_if(batches_, [](Batch& batch) { return batch.sentences().empty(); });
  return done;
}

int64_t Search::rows() const {
  int64_t rows = 0;
  for (const Batch& batch : batches_) rows += batch.rows();
  return rows;
}

std::vector<Hypothesis> Search::take(int64_t sentence) {
  const auto of = found_.find(sentence);
  check(of != found_.end(), kSearch, "sentence {} is not done, or was taken", sentence);
  return std::move(found_.extract(of).mapped());
}

}  // namespace

Found search(const SequenceModel& model, const Sentences& source, const SearchOptions& options) {
  const NoGrad scope;
  Search search(model);
  search.add(source, options);
  while (!search.done()) search.step();
  Found found;
  for (int64_t n = 0; n < source.count(); ++n) found.push_back(search.take(n));
  return found;
}

struct SteppedSearch::Impl {
  Search search;
};

SteppedSearch::SteppedSearch(const SequenceModel& model) : impl_(new Impl{Search(model)}) {}
SteppedSearch::~SteppedSearch() = default;
SteppedSearch::SteppedSearch(SteppedSearch&&) noexcept = default;

int64_t SteppedSearch::add(const Sentences& source, SearchOptions options) {
  const NoGrad scope;
  return impl_->search.add(source, std::move(options));
}
bool SteppedSearch::done() const { return impl_->search.done(); }
int64_t SteppedSearch::rows() const { return impl_->search.rows(); }
std::vector<int64_t> SteppedSearch::step() {
  const NoGrad scope;
  return impl_->search.step();
}
std::vector<Hypothesis> SteppedSearch::take(int64_t sentence) { return impl_->search.take(sentence); }

}  // namespace heed
