#include "generate/stepped_search.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace heed {
namespace {

const Sentences kSource = pad({{5, 6, 7}, {8, 9}, {4, 4, 4, 4, 5}});

std::unique_ptr<SequenceModel> model() {
  seed(3);
  return make_model("rnn-search", {{"source_words", "12"}, {"target_words", "9"}, {"width", "8"}});
}

TEST(SteppedSearch, FindsWhatSearchFinds) {
  const auto by = model();
  const SearchOptions options = {.beam = 3, .n_best = 2, .longest = 9};
  const Found wanted = search(*by, kSource, options);
  SteppedSearch search(*by, kSource, options);
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

TEST(SteppedSearch, TellsOfASentenceWhenItIsDone) {
  const auto by = model();
  const auto stop_the_second = [](const Progress& at) { return at.sentence == 1 ? Then::stop : Then::go_on; };
  SteppedSearch search(*by, kSource,
                       {.strategy = Strategy::greedy, .longest = 9, .ends = {}, .on_token = stop_the_second});
  EXPECT_EQ(search.step(), std::vector<int64_t>{1});
  EXPECT_EQ(search.take(1).at(0).ids.size(), 1u);
  int64_t steps = 1;
  for (; !search.done(); ++steps) search.step();
  EXPECT_EQ(steps, 9);
  EXPECT_EQ(search.take(0).at(0).ids.size(), 9u);
}

TEST(SteppedSearch, OfNothingIsRefused) {
  const auto by = model();
  EXPECT_THROW(SteppedSearch(*by, {Tensor({0, 3}, Dtype::i64), Tensor({0}, Dtype::i64)}), Error);
}

}  // namespace
}  // namespace heed
