#include <heed/generate.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/threads.h"
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

void check_sentences(const SequenceModel& model, int64_t count, const SearchOptions& o) {
  const auto one_each = [&](size_t given, const char* what) {
    check(given == 0 || static_cast<int64_t>(given) == count, kSearch, "got {} {}, wanted one for each of {} sentences",
          given, what, count);
  };
  one_each(o.prefixes.size(), "prefixes"), one_each(o.numbers.size(), "numbers");
  for (int64_t n = 0; n < count && !o.begin; ++n)
    check(!o.prefixes.empty() && !o.prefixes[static_cast<size_t>(n)].empty(), kSearch,
          "sentence {} has neither a begin nor a prefix to begin with", n);
  check(!Shared{o}.wants_looks() || (model.has_source() && o.begin), kSearch,
        "alignment and coverage are of a source, read from a begin on; {} has none",
        model.has_source() ? "the search" : model.name());
}

void check_words(const SearchOptions& o, int64_t words) {
  const auto check_all = [words](const std::vector<int32_t>& ids, const char* what) {
    for (const int32_t id : ids)
      check(id >= 0 && id < words, kSearch, "{} has the token {}, the model has {}", what, id, words);
  };
  check_all(o.allowed, "allowed"), check_all(o.ends, "ends");
  for (const std::vector<int32_t>& prefix : o.prefixes) check_all(prefix, "a prefix");
}

// What may be found of a sentence with so many words of source.
int64_t wished(const SearchOptions& o, bool has_source, int64_t source) {
  if (!has_source || o.longest_factor == 0) return o.longest;
  const double most = std::ceil(o.longest_factor * static_cast<double>(source) + o.longest_plus);
  return std::max<int64_t>(1, static_cast<int64_t>(std::min(most, static_cast<double>(o.longest))));
}
// The same, as far as the model has places for what it reads: a begin, the prefix and all that was found but the last.
int64_t longest_of(const SearchOptions& o, const SequenceModel& model, size_t n, int64_t source) {
  const auto prefix = static_cast<int64_t>(o.prefixes.empty() ? 0 : o.prefixes[n].size()), places = model.places();
  const int64_t before = prefix + (o.begin ? 1 : 0);
  check(before <= places, kSearch, "sentence {} begins with {} tokens, {} knows {} places", n, before, model.name(),
        places);
  return std::min(wished(o, model.has_source(), source), places - before + 1);
}

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

Tensor tensor_of(const std::vector<int64_t>& rows) { return tensor_from(rows, {static_cast<int64_t>(rows.size())}); }
bool all_in_place(const std::vector<int64_t>& rows, int64_t count) {
  for (size_t n = 0; n < rows.size(); ++n)
    if (rows[n] != static_cast<int64_t>(n)) return false;
  return static_cast<int64_t>(rows.size()) == count;
}

// A batch under way. Every sentence has `width_` rows of the decoder's state, side by side: the k-th hypothesis that
// goes on stands in the k-th of them, and where a sentence has fewer, nobody asks the others.
class Search {
 public:
  Search(const SequenceModel& model, const Sentences& source, const SearchOptions& options);
  bool done() const { return sentences_.empty(); }
  std::vector<int64_t> step();
  Found& found() { return found_; }

 private:
  struct Turn {  // of a hypothesis that has been read to its end
    const Sentence* sentence;
    const Live* hypothesis;
  };

  int64_t places(const Live& hypothesis) const;
  int32_t token(const Live& hypothesis, int64_t place) const;
  bool is_read(const Sentence& sentence) const { return places(sentence.live[0]) == read_; }
  template <class Body>
  void for_rows(const Body& body) const;

  Tensor read();
  std::vector<Turn> turns() const;
  Tensor logits_of(const Tensor& features, const std::vector<Turn>& turns);
  Alternatives alternatives(rules::Row logits, float log_sum_exp) const;
  float apply_rules(rules::Row logits, rules::Said said, Alternatives& before) const;
  std::vector<std::vector<Candidate>> candidates(Tensor logits, const std::vector<Turn>& turns) const;
  void go_on(const std::vector<std::vector<Candidate>>& candidates);
  std::vector<int64_t> leave();
  void take_rows();

  const SequenceModel& model_;
  const SearchOptions& options_;
  const std::unique_ptr<Way> way_;
  const std::vector<int32_t> allowed_;
  Shared shared_;
  std::unique_ptr<DecoderState> state_;
  std::vector<Sentence> sentences_;
  int64_t width_ = 1, rows_;  // rows a sentence, and of all
  int64_t read_ = 0;          // places that all rows have read
  int64_t words_ = 0;         // of the model; 0: not known yet
  Found found_;
};

Search::Search(const SequenceModel& model, const Sentences& source, const SearchOptions& options)
    : model_(model),
      options_(options),
      way_(way_of(options)),
      allowed_(allowed_of(options)),
      shared_{options},
      state_(model.begin(source)),
      rows_(source.count()),
      found_(static_cast<size_t>(source.count())) {
  for (int64_t n = 0; n < source.count(); ++n) {
    const int64_t words = source.lengths.at<int64_t>({n});
    sentences_.emplace_back(shared_, n, words, longest_of(options, model, static_cast<size_t>(n), words));
  }
}

int64_t Search::places(const Live& hypothesis) const {
  return static_cast<int64_t>(hypothesis.ids.size()) + (options_.begin ? 1 : 0);
}
int32_t Search::token(const Live& hypothesis, int64_t place) const {
  if (!options_.begin) return hypothesis.ids[static_cast<size_t>(place)];
  return place == 0 ? *options_.begin : hypothesis.ids[static_cast<size_t>(place - 1)];
}

// body(hypothesis) for each row in turn.
template <class Body>
void Search::for_rows(const Body& body) const {
  for (const Sentence& sentence : sentences_)
    for (int64_t k = 0; k < width_; ++k)
      body(sentence.live[k < static_cast<int64_t>(sentence.live.size()) ? static_cast<size_t>(k) : 0]);
}

// All rows read what is known of each of them: as many places as the shortest has. Gives the features of the last.
Tensor Search::read() {
  int64_t until = INT64_MAX;
  for_rows([&](const Live& hypothesis) { until = std::min(until, places(hypothesis)); });
  std::vector<int64_t> ids;
  for_rows([&](const Live& hypothesis) {
    for (int64_t place = read_; place < until; ++place) ids.push_back(token(hypothesis, place));
  });
  const int64_t count = until - read_;
  const Decoded decoded = model_.step(*state_, tensor_from(ids, {rows_, count}), {.weights = shared_.wants_looks()});
  if (shared_.wants_looks()) {
    check(decoded.weights.defined(), kSearch, "{} looks at no place of its source: it has no alignment", model_.name());
    shared_.looks.add(decoded.weights);
  }
  for (Sentence& sentence : sentences_)
    for (Live& hypothesis : sentence.live)
      hypothesis.read.insert(hypothesis.read.end(), static_cast<size_t>(count), static_cast<int32_t>(hypothesis.row));
  read_ = until;
  return decoded.features.slice(1, count - 1, count);
}

std::vector<Search::Turn> Search::turns() const {
  std::vector<Turn> turns;
  for (const Sentence& sentence : sentences_)
    for (const Live& hypothesis : sentence.live)
      if (is_read(sentence)) turns.push_back({&sentence, &hypothesis});
  return turns;
}

// (turns, words), to be written to.
Tensor Search::logits_of(const Tensor& features, const std::vector<Turn>& turns) {
  std::vector<int64_t> rows;
  for (const Turn& turn : turns) rows.push_back(turn.hypothesis->row);
  const Tensor asked = all_in_place(rows, rows_) ? features : index_select(features, 0, tensor_of(rows));
  Tensor logits = model_.read_out(asked);
  if (!logits.sole_owner() || !logits.contiguous()) logits = logits.clone();
  if (words_ == 0) check_words(options_, words_ = logits.dim(-1));
  return logits.view({static_cast<int64_t>(turns.size()), words_});
}

Alternatives Search::alternatives(rules::Row logits, float log_sum_exp) const {
  if (options_.alternatives == 0 || !std::isfinite(log_sum_exp)) return {};
  std::vector<Alternative> all;
  for (const Candidate& each : most_probable(logits, log_sum_exp, options_.alternatives))
    all.push_back({each.id, each.log_probability});
  return std::make_shared<const std::vector<Alternative>>(std::move(all));
}

// Changes the row of a hypothesis that has said so much; gives the log-sum-exp and the alternatives before anything was
// ruled out.
float Search::apply_rules(rules::Row logits, rules::Said said, Alternatives& before) const {
  const SearchOptions& o = options_;
  if (o.repetition_penalty != 1) rules::repetition_penalty(logits, said, o.repetition_penalty);
  if (o.temperature != 1) rules::temperature(logits, o.temperature);
  const float log_sum_exp = kernels::row_log_sum_exp(logits.data(), static_cast<int64_t>(logits.size()));
  before = alternatives(logits, log_sum_exp);
  if (!allowed_.empty()) rules::keep_only(logits, allowed_);
  if (o.no_repeat > 0) rules::no_repeat(logits, said, o.no_repeat);
  if (o.top_k > 0) rules::top_k(logits, o.top_k);
  if (o.top_p < 1) rules::top_p(logits, o.top_p);
  if (o.min_p > 0) rules::min_p(logits, o.min_p);
  return log_sum_exp;
}

std::vector<std::vector<Candidate>> Search::candidates(Tensor logits, const std::vector<Turn>& turns) const {
  const auto words = static_cast<size_t>(logits.dim(1));
  std::vector<std::vector<Candidate>> found(turns.size());
  std::vector<float> sums(turns.size());
  float* const data = logits.data<float>();
  parallel(static_cast<int64_t>(turns.size()), 1 + 8192 / logits.dim(1), [&](int64_t begin, int64_t end) {
    for (auto n = static_cast<size_t>(begin); n < static_cast<size_t>(end); ++n) {
      const rules::Row row(data + n * words, words);
      const Live& hypothesis = *turns[n].hypothesis;
      Alternatives before;
      sums[n] = apply_rules(row, hypothesis.ids, before);
      if (std::isfinite(sums[n])) found[n] = way_->candidates(*turns[n].sentence, hypothesis, row, sums[n]);
      for (Candidate& each : found[n]) each.alternatives = before;
    }
  });
  for (size_t n = 0; n < turns.size(); ++n)
    if (!std::isfinite(sums[n]))
      fail(ErrorKind::numeric, kSearch, "{} gives sentence {} logits that are no numbers", model_.name(),
           turns[n].sentence->number());
  return found;
}

void Search::go_on(const std::vector<std::vector<Candidate>>& candidates) {
  size_t used = 0;
  for (Sentence& sentence : sentences_) {
    if (!is_read(sentence)) continue;
    const size_t count = sentence.live.size();
    way_->go_on(sentence, std::span(candidates).subspan(used, count));
    used += count;
  }
}

// Sentences of which nothing goes on leave the batch, and so do their sources.
std::vector<int64_t> Search::leave() {
  std::vector<int64_t> stay, done;
  for (size_t n = 0; n < sentences_.size(); ++n) {
    Sentence& sentence = sentences_[n];
    if (sentence.live.empty())
      found_[static_cast<size_t>(done.emplace_back(sentence.number()))] = sentence.best(options_.n_best);
    else
      stay.push_back(static_cast<int64_t>(n));
  }
  const auto before = static_cast<int64_t>(sentences_.size());
  std::erase_if(sentences_, [](const Sentence& sentence) { return sentence.live.empty(); });
  if (!all_in_place(stay, before) && !sentences_.empty()) state_->take_sentences(tensor_of(stay));
  return done;
}

// Rows that nobody asks stay where they are, so that nothing moves while hypotheses go on side by side.
void Search::take_rows() {
  size_t widest = 0;
  for (const Sentence& sentence : sentences_) widest = std::max(widest, sentence.live.size());
  width_ = static_cast<int64_t>(widest);
  std::vector<int64_t> rows;
  for (Sentence& sentence : sentences_)
    for (size_t k = 0; k < widest; ++k) {
      const auto row = static_cast<int64_t>(rows.size());
      if (k < sentence.live.size())
        rows.push_back(std::exchange(sentence.live[k].row, row));
      else
        rows.push_back(row < rows_ ? row : 0);
    }
  if (!rows.empty() && !all_in_place(rows, rows_)) state_->take_rows(tensor_of(rows));
  rows_ = static_cast<int64_t>(rows.size());
}

std::vector<int64_t> Search::step() {
  const Tensor features = read();
  if (const std::vector<Turn> asked = turns(); !asked.empty()) go_on(candidates(logits_of(features, asked), asked));
  std::vector<int64_t> done = leave();
  take_rows();
  return done;
}

void check_all(const SequenceModel& model, int64_t count, const SearchOptions& options) {
  check_beam(options), check_lengths(options), check_rules(options);
  check_sentences(model, count, options);
}

}  // namespace

Found search(const SequenceModel& model, const Sentences& source, const SearchOptions& options) {
  check_all(model, source.count(), options);
  if (source.count() == 0) return {};
  const NoGrad scope;
  Search search(model, source, options);
  while (!search.done()) search.step();
  return std::move(search.found());
}

struct SteppedSearch::Impl {
  const SearchOptions options;
  Search search;
  Impl(const SequenceModel& model, const Sentences& source, SearchOptions all)
      : options(std::move(all)), search(model, source, options) {}
};

SteppedSearch::SteppedSearch(const SequenceModel& model, const Sentences& source, SearchOptions options) {
  check_all(model, source.count(), options);
  check(source.count() > 0, kSearch, "there is no sentence to search for");
  const NoGrad scope;
  impl_ = std::make_unique<Impl>(model, source, std::move(options));
}
SteppedSearch::~SteppedSearch() = default;
SteppedSearch::SteppedSearch(SteppedSearch&&) noexcept = default;

bool SteppedSearch::done() const { return impl_->search.done(); }
std::vector<int64_t> SteppedSearch::step() {
  const NoGrad scope;
  return impl_->search.step();
}
std::vector<Hypothesis> SteppedSearch::take(int64_t sentence) {
  return std::move(impl_->search.found().at(static_cast<size_t>(sentence)));
}

}  // namespace heed
