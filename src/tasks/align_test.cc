// Alignments of a translator: of every pair a line, one direction or two, and what people say of them.
#include "tasks/align.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "support/files.h"
#include "tasks/run_folder.h"
#include "tasks/training_run.h"

namespace heed {
namespace {

using testing::Folder;
using testing::refused;
using testing::write_file;

[[maybe_unused]] const int kOneCore = setenv("HEED_THREADS", "1", 0);

class Align : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(folder_ / "pairs.tsv",
               "a b\tc d\nb a\td c\na a\tc c\nb b\td d\na b b\tc d d\nb a a\td c c\na\tc\nb\td\n");
    write_file(folder_ / "back.tsv",
               "c d\ta b\nd c\tb a\nc c\ta a\nd d\tb b\nc d d\ta b b\nd c c\tb a a\nc\ta\nd\tb\n");
    train("there", "pairs.tsv", "transformer"), train("back", "back.tsv", "rnn-search");
  }
  void train(const std::string& run, const std::string& data, const std::string& model) {
    for (const TaskRow& row : tasks())
      if (row.name == std::string("translate"))
        train_run(row,
                  Fields({{"data", folder_ / data},
                          {"model", model},
                          {"tokens", "characters"},
                          {"width", "16"},
                          {"steps", "2"},
                          {"validation", "0.25"}}),
                  folder_ / run);
  }
  Alignments aligned(Symmetrize how, bool back = false, const std::string& gold = "", int64_t begin = 0) {
    AlignOptions options;
    options.data = folder_ / "pairs.tsv", options.symmetrize = how, options.gold_begin = begin;
    if (back) options.reverse = folder_ / "back";
    if (!gold.empty()) write_file(folder_ / "gold", gold), options.gold = folder_ / "gold";
    return align(folder_ / "there", options);
  }
  Folder folder_;
};

TEST_F(Align, EachWordOfTheTargetHasASource) {
  const Alignments found = aligned(Symmetrize::none);
  ASSERT_EQ(found.links.size(), 8u);
  const std::vector<int64_t> words = {2, 2, 2, 2, 3, 3, 1, 1};
  for (size_t n = 0; n < words.size(); ++n) {
    EXPECT_EQ(std::ssize(found.links[n]), words[n]);
    for (const Link& link : found.links[n]) EXPECT_TRUE(link.source < words[n] && link.target < words[n]);
  }
  EXPECT_FALSE(found.error_rate.has_value());
}

TEST_F(Align, TwoDirectionsBecomeOne) {
  for (const bool back : {false, true}) {
    const Alignments both = aligned(Symmetrize::intersection, back), either = aligned(Symmetrize::either, back),
                     grown = aligned(Symmetrize::grow_diag, back);
    const auto within = [](const std::vector<Link>& few, const std::vector<Link>& many) {
      return std::all_of(few.begin(), few.end(),
                         [&](const Link& link) { return std::find(many.begin(), many.end(), link) != many.end(); });
    };
    for (size_t n = 0; n < both.links.size(); ++n) {
      EXPECT_TRUE(within(both.links[n], grown.links[n])) << pharaoh(both.links[n]);
      EXPECT_TRUE(within(grown.links[n], either.links[n])) << pharaoh(grown.links[n]);
    }
  }
  EXPECT_TRUE(refused(ErrorKind::usage, {"--symmetrize"}, [&] { aligned(Symmetrize::none, true); }));
}

TEST_F(Align, IsMeasuredByALineALinkToo) {
  std::string lines, possible;
  int64_t pair = 0;
  for (const std::vector<Link>& links : aligned(Symmetrize::none).links) {
    ++pair;
    for (const Link& link : links) {
      lines += fmt::format("{:04} {} {}{}\n", pair, link.source + 1, link.target + 1, pair % 2 == 0 ? " S" : "");
      possible +=
          fmt::format("{} {} {} {} 0.75\n", pair, link.source + 1, link.target + 1, link.target == 0 ? 'S' : 'P');
    }
  }
  const auto rate = [&](const std::string& gold) { return aligned(Symmetrize::none, false, gold).error_rate.value(); };
  EXPECT_NEAR(rate(lines), 0, 1e-12);
  EXPECT_NEAR(rate(lines + "\n8 7 9 P\n"), 0, 1e-12);
  EXPECT_GT(rate(lines + "8 7 9 S\n"), 0);
  EXPECT_NEAR(rate(possible), 0, 1e-12);
  const auto refuse = [&](const std::string& gold, const std::vector<std::string>& words) {
    return refused(ErrorKind::data, words, [&] { aligned(Symmetrize::none, false, gold); });
  };
  EXPECT_TRUE(refuse("1 1 1 S\n9 1 1 S\n", {"gold:2", "pair 9", "8"}));
  for (const char* wrong : {"1 1", "1 0 1 S", "0 1 1", "1 1 1 Q", "1 1 -1 S", "1 1 99999999999999999999 S"})
    EXPECT_TRUE(refuse(std::string("1 1 1 S\n") + wrong + "\n", {"gold:2", wrong, "S or P"})) << wrong;
}

// A pair is aligned as it would be alone.
TEST_F(Align, PairsTogetherAreAsEachByItself) {
  const std::vector<std::vector<Link>> together = aligned(Symmetrize::grow_diag).links;
  write_file(folder_ / "pairs.tsv", "a b b\tc d d\n");
  const auto one = aligned(Symmetrize::grow_diag).links;
  EXPECT_EQ(one.at(0), together.at(4));
}

TEST_F(Align, IsMeasuredByWhatPeopleSay) {
  std::string same, from_one, possible;
  for (const std::vector<Link>& links : aligned(Symmetrize::none).links) {
    same += pharaoh(links) + "\n";
    for (const Link& link : links) {
      from_one += fmt::format("{}-{} ", link.source + 1, link.target + 1);
      possible += fmt::format("{}{}{} ", link.source, link.target % 2 == 0 ? '-' : '?', link.target);
    }
    from_one += "\n", possible += "\n";
  }
  EXPECT_NEAR(aligned(Symmetrize::none, false, same).error_rate.value(), 0, 1e-12);
  EXPECT_NEAR(aligned(Symmetrize::none, false, from_one, 1).error_rate.value(), 0, 1e-12);
  EXPECT_NEAR(aligned(Symmetrize::none, false, possible).error_rate.value(), 0, 1e-12);
  EXPECT_GT(aligned(Symmetrize::none, false, from_one, 0).error_rate.value(), 0.5);
  const auto refuse = [&](const std::string& gold, const std::vector<std::string>& words, int64_t begin = 0) {
    return refused(ErrorKind::data, words, [&] { aligned(Symmetrize::none, false, gold, begin); });
  };
  EXPECT_TRUE(refuse("0-0\n", {"gold", "1 lines", "8 pairs"}));
  EXPECT_TRUE(refuse(same + "0-0\n", {"gold", "after line 8"}));
  EXPECT_TRUE(refuse("0+0\n", {"gold:1", "'0+0'"}));
  EXPECT_TRUE(refuse("0-1\n", {"gold:1", "from 1 on"}, 1));
}

}  // namespace
}  // namespace heed
