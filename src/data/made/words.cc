#include "data/made/words.h"

#include <fmt/format.h>

namespace heed::data {
namespace {

constexpr const char* kSmall[] = {"zero",     "one",     "two",     "three",     "four",     "five",    "six",
                                  "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
                                  "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr const char* kTens[] = {"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};

std::string below_hundred(int64_t n) {
  if (n < 20) return kSmall[n];
  return n % 10 == 0 ? kTens[n / 10] : fmt::format("{}-{}", kTens[n / 10], kSmall[n % 10]);
}
std::string below_thousand(int64_t n, And style) {
  if (n < 100) return below_hundred(n);
  std::string hundreds = fmt::format("{} hundred", kSmall[n / 100]);
  if (n % 100 == 0) return hundreds;
  return fmt::format("{}{}{}", hundreds, style == And::said ? " and " : " ", below_hundred(n % 100));
}

constexpr const char* kFigures[] = {"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"};

// 一千零二十: thousands to ones, 零 for zeros between figures. `leading`: nothing stands before it.
std::string below_ten_thousand(int64_t n, bool leading, Two style) {
  constexpr int64_t kValues[] = {1000, 100, 10, 1};
  constexpr const char* kUnits[] = {"千", "百", "十", ""};
  std::string text;
  bool skipped = false;
  for (int i = 0; i < 4; ++i) {
    const int64_t figure = n / kValues[i] % 10;
    if (figure == 0) {
      skipped = skipped || !text.empty() || !leading;
      continue;
    }
    if (skipped) text += "零";
    const bool ten_alone = figure == 1 && kValues[i] == 10 && leading && text.empty();  // 十二, not 一十二
    if (!ten_alone) text += figure == 2 && i < 2 && style == Two::counting ? "两" : kFigures[figure];
    text += kUnits[i], skipped = false;
  }
  return text;
}

}  // namespace

std::string english(int64_t number, And style) {
  constexpr int64_t kValues[] = {1000000000, 1000000, 1000};
  constexpr const char* kUnits[] = {"billion", "million", "thousand"};
  if (number == 0) return kSmall[0];
  std::string text;
  for (int i = 0; i < 3; ++i)
    if (const int64_t group = number / kValues[i] % 1000; group > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : " ", below_thousand(group, style), kUnits[i]);
  const int64_t rest = number % 1000;
  if (rest == 0) return text;
  if (!text.empty()) text += rest < 100 && style == And::said ? " and " : " ";
  return text + below_thousand(rest, style);
}

std::string english_ordinal(int64_t number) {
  constexpr const char* kOrdinals[] = {"",        "first",  "second", "third", "fourth",   "fifth",  "sixth",
                                       "seventh", "eighth", "ninth",  "tenth", "eleventh", "twelfth"};
  if (number > 20 && number % 10 != 0) return fmt::format("{}-{}", kTens[number / 10], english_ordinal(number % 10));
  if (number <= 12) return kOrdinals[number];
  std::string word = below_hundred(number);
  if (word.back() == 'y') word.replace(word.size() - 1, 1, "ie");  // twentieth
  return word + "th";
}

std::string ordinal_digits(int64_t number) {
  constexpr const char* kEndings[] = {"th", "st", "nd", "rd"};
  const bool teen = number / 10 % 10 == 1;
  return fmt::format("{}{}", number, teen || number % 10 > 3 ? "th" : kEndings[number % 10]);
}

// Groups of four figures: 亿, 万, ones.
std::string chinese(int64_t number, Two style) {
  constexpr int64_t kValues[] = {100000000, 10000, 1};
  constexpr const char* kUnits[] = {"亿", "万", ""};
  if (number == 0) return kFigures[0];
  std::string text;
  bool skipped = false;
  for (int i = 0; i < 3; ++i) {
    const int64_t group = number / kValues[i] % 10000;
    if (group == 0) {
      skipped = skipped || !text.empty();
      continue;
    }
    if (skipped && group >= 1000) text += "零";
    const bool two = group == 2 && i < 2 && style == Two::counting;
    text += two && text.empty() ? "两" : below_ten_thousand(group, text.empty(), style);
    text += kUnits[i], skipped = false;
  }
  return text;
}

std::string chinese_digits(int64_t number, Zero style) {
  std::string text;
  for (const char digit : std::to_string(number))
    text += digit == '0' && style == Zero::circle ? "〇" : kFigures[digit - '0'];
  return text;
}

std::string full_width(int64_t number) {
  std::string text;
  for (const char digit : std::to_string(number)) text += {'\xef', '\xbc', static_cast<char>('\x90' + digit - '0')};
  return text;
}

}  // namespace heed::data
