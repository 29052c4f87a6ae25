// What is said of empty texts, missing classes, threads and wrong calls; that the figures are right is compared with
// others' in tests/golden/metrics_test.cc.
#include "train/metrics/metrics.h"

#include <gtest/gtest.h>
#include <heed/base.h>

#include <cmath>
#include <limits>

#include "support/files.h"
#include "train/metrics/edits.h"

namespace heed::metrics {
namespace {

using testing::refused;

TEST(Bleu, EqualTextsAreWorthAHundredAndNothingNothing) {
  const Bleu bleu;
  EXPECT_NEAR(bleu.score(bleu.stats("the cat sat on the mat", {"the cat sat on the mat"})), 100, 1e-12);
  EXPECT_EQ(bleu.score(bleu.stats("", {"the cat"})), 0);
  EXPECT_EQ(bleu.score(bleu.stats("", {""})), 0);
  EXPECT_EQ(bleu.score(bleu.stats("a dog", {"the cat"})), 0);
}

// c = 6, r = 7: exp(1 − 7/6); of 6, 5, 4 and 3 n-grams 6, 4, 2 and 1 match.
TEST(Bleu, ByHand) {
  const Bleu bleu({.tokens = BleuTokens::none});
  const auto stats = bleu.stats("a b c d f e", {"a b c d e f g"});
  EXPECT_EQ(stats.matched, (std::array<int64_t, 4>{6, 3, 2, 1}));
  EXPECT_EQ(stats.total, (std::array<int64_t, 4>{6, 5, 4, 3}));
  const Bleu::Figures figures = bleu.figures(stats);
  EXPECT_NEAR(figures.brevity_penalty, std::exp(-1.0 / 6), 1e-15);
  EXPECT_NEAR(figures.score, 100 * std::exp(-1.0 / 6) * std::pow(1 * 3. / 5 * 2. / 4 * 1. / 3, 0.25), 1e-12);
}

TEST(Bleu, NamesAnUnknownTokenisation) {
  EXPECT_TRUE(refused(ErrorKind::usage, {"'13b'", "13a, intl, zh, char, none"}, [] { bleu_tokens("13b"); }));
  EXPECT_EQ(bleu_tokens("zh"), BleuTokens::zh);
}

TEST(Texts, BrokenUtf8IsTakenAsItIsReplaced) {
  const Chrf chrf;
  EXPECT_NEAR(chrf.score(chrf.stats("a\xff z", {"a\xef\xbf\xbd z"})), 100, 1e-12);
  EXPECT_EQ(Ter().stats("\xc3", {"\xe2\x82"}).edits, 0);
}

TEST(Texts, LowerCaseKnowsTheEndOfAWord) {
  const Ter ter;
  EXPECT_EQ(ter.stats("ΟΔΟΣ İ", {"οδος i\u0307"}).edits, 0);
  EXPECT_EQ(ter.stats("ΟΔΟΣ", {"οδοσ"}).edits, 1);
}

TEST(Chrf, SaysWhichOrdersThereAre) {
  EXPECT_TRUE(refused(ErrorKind::usage, {"7 characters", "1 to 6"}, [] { Chrf({.characters = 7}); }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"3 words", "0 to 2"}, [] { Chrf({.words = 3}); }));
}

TEST(Edits, AMoveOfSeveralWordsIsOne) {
  EXPECT_EQ(edits_with_shifts(U"abcdefg", U"efgabcd"), 1);
  EXPECT_EQ(edits_with_shifts(U"abxcd", U"abcd"), 1);
  EXPECT_EQ(edits_with_shifts(U"", U"abc"), 3);
  EXPECT_EQ(edits_with_shifts(U"abc", U""), 3);
  EXPECT_EQ(edits_with_shifts(U"", U""), 0);
}

TEST(Edits, VeryUnequalLengthsMeet) {
  EXPECT_EQ(edits_with_shifts(U"a", std::u32string(500, U'b')), 500);
  EXPECT_EQ(edits_with_shifts(std::u32string(500, U'b'), U"a"), 500);
  EXPECT_EQ(edits_with_shifts(std::u32string(3, U'b'), std::u32string(400, U'b')), 397);
}

TEST(Segments, AreAsManyAsTheirReferences) {
  const Bleu bleu;
  EXPECT_TRUE(refused(ErrorKind::usage, {"1 hypotheses for 2 references"}, [&] {
    segment_statistics(bleu, {"a"}, {{"a"}, {"b"}});
  }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"segment 2 has no reference"}, [&] {
    segment_statistics(bleu, {"a", "b"}, {{"a"}, {}});
  }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"no reference"}, [&] { bleu.stats("a", {}); }));
}

// ---- bootstrap -----------------------------------------------------------------------------------------------

struct Sum {
  double value = 0;
  Sum& operator+=(const Sum& other) {
    value += other.value;
    return *this;
  }
};
std::vector<Sum> values(int64_t n) {
  std::vector<Sum> all;
  for (int64_t i = 0; i < n; ++i) all.push_back({static_cast<double>(i % 7)});
  return all;
}
double value_of(const Sum& sum) { return sum.value; }

TEST(Bootstrap, ThreadsChangeNothing) {
  const int before = threads();
  set_threads(1);
  const auto one = resampled(values(100), value_of);
  set_threads(3);
  const auto three = resampled(values(100), value_of);
  set_threads(before);
  EXPECT_EQ(one, three);
  EXPECT_NE(one, resampled(values(100), value_of, {.seed = 2}));
}

// The deviation of a mean of n values is their own divided by √n; 95 % lie within 1.96 of it.
TEST(Bootstrap, AnIntervalIsAsWideAsTheoryHasIt) {
  const auto segments = values(700);
  const Interval got = interval(resampled(segments, value_of, {.resamples = 4000}));
  EXPECT_NEAR(got.mean, 2100, 5);
  EXPECT_NEAR(got.half(), 1.96 * 2 * std::sqrt(700.0), 5);
}

TEST(Bootstrap, ASystemIsNoBetterThanItself) {
  const auto scores = resampled(values(50), value_of);
  const Paired got = paired(scores, scores, 0);
  EXPECT_EQ(got.second_ahead, 0);
  EXPECT_LT(got.p_value, 0.01);  // as in sacreBLEU: a difference of 0 is not put down to chance
}

TEST(Bootstrap, DrawsLabelsToo) {
  const std::vector<Decision> decisions = {{0, 0}, {0, 1}, {1, 1}, {1, 1}};
  const auto accuracy = [](const Confusion& sum) { return sum.accuracy(); };
  const Interval got = interval(resampled(decisions, accuracy, {}, Confusion(2)));
  EXPECT_NEAR(got.mean, 0.75, 0.03);
  EXPECT_EQ(got.high, 1);
}

TEST(Bootstrap, RefusesNothing) {
  EXPECT_TRUE(refused(ErrorKind::usage, {"no segment"}, [] { resampled(values(0), value_of); }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"0 resamples"}, [] { resampled(values(3), value_of, {.resamples = 0}); }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"1 resamples", "2"}, [] { paired({1}, {1, 2}, 0); }));
}

// ---- labels --------------------------------------------------------------------------------------------------

TEST(Confusion, AddsUpAndNamesAForeignLabel) {
  Confusion sum(3), other(3);
  sum += Decision{0, 1}, other += Decision{2, 2}, sum += other;
  EXPECT_EQ(sum.count(), 2);
  EXPECT_EQ(sum.count(0, 1), 1);
  EXPECT_EQ(sum.accuracy(), 0.5);
  EXPECT_TRUE(refused(ErrorKind::data, {"label 3", "3 classes"}, [&] { sum += Decision{0, 3}; }));
  EXPECT_TRUE(refused(ErrorKind::data, {"label -1"}, [&] { sum += Decision{-1, 0}; }));
  EXPECT_TRUE(refused(ErrorKind::usage, {"3 classes and 2"}, [&] { sum += Confusion(2); }));
}

TEST(Auc, TiesAreHalfRight) {
  EXPECT_EQ(auc(std::vector<double>{1, 1, 1, 1}, {true, false, true, false}), 0.5);
  EXPECT_EQ(auc(std::vector<double>{1, 2, 2, 3}, {false, false, true, true}), 3.5 / 4);
  EXPECT_EQ(auc(std::vector<double>{3, 2, 1}, {true, true, false}), 1);
}

TEST(Auc, IsNothingWhereOneSideIsMissing) {
  EXPECT_FALSE(auc(std::vector<double>{1, 2}, {true, true}).has_value());
  EXPECT_EQ(mean_of(std::vector<std::optional<double>>{0.5, {}, 1.0}), 0.75);
  EXPECT_FALSE(mean_of(std::vector<std::optional<double>>{{}, {}}).has_value());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(refused(ErrorKind::usage, {"NaN"}, [&] { auc(std::vector<double>{nan, 1}, {true, false}); }));
}

TEST(Calibration, ABinEndsWhereTheNextBegins) {
  const auto bins =
      calibration(std::vector<double>{0, 0.5, 0.500001, 1, 1.0000001}, {true, false, true, true, true}, 2);
  EXPECT_EQ(bins[0].count, 2);
  EXPECT_EQ(bins[0].accuracy, 0.5);
  EXPECT_EQ(bins[0].confidence, 0.25);
  EXPECT_EQ(bins[1].count, 3);
  EXPECT_TRUE(
      refused(ErrorKind::usage, {"1.5 is no probability"}, [] { calibration(std::vector<double>{1.5}, {true}); }));
}

TEST(Regression, IsSilentOnWhatIsNotDefined) {
  const Regression flat = regression(std::vector<double>{1, 2}, std::vector<double>{3, 3});
  EXPECT_EQ(flat.mse, 2.5);
  EXPECT_EQ(flat.mae, 1.5);
  EXPECT_FALSE(flat.r2.has_value());
  EXPECT_FALSE(flat.pearson.has_value());
  EXPECT_TRUE(refused(ErrorKind::usage, {"1 predictions for 2"}, [] {
    regression(std::vector<double>{1}, std::vector<double>{1, 2});
  }));
}

}  // namespace
}  // namespace heed::metrics
