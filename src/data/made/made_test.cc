// Made data says what is true: each line is read again here, by other means than it was written.
#include "data/made/made.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "base/check.h"
#include "data/made/words.h"
#include "support/files.h"

namespace heed {
namespace {

using testing::refused;

constexpr MadeOptions kEnglish{.language = MadeLanguage::english}, kChinese{.language = MadeLanguage::chinese};

std::vector<std::string> found(const std::string& text, const char* pattern) {
  static std::map<const char*, std::regex> known;
  const std::regex& regex = known.try_emplace(pattern, pattern).first->second;
  std::vector<std::string> all;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) all.push_back(at->str());
  return all;
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

// ---- the same lines --------------------------------------------------------------------------------------

class EachKind : public ::testing::TestWithParam<size_t> {
 protected:
  std::string name() const { return data::made_kinds()[GetParam()].name; }
  std::string text(int64_t lines, uint64_t seed) const {
    std::string text;
    for (const Row& row : made_data(name(), lines, {.seed = seed}))
      text += fmt::format("{} {}\t{}\n", row.line, row.values.at(0), row.values.at(1));
    return text;
  }
};

TEST_P(EachKind, ALineDependsOnSeedAndNumberAlone) {
  const std::string hundred = text(100, 3);
  EXPECT_EQ(hundred, text(100, 3));
  EXPECT_NE(hundred, text(100, 4));
  EXPECT_EQ(text(1000, 3).substr(0, hundred.size()), hundred);
}

TEST_P(EachKind, LinesDiffer) {
  std::set<std::string> sources;
  for (const Row& row : made_data(name(), 1000, {.length = {}})) sources.insert(row.values.at(0) + row.values.at(1));
  EXPECT_GT(sources.size(), 700u);
}

INSTANTIATE_TEST_SUITE_P(Table, EachKind, ::testing::Range<size_t>(0, 5),
                         [](const auto& at) { return std::string(data::made_kinds()[at.param].name); });

// ---- dates -----------------------------------------------------------------------------------------------

struct Date {
  int year, month, day;
};
Date date_of(const std::string& iso) {
  static const std::regex form("\\d{4}-\\d\\d-\\d\\d");
  EXPECT_TRUE(std::regex_match(iso, form)) << iso;
  return {std::stoi(iso.substr(0, 4)), std::stoi(iso.substr(5, 2)), std::stoi(iso.substr(8, 2))};
}
// Gauss' rule for the first of January, then the days since: 0 is a Sunday.
int weekday_of(const Date& date) {
  const auto leap = [](int y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); };
  const int y = date.year - 1, first = (1 + 5 * (y % 4) + 4 * (y % 100) + 6 * (y % 400)) % 7;
  const int months[] = {31, leap(date.year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int days = date.day - 1;
  for (int m = 1; m < date.month; ++m) days += months[m - 1];
  return (first + days) % 7;
}

TEST(Dates, SayWhatTheirTargetSays) {
  const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const char* weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  for (const Row& row : made_data("dates", 5000, kEnglish)) {
    const std::string& source = row.values[0];
    const Date date = date_of(row.values[1]);
    for (const std::string& year : found(source, "\\d{4}")) EXPECT_EQ(std::stoi(year), date.year) << source;
    for (const std::string& name : found(source, "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"))
      EXPECT_EQ(name, months[date.month - 1]) << source;
    for (const std::string& name : found(source, "(Sun|Mon|Tue|Wed|Thu|Fri|Sat)"))
      EXPECT_EQ(name, weekdays[weekday_of(date)]) << source;
    for (const std::string& number : found(source, "\\b\\d{1,2}(?!\\d)"))
      EXPECT_TRUE(std::stoi(number) == date.day || std::stoi(number) == date.month) << source;
    for (const std::string& nth : found(source, "(twenty-|thirty-)?(first|second|third|fourth|fifth)\\b"))
      EXPECT_EQ(data::english_ordinal(date.day), nth) << source;
  }
}

TEST(Dates, ChineseOnesToo) {
  const char* weekdays[] = {"日", "一", "二", "三", "四", "五", "六"};
  int written_out = 0;
  for (const Row& row : made_data("dates", 5000, kChinese)) {
    const std::string& source = row.values[0];
    const Date date = date_of(row.values[1]);
    for (const std::string& year : found(source, "\\d{4}")) EXPECT_EQ(std::stoi(year), date.year) << source;
    for (const std::string& name : found(source, "(星期|周|礼拜)(日|一|二|三|四|五|六)"))
      EXPECT_TRUE(name.ends_with(weekdays[weekday_of(date)])) << source;
    for (const std::string& number : found(source, "\\b\\d{1,2}(?!\\d)"))
      EXPECT_TRUE(std::stoi(number) == date.day || std::stoi(number) == date.month) << source;
    written_out += has(source, data::chinese_digits(date.year, data::Zero::circle) + "年" + data::chinese(date.month) +
                                   "月" + data::chinese(date.day) + "日");
  }
  EXPECT_GT(written_out, 500);
}

TEST(Dates, CoverTwoHundredYearsEvenly) {
  std::map<int, int> decades, months;
  for (const Row& row : made_data("dates", 20000)) {
    const Date date = date_of(row.values[1]);
    ++decades[date.year / 10], ++months[date.month];
  }
  EXPECT_EQ(decades.size(), 20u);
  EXPECT_EQ(months.size(), 12u);
  for (const auto& [decade, count] : decades) EXPECT_NEAR(count, 1000, 150) << decade;  // five deviations
  for (const auto& [month, count] : months) EXPECT_NEAR(count, 1667, 250) << month;
}

TEST(Dates, SlashesLeaveNoDoubt) {
  const std::regex form("(\\d+)/(\\d+)/\\d{4}");
  int slashes = 0;
  for (const Row& row : made_data("dates", 20000, kEnglish))
    if (std::smatch parts; std::regex_match(row.values[0], parts, form)) {
      ++slashes;
      EXPECT_GT(std::max(std::stoi(parts[1]), std::stoi(parts[2])), 12) << row.values[0];
    }
  EXPECT_GT(slashes, 200);
}

TEST(Dates, BothLanguagesHaveHalf) {
  const auto rows = made_data("dates", 4000);
  EXPECT_NEAR(std::count_if(rows.begin(), rows.end(), [](const Row& row) { return has(row.values[0], "年"); }), 1800,
              250);
}

// ---- numbers ---------------------------------------------------------------------------------------------

int64_t read_english(std::string text) {
  std::map<std::string, int64_t> values;
  for (int64_t n = 0; n < 100; ++n) values[data::english(n)] = n;
  const std::map<std::string, int64_t> units = {{"thousand", 1000}, {"million", 1000000}, {"billion", 1000000000}};
  int64_t sum = 0, group = 0;
  for (const std::string& word : found(text, "[a-z-]+"))
    if (word == "hundred")
      group *= 100;
    else if (units.count(word))
      sum += group * units.at(word), group = 0;
    else if (word != "and")
      group += values.at(word);
  return sum + group;
}

int64_t read_chinese(const std::string& text) {
  const std::map<std::string, int64_t> figures = {{"零", 0}, {"一", 1}, {"二", 2}, {"两", 2}, {"三", 3}, {"四", 4},
                                                  {"五", 5}, {"六", 6}, {"七", 7}, {"八", 8}, {"九", 9}};
  const std::map<std::string, int64_t> units = {{"十", 10}, {"百", 100}, {"千", 1000}};
  int64_t sum = 0, group = 0, figure = 0;
  for (size_t i = 0; i < text.size(); i += 3) {
    const std::string sign = text.substr(i, 3);
    if (figures.count(sign))
      figure = figures.at(sign);
    else if (units.count(sign))
      group += (figure == 0 ? 1 : figure) * units.at(sign), figure = 0;
    else
      sum += (group + figure) * (sign == "万" ? 10000 : 100000000), group = figure = 0;
  }
  return sum + group + figure;
}

TEST(Words, AsOneSaysThem) {
  using namespace data;
  EXPECT_EQ(english(2004), "two thousand and four");
  EXPECT_EQ(english(2004, And::left_out), "two thousand four");
  EXPECT_EQ(english(1000100), "one million one hundred");
  EXPECT_EQ(english(0), "zero");
  EXPECT_EQ(english_ordinal(31), "thirty-first");
  EXPECT_EQ(english_ordinal(20), "twentieth");
  EXPECT_EQ(english_ordinal(12), "twelfth");
  EXPECT_EQ(english_ordinal(9), "ninth");
  EXPECT_EQ(english_ordinal(18), "eighteenth");
  const std::vector<int64_t> days = {1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 30};
  std::string nth;
  for (const int64_t day : days) nth += ordinal_digits(day) + " ";
  EXPECT_EQ(nth, "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 23rd 30th ");
  EXPECT_EQ(chinese(12), "十二");
  EXPECT_EQ(chinese(112), "一百一十二");
  EXPECT_EQ(chinese(10010), "一万零一十");
  EXPECT_EQ(chinese(10200), "一万零二百");
  EXPECT_EQ(chinese(100000), "十万");
  EXPECT_EQ(chinese(20002000, Two::counting), "两千万两千");
  EXPECT_EQ(chinese(22222, Two::counting), "两万两千两百二十二");
  EXPECT_EQ(chinese(100000001), "一亿零一");
  EXPECT_EQ(chinese(100010000), "一亿零一万");
  EXPECT_EQ(chinese(0), "零");
  EXPECT_EQ(chinese_digits(2004, Zero::circle), "二〇〇四");
  EXPECT_EQ(full_width(2019), "２０１９");
}

TEST(Words, AreReadAsWhatTheySay) {
  for (int64_t power = 1; power <= 100000000000; power *= 10)
    for (int64_t n : {power, power + 1, 2 * power + 2, 9 * power - 1, 7 * power + 20, 12345678901 % (10 * power)}) {
      for (const auto style : {data::And::said, data::And::left_out})
        EXPECT_EQ(read_english(data::english(n, style)), n);
      for (const auto style : {data::Two::plain, data::Two::counting})
        EXPECT_EQ(read_chinese(data::chinese(n, style)), n) << data::chinese(n, style);
    }
}

TEST(Numbers, BothWaysRound) {
  int to_digits = 0;
  for (const Row& row : made_data("numbers", 3000, {.length = Lengths{1, 12}})) {
    std::string words = row.values[0], digits = row.values[1];
    const bool digits_wanted = digits.find_first_not_of("0123456789") == digits.npos;
    to_digits += digits_wanted;
    if (!digits_wanted) std::swap(words, digits);
    const bool chinese = static_cast<uint8_t>(words[0]) > 127;
    if (!digits_wanted) {
      EXPECT_EQ(digits.substr(0, 5), chinese ? "<zh> " : "<en> ") << digits;
      digits.erase(0, 5);
    }
    EXPECT_EQ(std::to_string(chinese ? read_chinese(words) : read_english(words)), digits) << words;
  }
  EXPECT_NEAR(to_digits, 1500, 150);
}

TEST(Numbers, HaveAsManyDigitsAsAskedFor) {
  std::set<size_t> sizes;
  for (const Row& row : made_data("numbers", 500, {.length = Lengths{3, 5}, .language = MadeLanguage::chinese}))
    for (const std::string& value : row.values)
      if (value.find_first_not_of("0123456789") == value.npos) sizes.insert(value.size());
  EXPECT_EQ(sizes, (std::set<size_t>{3, 4, 5}));
}

// ---- reviews ---------------------------------------------------------------------------------------------

TEST(Reviews, WhatIsMarkedDecides) {
  const std::regex praise(
      "good|great|wonderful|excellent|lovely|charming|superb|delightful|好|精彩|出色|美味|舒服|动人|满意|有趣");
  const std::regex negation("not |hardly |never |anything but |n't |far from |并不|一点也不|谈不上|绝不|毫不");
  int positive = 0, with_asides = 0;
  for (const Row& row : made_data("reviews", 4000, {.marked = true})) {
    const std::string &label = row.values[0], &text = row.values[1], marked = row.values.at(2);
    const size_t begin = marked.find("«"), end = marked.find("»");
    const std::string decides = marked.substr(begin + 2, end - begin - 2),
                      rest = marked.substr(0, begin) + marked.substr(end + 2);
    EXPECT_EQ(marked.substr(0, begin) + decides + marked.substr(end + 2), text);
    EXPECT_EQ(label,
              std::regex_search(decides, praise) != std::regex_search(decides, negation) ? "positive" : "negative")
        << marked;
    EXPECT_FALSE(std::regex_search(rest, negation)) << marked;
    positive += label == "positive", with_asides += std::regex_search(rest, praise);
  }
  EXPECT_NEAR(positive, 2000, 160);
  EXPECT_GT(with_asides, 400);
}

TEST(Reviews, HaveAsManyClausesAsAskedFor) {
  for (const Row& row : made_data("reviews", 50, {.length = Lengths{3, 3}, .language = MadeLanguage::english})) {
    EXPECT_EQ(found(row.values[1], " , ").size(), 2u) << row.values[1];
    EXPECT_EQ(row.values.size(), 2u);
  }
}

// ---- copy and reverse ------------------------------------------------------------------------------------

TEST(Letters, AreCopiedAndReversed) {
  std::set<size_t> sizes;
  const MadeOptions options{.length = Lengths{2, 4}};
  const auto copies = made_data("copy", 300, options), reversed = made_data("reverse", 300, options);
  for (size_t i = 0; i < copies.size(); ++i) {
    EXPECT_EQ(copies[i].values[0], copies[i].values[1]);
    const std::string from = reversed[i].values[0], to = reversed[i].values[1];
    EXPECT_EQ(found(from, "[a-z]").size() * 2 - 1, from.size());
    EXPECT_EQ(std::string(to.rbegin(), to.rend()), from);
    sizes.insert(found(from, "[a-z]").size());
  }
  EXPECT_EQ(sizes, (std::set<size_t>{2, 3, 4}));
}

// ---- what cannot be made -----------------------------------------------------------------------------------

TEST(Made, SaysWhatDoesNotFit) {
  const auto says = [](const std::vector<std::string>& parts, const char* name, const MadeOptions& options = {},
                       int64_t lines = 1) {
    return refused(ErrorKind::usage, parts, [&] { made_data(name, lines, options); });
  };
  EXPECT_TRUE(says({"'dats'", "dates, numbers, reviews, copy, reverse"}, "dats"));
  EXPECT_TRUE(says({"-1 lines"}, "dates", {}, -1));
  EXPECT_TRUE(says({"dates", "no length"}, "dates", {.length = Lengths{1, 2}}));
  EXPECT_TRUE(says({"copy", "no language"}, "copy", {.language = MadeLanguage::both}));
  EXPECT_TRUE(says({"copy", "marked"}, "copy", {.marked = true}));
  EXPECT_TRUE(says({"copy", "5 to 4 letters"}, "copy", {.length = Lengths{5, 4}}));
  EXPECT_TRUE(says({"0 to 4 letters"}, "reverse", {.length = Lengths{0, 4}}));
  EXPECT_TRUE(says({"1 to 13 digits", "1 to 12"}, "numbers", {.length = Lengths{1, 13}}));
}

}  // namespace
}  // namespace heed
