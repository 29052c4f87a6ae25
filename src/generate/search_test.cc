#include <heed/base.h>
#include <heed/generate.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "base/philox.h"
#include "generate/choices.h"
#include "generate/penalties.h"
#include "models/configuration.h"
#include "support/close.h"
#include "support/files.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;
using testing::refused;
using Ids = std::vector<int32_t>;

constexpr int32_t kBegin = 0, kEnd = 1;
constexpr double kNever = -INFINITY;

int64_t hash(int64_t a, int64_t b) {
  return static_cast<int64_t>(philox(static_cast<uint64_t>(a), static_cast<uint64_t>(b), 0)[0]);
}
double noise(int64_t of, int64_t i) { return static_cast<double>(hash(of, 1000 + i)) * 0x1p-32; }

// A made model: logits and weights are drawn anew for each source (its first word) and everything said so far, or what
// `logits` says of them.
class Table final : public SequenceModel {
 public:
  int64_t words = 4;
  bool with_source = true, with_weights = true, joins = true;
  double spread = 4;
  std::function<std::vector<double>(int64_t source, const Ids& said)> logits;
  mutable int64_t steps = 0, rows_read = 0, rows_taken = 0;

  struct State final : DecoderState {
    std::vector<int64_t> sources;
    std::vector<Ids> said;
    const Table* table;
    template <class T>
    static void take(std::vector<T>& from, const Tensor& rows) {
      std::vector<T> taken;
      for (const int64_t row : rows.span<int64_t>()) taken.push_back(from.at(static_cast<size_t>(row)));
      from = taken;
    }
    void take_rows(const Tensor& rows) override {
      take(said, rows);
      table->rows_taken += rows.numel();
    }
    void take_sentences(const Tensor& sentences) override { take(sources, sentences); }
  };
  bool join(DecoderState& state, DecoderState& more) const override {
    auto &all = dynamic_cast<State&>(state), &others = dynamic_cast<State&>(more);
    if (!joins) return false;
    all.sources.insert(all.sources.end(), others.sources.begin(), others.sources.end());
    all.said.insert(all.said.end(), others.said.begin(), others.said.end());
    return true;
  }

  const std::string& name() const override {
    static const std::string name = "table";
    return name;
  }
  bool has_source() const override { return with_source; }
  std::map<std::string, std::string> configuration() const override { return {}; }
  NamedTensors weights() override { return {}; }
  Decoded forward(const Sentences&, const Sentences&, const Pass&) const override { return {}; }
  Tensor read_out(const Tensor& features) const override { return features; }
  Tensor loss(const Tensor&, const Tensor&, const CrossEntropyOptions&) const override { return {}; }

  std::unique_ptr<DecoderState> begin(const Sentences& source, const Pass&) const override {
    auto state = std::make_unique<State>();
    for (int64_t n = 0; n < source.count(); ++n)
      state->sources.push_back(source.longest() > 0 ? source.ids.at<int64_t>({n, 0}) : n);
    state->said.resize(state->sources.size());
    state->table = this;
    return state;
  }
  Decoded step(DecoderState& any, const Tensor& ids, const Pass& pass) const override {
    auto& state = dynamic_cast<State&>(any);
    const int64_t rows = ids.dim(0), each = rows / static_cast<int64_t>(state.sources.size());
    EXPECT_EQ(rows, static_cast<int64_t>(state.said.size()));
    EXPECT_EQ(rows, each * static_cast<int64_t>(state.sources.size()));
    ++steps, rows_read += ids.numel();
    Tensor features({rows, ids.dim(1), words}), looks({rows, ids.dim(1), kSource});
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t t = 0; t < ids.dim(1); ++t) {
        Ids& said = state.said[static_cast<size_t>(r)];
        said.push_back(static_cast<int32_t>(ids.at<int64_t>({r, t})));
        const int64_t source = state.sources[static_cast<size_t>(r / each)];
        write(logits_after(source, said), features, r, t);
        write(looks_after(source, said), looks, r, t);
      }
    return {features, pass.weights && with_weights ? looks : Tensor(), {}};
  }

  static constexpr int64_t kSource = 3;
  // Of what follows `said`, which begins with the begin.
  std::vector<double> logits_after(int64_t source, const Ids& said) const {
    if (logits) return logits(source, said);
    std::vector<double> row;
    for (int64_t w = 0; w < words; ++w) row.push_back(spread * noise(seed_of(source, said), w));
    return row;
  }
  static std::vector<double> looks_after(int64_t source, const Ids& said) {
    std::vector<double> row;
    for (int64_t j = 0; j < kSource; ++j) row.push_back(0.05 + noise(seed_of(source, said), 500 + j));
    const double sum = std::accumulate(row.begin(), row.end(), 0.0);
    for (double& weight : row) weight /= sum;
    return row;
  }

 private:
  static int64_t seed_of(int64_t source, const Ids& said) {
    return std::accumulate(said.begin(), said.end(), hash(source, 99), hash);
  }
  static void write(const std::vector<double>& row, Tensor& to, int64_t r, int64_t t) {
    for (size_t i = 0; i < row.size(); ++i) to.at<float>({r, t, static_cast<int64_t>(i)}) = static_cast<float>(row[i]);
  }
};

// Sources of three words, told apart by the first.
Sentences sources(const std::vector<int32_t>& first) {
  std::vector<Ids> sentences;
  for (const int32_t word : first) sentences.push_back({word, 5, 6});
  return pad(sentences);
}

SearchOptions options() {
  SearchOptions options;
  options.begin = kBegin, options.ends = {kEnd}, options.longest = 12, options.longest_factor = 0;
  return options;
}
SearchOptions with(Strategy strategy) {
  SearchOptions o = options();
  o.strategy = strategy;
  return o;
}

std::vector<Hypothesis> of_one(const Table& table, int32_t source, const SearchOptions& options) {
  return search(table, sources({source}), options).at(0);
}

std::vector<double> log_softmax(std::vector<double> row) {
  double sum = 0;
  for (const double x : row) sum += std::exp(x);
  for (double& x : row) x -= std::log(sum);
  return row;
}

// ---- All that can be said -------------------------------------------------------------------------------------------

struct Said {
  Ids ids;
  double log_probability, score;
};
double score_of(const SearchOptions& o, const Ids& ids, double log_probability, int64_t source, int64_t forced) {
  const auto n = static_cast<int64_t>(ids.size()) - forced;
  double score = log_probability / length_penalty(o.length_form, o.length_penalty, n);
  if (o.coverage_penalty == 0) return score;
  std::vector<double> looked(Table::kSource);
  Ids said = {kBegin};
  for (const int32_t id : ids) {
    const std::vector<double> looks = Table::looks_after(source, said);
    for (size_t j = 0; j < looks.size(); ++j) looked[j] += looks[j];
    said.push_back(id);
  }
  for (const double sum : looked) score += o.coverage_penalty * std::log(std::min(sum, 1.0));
  return score;
}

// Every sentence that begins so, ends or is as long as it may be, and of which all that `may` is asked may be said.
using May = std::function<bool(const Ids& said)>;
void say_all(const Table& table, int64_t source, const SearchOptions& o, const May& may, const Ids& said, double sum,
             int64_t forced, std::vector<Said>& all) {
  const bool ended = static_cast<int64_t>(said.size()) > forced && !said.empty() && said.back() == kEnd;
  if (ended || static_cast<int64_t>(said.size()) - forced == o.longest) {
    all.push_back({said, sum, score_of(o, said, sum, source, forced)});
    return;
  }
  Ids read = {kBegin};
  read.insert(read.end(), said.begin(), said.end());
  const std::vector<double> next = log_softmax(table.logits_after(source, read));
  for (int32_t w = 0; w < static_cast<int32_t>(next.size()); ++w) {
    Ids longer = said;
    longer.push_back(w);
    if (may(longer)) say_all(table, source, o, may, longer, sum + next[static_cast<size_t>(w)], forced, all);
  }
}
std::vector<Said> everything(
    const Table& table, int64_t source, const SearchOptions& o, const May& may = [](const Ids&) { return true; },
    const Ids& prefix = {}) {
  std::vector<Said> all;
  say_all(table, source, o, may, prefix, 0, static_cast<int64_t>(prefix.size()), all);
  std::sort(all.begin(), all.end(), [](const Said& a, const Said& b) { return a.score > b.score; });
  return all;
}

void expect_best(const std::vector<Hypothesis>& got, const std::vector<Said>& want) {
  ASSERT_FALSE(got.empty());
  for (size_t n = 0; n < got.size(); ++n) {
    ASSERT_LT(n, want.size());
    EXPECT_NEAR(got[n].score, want[n].score, 1e-5) << n;
    EXPECT_EQ(got[n].ids, want[n].ids) << n;
  }
}

int64_t power(int64_t base, int64_t exponent) { return exponent == 0 ? 1 : base * power(base, exponent - 1); }

TEST(Beam, OfEverythingIsExhaustive) {
  EXPECT_TRUE(rc::check("the best of all that can be said", [] {
    Table table;
    table.words = *rc::gen::inRange<int64_t>(2, 5);
    SearchOptions o = options();
    o.longest = *rc::gen::inRange<int64_t>(1, 5);
    o.beam = power(table.words, o.longest);
    o.n_best = std::min<int64_t>(o.beam, 5);
    o.length_form = *rc::gen::element(LengthPenalty::gnmt, LengthPenalty::marian);
    o.length_penalty = *rc::gen::element(0.0, 0.6, 1.0, -0.5);
    o.coverage_penalty = *rc::gen::element(0.0, 0.2, 1.0);
    o.early_stopping = EarlyStopping::never;
    const auto source = *rc::gen::inRange<int32_t>(0, 1000000);
    const std::vector<Hypothesis> got = of_one(table, source, o);
    const std::vector<Said> want = everything(table, source, o);
    RC_ASSERT(got.size() == std::min(want.size(), static_cast<size_t>(o.n_best)));
    for (size_t n = 0; n < got.size(); ++n) {
      RC_ASSERT(std::abs(got[n].score - want[n].score) < 1e-5);
      const auto same = [&](const Said& said) {
        return said.ids == got[n].ids && std::abs(said.score - got[n].score) < 1e-5;
      };
      RC_ASSERT(std::any_of(want.begin(), want.end(), same));
    }
  }));
}

// What is as long as it may be ends as it stands, though nothing that could follow it would be good enough.
TEST(Beam, TheLongestCountAsTheyAre) {
  for (const LengthPenalty form : {LengthPenalty::gnmt, LengthPenalty::marian}) {
    SearchOptions o = options();
    o.longest = 4, o.beam = 256, o.n_best = 5, o.early_stopping = EarlyStopping::never;
    o.length_form = form, o.length_penalty = -0.5, o.coverage_penalty = 1;
    expect_best(of_one(Table(), 48782, o), everything(Table(), 48782, o));
  }
}

// Whatever the beam, what is said of a hypothesis is so.
TEST(Beam, TellsWhatTheModelGives) {
  const Table table;
  SearchOptions o = options();
  o.beam = o.n_best = 3, o.coverage_penalty = 0.3;
  for (const Hypothesis& hypothesis : of_one(table, 7, o)) {
    Ids said = {kBegin};
    double sum = 0;
    for (size_t t = 0; t < hypothesis.ids.size(); ++t) {
      const double want = log_softmax(table.logits_after(7, said))[static_cast<size_t>(hypothesis.ids[t])];
      EXPECT_NEAR(hypothesis.log_probabilities[t], want, 1e-5);
      sum += want;
      said.push_back(hypothesis.ids[t]);
    }
    EXPECT_NEAR(hypothesis.score, score_of(o, hypothesis.ids, sum, 7, 0), 1e-5);
  }
}

// Every step's best beam, from the formula: a plain beam search of lists.
TEST(Beam, KeepsTheBestOfEachStep) {
  for (int32_t source = 0; source < 20; ++source) {
    Table table;
    table.words = 6;
    SearchOptions o = options();
    o.beam = 3, o.ends = {}, o.longest = 5, o.n_best = 3, o.length_penalty = 0;
    std::vector<Said> kept = {{{}, 0, 0}};
    for (int64_t step = 0; step < o.longest; ++step) {
      std::vector<Said> longer;
      for (const Said& said : kept) {
        Ids read = {kBegin};
        read.insert(read.end(), said.ids.begin(), said.ids.end());
        const std::vector<double> next = log_softmax(table.logits_after(source, read));
        for (int32_t w = 0; w < 6; ++w) {
          Said more = said;
          more.ids.push_back(w), more.score += next[static_cast<size_t>(w)];
          longer.push_back(more);
        }
      }
      std::sort(longer.begin(), longer.end(), [](const Said& a, const Said& b) { return a.score > b.score; });
      longer.resize(3);
      kept = longer;
    }
    expect_best(of_one(table, source, o), kept);
  }
}

// The most probable words are an end, 0, an end, 3: the second end is the third, beyond a beam of two.
TEST(Beam, AnEndBeyondItHasNotEnded) {
  Table table;
  table.logits = [](int64_t, const Ids& said) -> std::vector<double> {
    return said.size() == 1 ? std::vector<double>{2, 3, 1, 0} : std::vector<double>{0, 0.1, 0, 0};
  };
  SearchOptions o = options();
  o.beam = o.n_best = 2, o.ends = {1, 2}, o.longest = 2, o.length_penalty = 0;
  const std::vector<Hypothesis> found = of_one(table, 1, o);
  EXPECT_EQ(found.at(0).ids, Ids{1});
  EXPECT_EQ(found.at(1).ids, (Ids{0, 1}));
}

// Both of the most probable words are ends, and yet two hypotheses go on.
TEST(Beam, StaysAsWideAsItIsWhateverEnds) {
  Table table;
  table.logits = [](int64_t, const Ids&) { return std::vector<double>{1, 3, 2, -1}; };
  SearchOptions o = options();
  o.beam = 2, o.ends = {1, 2}, o.longest = 2, o.early_stopping = EarlyStopping::never;
  o.length_form = LengthPenalty::marian, o.length_penalty = 5;
  of_one(table, 1, o);
  EXPECT_EQ(table.rows_read, 1 + 2);
}

TEST(Beam, OfOneIsGreedy) {
  const Table table;
  std::vector<int32_t> first(50);
  std::iota(first.begin(), first.end(), 0);
  SearchOptions one = options();
  one.beam = 1, one.length_penalty = 2, one.early_stopping = EarlyStopping::never;
  const Found beam = search(table, sources(first), one);
  SearchOptions plain = with(Strategy::greedy);
  plain.length_penalty = 2;
  const Found greedy = search(table, sources(first), plain);
  for (size_t n = 0; n < first.size(); ++n) {
    ASSERT_EQ(beam[n].size(), 1u);
    EXPECT_EQ(beam[n][0].ids, greedy[n][0].ids);
    EXPECT_EQ(beam[n][0].log_probabilities, greedy[n][0].log_probabilities);
    EXPECT_EQ(beam[n][0].score, greedy[n][0].score);
    EXPECT_EQ(beam[n][0].ending, greedy[n][0].ending);
  }
}

TEST(Greedy, TakesTheMostProbable) {
  const Table table;
  const Hypothesis found = of_one(table, 3, with(Strategy::greedy)).at(0);
  Ids said = {kBegin};
  for (const int32_t id : found.ids) {
    const std::vector<double> row = table.logits_after(3, said);
    EXPECT_EQ(id, std::max_element(row.begin(), row.end()) - row.begin());
    said.push_back(id);
  }
}

// A model that says 2, as many times as its source says, and then the end; the third place of the source's words.
Table counting() {
  Table table;
  table.logits = [](int64_t source, const Ids& said) -> std::vector<double> {
    const bool done = static_cast<int64_t>(said.size()) > source;
    return {-5, done ? 2.0 : -5.0, done ? -5.0 : 2.0, 0};
  };
  return table;
}

// ---- The batch ------------------------------------------------------------------------------------------------------

// Does it say where it looks?
bool looks(const SequenceModel& model) {
  const NoGrad scope;
  const auto state = model.begin(pad({{3, 2}}));
  return model.step(*state, Tensor::zeros({1, 1}, Dtype::i64), {.weights = true}).weights.defined();
}

void expect_one_by_one(const SequenceModel& model, const std::vector<Ids>& sentences, SearchOptions o) {
  o.alignment = looks(model);
  const std::vector<Ids> prefixes = o.prefixes;
  const Found together = search(model, pad(sentences), o);
  ASSERT_EQ(together.size(), sentences.size());
  for (size_t n = 0; n < sentences.size(); ++n) {
    o.numbers = {static_cast<int64_t>(n)};
    if (!prefixes.empty()) o.prefixes = {prefixes[n]};
    const std::vector<Hypothesis> alone = search(model, pad({sentences[n]}), o).at(0);
    ASSERT_EQ(together[n].size(), alone.size()) << n;
    for (size_t i = 0; i < alone.size(); ++i) {
      EXPECT_EQ(together[n][i].ids, alone[i].ids) << n;
      EXPECT_NEAR(together[n][i].score, alone[i].score, 1e-4) << n;
      EXPECT_EQ(together[n][i].ending, alone[i].ending) << n;
      EXPECT_TRUE(close(together[n][i].log_probabilities, alone[i].log_probabilities, 1e-4)) << n;
      if (!o.alignment) continue;
      EXPECT_EQ(alone[i].alignment.shape(), together[n][i].alignment.shape()) << n;
      EXPECT_TRUE(close(together[n][i].alignment.values(), alone[i].alignment.values(), 1e-4)) << n;
    }
  }
}

std::vector<SearchOptions> all_ways() {
  SearchOptions beam = options(), drawn = with(Strategy::sample);
  beam.beam = beam.n_best = 3, beam.no_repeat = 3;
  drawn.n_best = 3, drawn.top_p = 0.9, drawn.repetition_penalty = 1.3;
  return {beam, drawn, with(Strategy::greedy)};
}

TEST(Batch, IsOneByOne) {
  const Table table;
  std::vector<Ids> sentences;
  for (int32_t n = 0; n < 30; ++n) sentences.push_back({n, 5, 6});
  for (const SearchOptions& o : all_ways()) expect_one_by_one(table, sentences, o);
}

TEST(Batch, IsOneByOneWithPrefixesOfAnyLength) {
  Table table;
  std::vector<Ids> sentences, prefixes;
  for (int32_t n = 0; n < 12; ++n) {
    sentences.push_back({n, 5, 6});
    prefixes.push_back(Ids(static_cast<size_t>(n * 5 % 7), 2));
  }
  for (SearchOptions o : all_ways()) {
    o.prefixes = prefixes;
    for (const bool joins : {true, false}) table.joins = joins, expect_one_by_one(table, sentences, o);
  }
}

// Surer of its words than a new model is, so that what is close differs.
std::unique_ptr<SequenceModel> small(const ModelInfo& info) {
  std::map<std::string, std::string> fields;
  for (const ModelField& field : info.fields) {
    if (field.name == "source_words") fields[field.name] = "12";
    if (field.name == "target_words") fields[field.name] = "9";
    if (field.name == "width") fields[field.name] = "16";
    if (field.name == "heads") fields[field.name] = "4";
  }
  seed(11);
  auto model = make_model(info.name, fields);
  for (const auto& [name, weight] : model->weights())
    if (name.starts_with("words") || name.starts_with("target")) Tensor(weight).copy_from(weight.detach() * 2);
  return model;
}

TEST(Batch, IsOneByOneForEveryModel) {
  for (const ModelInfo& info : models()) {
    if (!info.has_source) continue;
    SCOPED_TRACE(info.name);
    const auto model = small(info);
    for (const SearchOptions& o : all_ways())
      expect_one_by_one(*model, {{5, 6, 7, 2}, {8, 2}, {10, 9, 3, 4, 5, 2}, {11, 2}, {3, 2}}, o);
  }
}

TEST(Batch, WhatIsDoneCostsNothing) {
  const Table table = counting();
  search(table, sources({1, 9, 2, 4}), with(Strategy::greedy));
  EXPECT_EQ(table.rows_read, 2 + 10 + 3 + 5);
}

TEST(Batch, GreedyRowsMoveOnlyWhenOneLeaves) {
  const Table table = counting();
  search(table, sources({9, 2, 9}), with(Strategy::greedy));
  EXPECT_EQ(table.rows_taken, 2);
}

TEST(Batch, OfNothing) {
  EXPECT_TRUE(search(Table(), {Tensor({0, 3}, Dtype::i64), Tensor({0}, Dtype::i64)}, options()).empty());
}

TEST(Batch, ThreadsChangeNothing) {
  Table table;
  table.words = 9000;
  SearchOptions o = with(Strategy::sample);
  o.n_best = 4, o.longest = 3;
  const int before = threads();
  set_threads(1);
  const Found one = search(table, sources({1, 2, 3}), o);
  set_threads(2);
  const Found two = search(table, sources({1, 2, 3}), o);
  set_threads(before);
  for (size_t n = 0; n < one.size(); ++n)
    for (size_t i = 0; i < one[n].size(); ++i) {
      EXPECT_EQ(one[n][i].ids, two[n][i].ids);
      EXPECT_EQ(one[n][i].log_probabilities, two[n][i].log_probabilities);
    }
}

// ---- Samples --------------------------------------------------------------------------------------------------------

// Probabilities of the first word, whatever came before.
Table fixed(const std::vector<double>& probabilities) {
  Table table;
  table.words = static_cast<int64_t>(probabilities.size());
  table.logits = [probabilities](int64_t, const Ids&) {
    std::vector<double> row;
    for (const double p : probabilities) row.push_back(p > 0 ? std::log(p) : kNever);
    return row;
  };
  return table;
}

const std::vector<double> kProbabilities = {0.05, 0.02, 0.4, 0.2, 0.15, 0.1, 0.08};

// How often each word comes first.
std::vector<double> counts(SearchOptions o, int64_t samples = 20000) {
  o.strategy = Strategy::sample, o.longest = 1, o.n_best = samples;
  std::vector<double> counts(kProbabilities.size());
  for (const Hypothesis& hypothesis : of_one(fixed(kProbabilities), 1, o))
    ++counts[static_cast<size_t>(hypothesis.ids.at(0))];
  return counts;
}

// χ² of the counts; what has no probability must not come at all.
void expect_frequencies(const std::vector<double>& counts, std::vector<double> probabilities) {
  const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
  const double mass = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  double chi_square = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double expected = all * probabilities[i] / mass;
    if (expected == 0)
      EXPECT_EQ(counts[i], 0) << i;
    else
      chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  EXPECT_LT(chi_square, 22.5);  // 6 degrees of freedom: one in a thousand is more
  EXPECT_GT(all, 0);
}

TEST(Sample, ComesAsOftenAsItIsProbable) { expect_frequencies(counts(options()), kProbabilities); }

TEST(Sample, TemperatureSharpens) {
  SearchOptions o = options();
  o.temperature = 0.5;
  std::vector<double> squared = kProbabilities;
  for (double& p : squared) p *= p;
  expect_frequencies(counts(o), squared);
}

TEST(Sample, TopKCuts) {
  SearchOptions o = options();
  o.top_k = 3;
  expect_frequencies(counts(o), {0, 0, 0.4, 0.2, 0.15, 0, 0});
}

TEST(Sample, TopPCuts) {
  SearchOptions o = options();
  o.top_p = 0.7;
  expect_frequencies(counts(o), {0, 0, 0.4, 0.2, 0.15, 0, 0});
}

TEST(Sample, MinPCuts) {
  SearchOptions o = options();
  o.min_p = 0.3;
  expect_frequencies(counts(o), {0, 0, 0.4, 0.2, 0.15, 0, 0});
}

TEST(Sample, TopPCountsWhatTemperatureAndTopKLeave) {
  SearchOptions o = options();
  o.top_k = 3, o.top_p = 0.79;  // 0.4 and 0.2 of 0.75 are 0.8
  expect_frequencies(counts(o), {0, 0, 0.4, 0.2, 0, 0, 0});
}

TEST(Sample, AllowedWordsAndTheEnd) {
  SearchOptions o = options();
  o.allowed = {5, 3};
  expect_frequencies(counts(o), {0, 0.02, 0, 0.2, 0, 0.1, 0});
}

TEST(Sample, TellsTheModelsProbability) {
  SearchOptions o = with(Strategy::sample);
  o.n_best = 50, o.longest = 1, o.top_k = 2;
  for (const Hypothesis& hypothesis : of_one(fixed(kProbabilities), 1, o))
    EXPECT_NEAR(hypothesis.log_probabilities[0], std::log(kProbabilities[static_cast<size_t>(hypothesis.ids[0])]),
                1e-5);
}

TEST(Sample, SeedsAndNumbersMatter) {
  const Table table;
  const auto said = [&](int64_t seed, int64_t number) {
    SearchOptions o = with(Strategy::sample);
    o.seed = seed, o.numbers = {number}, o.ends = {}, o.longest = 20;
    return of_one(table, 4, o).at(0).ids;
  };
  EXPECT_EQ(said(1, 0), said(1, 0));
  EXPECT_NE(said(1, 0), said(2, 0));
  EXPECT_NE(said(1, 0), said(1, 1));
}

TEST(Sample, SeveralDifferAndKeepTheirOrder) {
  const Table table;
  SearchOptions o = with(Strategy::sample);
  o.n_best = 6;
  const std::vector<Hypothesis> six = of_one(table, 4, o);
  ASSERT_EQ(six.size(), 6u);
  o.n_best = 2;
  const std::vector<Hypothesis> two = of_one(table, 4, o);
  EXPECT_EQ(two[0].ids, six[0].ids);
  EXPECT_EQ(two[1].ids, six[1].ids);
  EXPECT_TRUE(std::any_of(six.begin(), six.end(), [&](const Hypothesis& each) { return each.ids != six[0].ids; }));
}

// ---- Options --------------------------------------------------------------------------------------------------------

TEST(Options, LengthPenaltyPrefersLonger) {
  Table table = fixed({0, 0.45, 0.55});
  SearchOptions o = options();
  o.longest = 4, o.beam = 8, o.early_stopping = EarlyStopping::never, o.length_penalty = 0;
  EXPECT_EQ(of_one(table, 1, o)[0].ids, Ids{kEnd});
  o.length_penalty = 3;
  EXPECT_EQ(of_one(table, 1, o)[0].ids, (Ids{2, 2, 2, 2}));
}

TEST(Options, CoveragePenaltyPrefersWhatLooksEverywhere) {
  int changed = 0;
  for (int32_t source = 0; source < 30; ++source) {
    SearchOptions o = options();
    o.longest = 4, o.beam = 256;
    const Ids plain = of_one(Table(), source, o)[0].ids;
    o.coverage_penalty = 3;
    const Ids covered = of_one(Table(), source, o)[0].ids;
    EXPECT_EQ(covered, everything(Table(), source, o)[0].ids);
    changed += covered != plain;
  }
  EXPECT_GT(changed, 3);
}

TEST(Options, ConstraintsAreThoseOfTheBestSentence) {
  for (int32_t source = 0; source < 20; ++source) {
    SearchOptions o = options();
    o.longest = 4, o.beam = 256, o.n_best = 3, o.early_stopping = EarlyStopping::never, o.allowed = {2, 3};
    expect_best(of_one(Table(), source, o),
                everything(Table(), source, o, [](const Ids& said) { return said.back() != 0; }));
    o.allowed = {}, o.no_repeat = 1;
    const auto once = [](const Ids& said) { return std::count(said.begin(), said.end(), said.back()) == 1; };
    expect_best(of_one(Table(), source, o), everything(Table(), source, o, once));
  }
}

TEST(Options, PrefixesComeFirst) {
  const Ids prefix = {3, 1, 2};
  for (int32_t source = 0; source < 20; ++source) {
    SearchOptions o = options();
    o.longest = 4, o.beam = 256, o.n_best = 3, o.early_stopping = EarlyStopping::never, o.prefixes = {prefix};
    const std::vector<Hypothesis> found = of_one(Table(), source, o);
    expect_best(found, everything(
                           Table(), source, o, [](const Ids&) { return true; }, prefix));
    EXPECT_EQ(found[0].forced, 3);
    EXPECT_EQ(found[0].log_probabilities[2], 0);
    EXPECT_NE(found[0].log_probabilities[3], 0);
  }
}

TEST(Options, RepetitionPenalty) {
  SearchOptions o = with(Strategy::greedy);
  o.longest = 3, o.ends = {};
  const Table table = fixed({0.1, 0.1, 0.42, 0.38});
  EXPECT_EQ(of_one(table, 1, o)[0].ids, (Ids{2, 2, 2}));
  o.repetition_penalty = 1.5;
  EXPECT_EQ(of_one(table, 1, o)[0].ids, (Ids{2, 3, 2}));
}

TEST(Options, HowLong) {
  const Table table = fixed({0.1, 0.0, 0.5, 0.4});
  SearchOptions o = with(Strategy::greedy);
  const auto length = [&] { return of_one(table, 1, o)[0].ids.size(); };
  EXPECT_EQ(length(), 12u);
  o.longest_factor = 2, o.longest_plus = 1;
  EXPECT_EQ(length(), 7u);
  o.longest = 5;
  EXPECT_EQ(length(), 5u);
  o.longest_factor = 0.1, o.longest_plus = 0;
  EXPECT_EQ(length(), 1u);
  o.longest = 5, o.longest_factor = 0;
  EXPECT_EQ(length(), 5u);
}

// The fewer hypotheses are waited for, the fewer rows are read; the more, the better the best is.
TEST(Options, EarlyStopping) {
  std::map<EarlyStopping, int64_t> rows;
  std::map<EarlyStopping, double> score;
  for (const EarlyStopping mode : {EarlyStopping::first, EarlyStopping::heuristic, EarlyStopping::never}) {
    Table table;
    SearchOptions o = options();
    o.early_stopping = mode, o.beam = 4, o.n_best = 4, o.length_form = LengthPenalty::marian, o.length_penalty = 1.2;
    std::vector<int32_t> first(100);
    std::iota(first.begin(), first.end(), 0);
    for (const auto& found : search(table, sources(first), o)) score[mode] += found[0].score;
    rows[mode] = table.rows_read;
  }
  EXPECT_LT(rows[EarlyStopping::first], rows[EarlyStopping::heuristic]);
  EXPECT_LT(rows[EarlyStopping::heuristic], rows[EarlyStopping::never]);
  EXPECT_LT(score[EarlyStopping::first], score[EarlyStopping::heuristic]);
  EXPECT_LE(score[EarlyStopping::heuristic], score[EarlyStopping::never]);
}

TEST(Options, SeveralEnds) {
  SearchOptions o = with(Strategy::greedy);
  o.ends = {1, 2};
  const Hypothesis found = of_one(fixed({0.1, 0.2, 0.4, 0.3}), 1, o)[0];
  EXPECT_EQ(found.ids, Ids{2});
  EXPECT_EQ(found.ending, Ending::end);
}

TEST(Options, WhyItEnded) {
  SearchOptions o = with(Strategy::greedy);
  o.longest = 3;
  EXPECT_EQ(of_one(counting(), 1, o)[0].ending, Ending::end);
  EXPECT_EQ(of_one(counting(), 9, o)[0].ending, Ending::longest);
  o.ends = {}, o.allowed = {2, 3}, o.no_repeat = 1;
  for (const Strategy strategy : {Strategy::greedy, Strategy::beam, Strategy::sample}) {
    o.strategy = strategy;
    const Hypothesis stuck = of_one(counting(), 9, o)[0];
    EXPECT_EQ(stuck.ending, Ending::nothing_left);
    EXPECT_EQ(stuck.ids.size(), 2u);
  }
}

TEST(Options, AlignmentIsWhereItLooked) {
  const Table table;
  SearchOptions o = options();
  o.beam = o.n_best = 3, o.prefixes = {{2, 3}};
  EXPECT_FALSE(of_one(table, 5, o)[0].alignment.defined());
  o.alignment = true;
  for (const Hypothesis& hypothesis : of_one(table, 5, o)) {
    std::vector<double> want;
    Ids said = {kBegin};
    for (const int32_t id : hypothesis.ids) {
      for (const double weight : Table::looks_after(5, said)) want.push_back(weight);
      said.push_back(id);
    }
    EXPECT_EQ(hypothesis.alignment.shape(), Shape({static_cast<int64_t>(hypothesis.ids.size()), 3}));
    EXPECT_TRUE(close(hypothesis.alignment.values(), want, 1e-6));
  }
}

TEST(Options, ALanguageModelGoesOnFromItsPrompt) {
  Table table;
  table.with_source = false;
  SearchOptions o = with(Strategy::greedy);
  o.begin.reset(), o.prefixes = {{2, 3, 2}, {3}}, o.longest_factor = 3, o.ends = {}, o.longest = 4;
  const Found found = search(table, {Tensor({2, 0}, Dtype::i64), Tensor::zeros({2}, Dtype::i64)}, o);
  Ids said = {2, 3, 2};
  for (int step = 0; step < 4; ++step) {
    const std::vector<double> row = table.logits_after(0, said);
    said.push_back(static_cast<int32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  EXPECT_EQ(found[0][0].ids, said);
  EXPECT_EQ(found[1][0].ids.size(), 5u);
}

// Each all at once but its last token, with which the four begin that are said.
TEST(Options, APromptIsReadAtOnce) {
  Table table;
  SearchOptions o = with(Strategy::greedy);
  o.prefixes = {Ids(40, 2), Ids(7, 2)}, o.ends = {}, o.longest = 4;
  search(table, sources({1, 2}), o);
  EXPECT_EQ(table.steps, 2 + 4);
  EXPECT_EQ(table.rows_read, 40 + 7 + 2 * 4);
}

// ---- Told on the way ------------------------------------------------------------------------------------------------

TEST(OnToken, HearsEveryTokenInItsOrder) {
  for (const Strategy strategy : {Strategy::greedy, Strategy::sample}) {
    SearchOptions o = with(strategy);
    if (strategy == Strategy::sample) o.n_best = 3;
    std::map<std::pair<int64_t, int64_t>, Ids> heard;
    o.on_token = [&](const Progress& so_far) {
      Ids& ids = heard[{so_far.sentence, so_far.hypothesis}];
      ids.push_back(so_far.ids.back());
      EXPECT_EQ(ids, Ids(so_far.ids.begin(), so_far.ids.end()));
      EXPECT_LT(so_far.log_probability, 0);
      return Then::go_on;
    };
    const Found found = search(Table(), sources({1, 2}), o);
    for (size_t n = 0; n < found.size(); ++n)
      for (size_t i = 0; i < found[n].size(); ++i)
        EXPECT_EQ((heard[{static_cast<int64_t>(n), static_cast<int64_t>(i)}]), found[n][i].ids);
  }
}

TEST(OnToken, HearsWhatMightHaveBeenSaid) {
  for (const Strategy strategy : {Strategy::greedy, Strategy::beam, Strategy::sample}) {
    SearchOptions o = with(strategy);
    o.alternatives = 3, o.top_k = strategy == Strategy::sample ? 1 : 0;
    std::vector<size_t> heard;
    o.on_token = [&](const Progress& so_far) {
      heard.push_back(so_far.alternatives.size());
      return Then::go_on;
    };
    const Hypothesis found = of_one(Table(), 1, o).at(0);
    EXPECT_FALSE(heard.empty());
    for (const size_t count : heard) EXPECT_EQ(count, 3u);
    ASSERT_EQ(found.alternatives.size(), found.ids.size());
    Ids said = {kBegin};
    for (size_t n = 0; n < found.ids.size(); ++n) {
      const std::vector<double> all = log_softmax(Table().logits_after(1, said));
      std::vector<double> sorted = all;
      std::sort(sorted.begin(), sorted.end(), std::greater<>());
      for (size_t i = 0; i < 3; ++i) {
        const Alternative& each = found.alternatives[n][i];
        EXPECT_NEAR(each.log_probability, sorted[i], 1e-5);
        EXPECT_NEAR(each.log_probability, all[static_cast<size_t>(each.id)], 1e-5);
      }
      said.push_back(found.ids[n]);
    }
  }
  EXPECT_TRUE(of_one(Table(), 1, options()).at(0).alternatives.empty());
}

TEST(OnToken, MayStopOneAndNotTheOthers) {
  for (const Strategy strategy : {Strategy::greedy, Strategy::beam, Strategy::sample}) {
    SearchOptions o = with(strategy);
    o.ends = {}, o.longest = 6;
    o.on_token = [](const Progress& so_far) {
      return so_far.sentence == 1 && so_far.ids.size() == 2 ? Then::stop : Then::go_on;
    };
    const Found found = search(Table(), sources({1, 2, 3}), o);
    EXPECT_EQ(found[0][0].ids.size(), 6u);
    EXPECT_EQ(found[1][0].ids.size(), 2u);
    EXPECT_EQ(found[1][0].ending, Ending::stopped);
    EXPECT_EQ(found[2][0].ending, Ending::longest);
  }
}

// ---- What is refused ------------------------------------------------------------------------------------------------

::testing::AssertionResult refuses(const std::function<void(SearchOptions&)>& change,
                                   const std::vector<std::string>& words) {
  SearchOptions o = options();
  change(o);
  return complains([&] { search(Table(), sources({1}), o); }, words);
}

TEST(Refused, OptionsThatMakeNoSense) {
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.beam = 0; }, {"search", "beam is 0"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.n_best = 5; }, {"n_best is 5", "4"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.n_best = 2, o.strategy = Strategy::greedy; }, {"n_best is 2", "1"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.n_best = 0, o.strategy = Strategy::sample; }, {"n_best is 0"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.alternatives = -1; }, {"alternatives is -1"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.coverage_penalty = -1; }, {"coverage_penalty is -1"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.length_penalty = INFINITY; }, {"length_penalty"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.longest = 0; }, {"longest is 0"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.longest_factor = -1; }, {"-1 times"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.no_repeat = -1; }, {"no_repeat is -1"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.repetition_penalty = 0; }, {"repetition_penalty is 0"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.temperature = 0; }, {"temperature is 0", "greedy"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.top_k = -1; }, {"top_k is -1"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.top_p = 0; }, {"top_p is 0"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.min_p = 1.5; }, {"min_p is 1.5"}));
}

TEST(Refused, WordsAndSentencesThatDoNotFit) {
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.allowed = {4}; }, {"allowed", "token 4", "has 4"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.ends = {-1}; }, {"ends", "-1"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.prefixes = {{2, 9}}; }, {"prefix", "9"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.prefixes = {{2}, {3}}; }, {"2 prefixes", "1 sentences"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.numbers = {2, 3}; }, {"2 numbers", "1 sentences"}));
  EXPECT_TRUE(refuses([](SearchOptions& o) { o.begin.reset(); }, {"sentence 0", "begin"}));
}

TEST(Refused, AnAlignmentThatThereIsNot) {
  Table table;
  table.with_weights = false;
  SearchOptions o = options();
  o.alignment = true;
  EXPECT_TRUE(complains([&] { search(table, sources({1}), o); }, {"table", "no alignment"}));
  table.with_source = false;
  EXPECT_TRUE(complains([&] { search(table, sources({1}), o); }, {"table", "has none"}));
}

TEST(Refused, LogitsThatAreNoNumbers) {
  for (const double wrong : {static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    Table table;
    table.logits = [wrong](int64_t source, const Ids&) -> std::vector<double> {
      return {0, 1, source == 8 ? wrong : 2, 3};
    };
    EXPECT_TRUE(refused(ErrorKind::numeric, {"table", "sentence 1"}, [&] {
      search(table, sources({7, 8}), options());
    }));
  }
}

TEST(Options, AreReadFromText) {
  const auto o = configured<SearchOptions>("search", {{"strategy", "sample"},
                                                      {"length_form", "marian"},
                                                      {"early_stopping", "never"},
                                                      {"top_p", "0.9"},
                                                      {"alignment", "true"}});
  EXPECT_EQ(o.strategy, Strategy::sample);
  EXPECT_EQ(o.length_form, LengthPenalty::marian);
  EXPECT_EQ(o.early_stopping, EarlyStopping::never);
  EXPECT_EQ(o.top_p, 0.9);
  EXPECT_TRUE(o.alignment);
  EXPECT_EQ(field_texts(o).at("strategy"), "sample");
  EXPECT_TRUE(complains([] { configured<SearchOptions>("search", {{"strategy", "best"}}); }, {"greedy, beam, sample"}));
}

TEST(Search, NothingIsSaidBeyondAModelsPlaces) {
  const auto model =
      make_model("decoder-lm", {{"target_words", "7"}, {"width", "8"}, {"heads", "2"}, {"longest", "5"}});
  const Sentences none{Tensor({1, 0}, Dtype::i64), Tensor::zeros({1}, Dtype::i64)};
  for (const int64_t beam : {1, 3}) {
    const SearchOptions options{.beam = beam, .longest_factor = 0, .ends = {}, .prefixes = {{4, 5}}};
    EXPECT_EQ(search(*model, none, options)[0][0].ids.size(), 2u + 3u);  // a begin, two and two are read, one is said
  }
  EXPECT_TRUE(complains([&] { search(*model, none, {.prefixes = {{1, 2, 3, 4, 5}}}); }, {"6 tokens", "5 places"}));
}

}  // namespace
}  // namespace heed
