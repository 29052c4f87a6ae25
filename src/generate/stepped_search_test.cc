#include "generate/stepped_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;
using Ids = std::vector<int32_t>;

const std::vector<Ids> kSource = {{5, 6, 7}, {8, 9}, {4, 4, 4, 4, 5}, {10, 3}, {7}, {2, 9, 11, 3}};

std::unique_ptr<SequenceModel> model(const std::string& name = "rnn-search",
                                     std::map<std::string, std::string> fields = {}) {
  seed(3);
  fields.insert({{"target_words", "9"}, {"width", "8"}});
  if (name != "decoder-lm" && name != "transformer-xl") fields.emplace("source_words", "12");
  return make_model(name, fields);
}

// Of a model that has none, one of width 0 for each.
Sentences source_of(const SequenceModel& by, const std::vector<Ids>& sentences) {
  const auto count = static_cast<int64_t>(sentences.size());
  return by.has_source() ? pad(sentences)
                         : Sentences{Tensor({count, 0}, Dtype::i64), Tensor::zeros({count}, Dtype::i64)};
}

TEST(SteppedSearch, FindsWhatSearchFinds) {
  const auto by = model();
  const SearchOptions options = {.beam = 3, .n_best = 2, .longest = 9};
  const Found wanted = search(*by, pad(kSource), options);
  SteppedSearch search(*by);
  EXPECT_EQ(search.add(pad(kSource), options), 0);
  size_t found = 0;
  while (!search.done())
    for (const int64_t n : search.step()) {
      const auto got = search.take(n);
      const auto& want = wanted.at(static_cast<size_t>(n));
      ASSERT_EQ(got.size(), want.size());
      for (size_t k = 0; k < got.size(); ++k) {
        EXPECT_EQ(got[k].ids, want[k].ids);
        EXPECT_EQ(got[k].score, want[k].score);
      }
      ++found;
    }
  EXPECT_EQ(found, wanted.size());
}

// One sentence after the other, the n-th after n more steps, each with a prefix of its own, asked for in one way after
// the other: as if it were alone.
void expect_joining_changes_nothing(const SequenceModel& by, const std::vector<SearchOptions>& ways) {
  SteppedSearch joined(by);
  std::map<int64_t, std::vector<Hypothesis>> got;
  const auto step = [&] {
    for (const int64_t n : joined.step()) got[n] = joined.take(n);
  };
  const auto way = [&](size_t n) {
    SearchOptions options = ways[n % ways.size()];
    options.longest = 9, options.longest_factor = 0, options.prefixes = {Ids(n * 2 % 5, 4)};
    options.numbers = {static_cast<int64_t>(10 + n)};
    options.alignment = n % 2 == 1 && by.name() != "plain-seq2seq" && by.has_source();
    return options;
  };
  for (size_t n = 0; n < kSource.size(); ++n) {
    EXPECT_EQ(joined.add(source_of(by, {kSource[n]}), way(n)), static_cast<int64_t>(n));
    for (size_t i = 0; i < n && !joined.done(); ++i) step();
  }
  while (!joined.done()) step();
  ASSERT_EQ(got.size(), kSource.size());
  for (size_t n = 0; n < kSource.size(); ++n) {
    SCOPED_TRACE(n);
    const std::vector<Hypothesis> want = search(by, source_of(by, {kSource[n]}), way(n))[0];
    const auto& found = got[static_cast<int64_t>(n)];
    ASSERT_EQ(found.size(), want.size());
    for (size_t k = 0; k < want.size(); ++k) {
      EXPECT_EQ(found[k].ids, want[k].ids);
      EXPECT_NEAR(found[k].score, want[k].score, 1e-4);
      ASSERT_EQ(found[k].alignment.defined(), want[k].alignment.defined());
      if (!want[k].alignment.defined()) continue;
      ASSERT_EQ(found[k].alignment.shape(), want[k].alignment.shape());
      EXPECT_TRUE(close(found[k].alignment.values(), want[k].alignment.values(), 1e-4));
    }
  }
}

TEST(SteppedSearch, WhoJoinsFindsWhatHeFindsAlone) {
  const std::vector<SearchOptions> ways = {
      {.beam = 3, .n_best = 2}, {.strategy = Strategy::greedy}, {.strategy = Strategy::sample, .n_best = 2}};
  for (const ModelInfo& info : models()) {
    SCOPED_TRACE(info.name);
    const auto by = model(info.name);
    for (const SearchOptions& options : ways) expect_joining_changes_nothing(*by, {options});
    expect_joining_changes_nothing(*by, ways);
  }
  for (const char* position : {"rope", "alibi", "t5", "shaw", "sinusoidal", "learned", "learned_positions"}) {
    SCOPED_TRACE(position);
    expect_joining_changes_nothing(*model("transformer", {{"position", position}}), ways);
    expect_joining_changes_nothing(*model("decoder-lm", {{"position", position}}), ways);
  }
}

TEST(SteppedSearch, TellsOfASentenceWhenItIsDone) {
  const auto by = model();
  const auto stop_the_second = [](const Progress& at) { return at.sentence == 1 ? Then::stop : Then::go_on; };
  SteppedSearch search(*by);
  search.add(pad(kSource), {.strategy = Strategy::greedy, .longest = 9, .ends = {}, .on_token = stop_the_second});
  EXPECT_EQ(search.step(), std::vector<int64_t>{1});
  EXPECT_EQ(search.take(1).at(0).ids.size(), 1u);
  EXPECT_TRUE(complains([&] { search.take(1); }, {"sentence 1"}));
  int64_t steps = 1;
  for (; !search.done(); ++steps) search.step();
  EXPECT_EQ(steps, 9);
  EXPECT_EQ(search.take(0).at(0).ids.size(), 9u);
}

TEST(SteppedSearch, OfNothingIsDone) {
  const auto by = model();
  SteppedSearch search(*by);
  EXPECT_TRUE(search.done());
  search.add({Tensor({0, 3}, Dtype::i64), Tensor({0}, Dtype::i64)});
  EXPECT_TRUE(search.done());
  EXPECT_TRUE(search.step().empty());
}

// What cannot begin changes nothing of what is under way.
TEST(SteppedSearch, RefusesOneAndGoesOn) {
  const auto by = model("decoder-lm", {{"longest", "6"}});
  SteppedSearch search(*by);
  const auto add = [&](const Ids& prefix, SearchOptions options = {}) {
    options.strategy = Strategy::greedy, options.longest = 4, options.ends = {}, options.prefixes = {prefix};
    search.add(source_of(*by, {{}}), options);
  };
  add({4, 5});
  search.step();
  EXPECT_TRUE(complains([&] { add({9}); }, {"prefix", "9"}));
  EXPECT_TRUE(complains([&] { add({4}, {.allowed = {10}}); }, {"allowed", "10"}));
  EXPECT_TRUE(complains([&] { add(Ids(8, 4)); }, {"9 tokens", "6 places"}));
  while (!search.done()) search.step();
  EXPECT_EQ(search.take(0)[0].ids.size(), 6u);
}

}  // namespace
}  // namespace heed
