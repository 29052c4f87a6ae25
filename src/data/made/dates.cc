// Written dates to ISO 8601: "the 3rd of May, two thousand and four" or 二〇〇四年五月三日 to 2004-05-03. Every day of
// 1900 to 2099 is as likely as the other. Slashes between month and day are written only where the day is no month too;
// between full stops the day comes first.
#include <fmt/format.h>

#include <chrono>

#include "data/made/made.h"
#include "data/made/words.h"

namespace heed::data {
namespace {

constexpr const char* kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                   "July",    "August",   "September", "October", "November", "December"};
constexpr const char* kWeekdays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr const char* kChineseWeekdays[] = {"日", "一", "二", "三", "四", "五", "六"};

// year, month, day: 2004 5 3; mm, dd: 05 03; name, mon: May, May; nth, nth_words: 3rd, third; words: two thousand and
// four; weekday, wd: Monday, Mon.
constexpr const char* kEnglishDates[] = {
    "{name} {day}, {year}",
    "{name} {nth}, {year}",
    "{name} the {nth}, {year}",
    "{name} {nth_words}, {words}",
    "{day} {name} {year}",
    "{nth} {name} {year}",
    "{nth} of {name} {year}",
    "the {nth} of {name}, {year}",
    "the {nth} of {name}, {words}",
    "the {nth_words} of {name} {year}",
    "the {nth_words} of {name}, {words}",
    "{weekday}, {name} {day}, {year}",
    "{weekday}, {day} {name} {year}",
    "{weekday}, {nth} of {name} {year}",
    "{weekday}, the {nth_words} of {name}, {words}",
    "{mon} {day}, {year}",
    "{day} {mon} {year}",
    "{day}-{mon}-{year}",
    "{wd}, {day} {mon} {year}",
    "{wd} {mon} {day} {year}",
    "{year} {name} {day}",
    "{dd}.{mm}.{year}",
    "{year}/{mm}/{dd}",
};
constexpr const char* kSlashes[] = {"{mm}/{dd}/{year}", "{dd}/{mm}/{year}", "{month}/{day}/{year}"};

// The same, and figures: circle 二〇〇四, zeros 二零零四, wide ２００４; m, d: 五 三; weekday: 一.
constexpr const char* kChineseDates[] = {
    "{year}年{month}月{day}日",
    "{year}年{mm}月{dd}日",
    "{year}年{month}月{day}号",
    "{year}年{month}月{day}日星期{weekday}",
    "{year}年{month}月{day}日（周{weekday}）",
    "{year} 年 {month} 月 {day} 日",
    "{wide}年{wide_month}月{wide_day}日",
    "{circle}年{m}月{d}日",
    "{circle}年{m}月{d}号",
    "{circle}年{m}月{d}日，星期{weekday}",
    "{zeros}年{m}月{d}日",
    "{zeros}年{m}月{d}日礼拜{weekday}",
    "公元{circle}年{m}月{d}日",
    "公元{year}年{month}月{day}日",
    "星期{weekday}，{year}年{month}月{day}日",
    "{year}.{month}.{day}",
    "{year}-{month}-{day}",
};

struct Date {
  int64_t year, month, day;
  unsigned weekday;  // 0: Sunday
};

Date date_of(Draw& draw) {
  using namespace std::chrono;
  const sys_days first = year{1900} / January / 1, end = year{2100} / January / 1;
  const sys_days at = first + days{draw.below((end - first).count())};
  const year_month_day date = at;
  return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
          weekday{at}.c_encoding()};
}

// 1905: nineteen oh five, nineteen hundred and five; 2004: two thousand and four, two thousand four; 2051: twenty
// fifty-one too.
std::string year_words(Draw& draw, int64_t year) {
  const int64_t century = year / 100, rest = year % 100;
  const And style = draw.once_in(2) ? And::said : And::left_out;
  if (century == 20 && (rest < 10 || draw.once_in(2))) return english(year, style);
  if (rest == 0) return english(century) + " hundred";
  if (rest >= 10) return english(century) + " " + english(rest);
  return english(century) + (style == And::said ? " hundred and " : " oh ") + english(rest);
}

std::string in_english(Draw& draw, const Date& date) {
  const std::string name = kMonths[date.month - 1], weekday = kWeekdays[date.weekday];
  const bool plain = date.day > 12 && draw.once_in(8);
  return fmt::format(fmt::runtime(plain ? draw.one_of(kSlashes) : draw.one_of(kEnglishDates)),
                     fmt::arg("year", date.year), fmt::arg("month", date.month), fmt::arg("day", date.day),
                     fmt::arg("mm", fmt::format("{:02}", date.month)), fmt::arg("dd", fmt::format("{:02}", date.day)),
                     fmt::arg("name", name), fmt::arg("mon", name.substr(0, 3)),
                     fmt::arg("nth", ordinal_digits(date.day)), fmt::arg("nth_words", english_ordinal(date.day)),
                     fmt::arg("words", year_words(draw, date.year)), fmt::arg("weekday", weekday),
                     fmt::arg("wd", weekday.substr(0, 3)));
}

std::string in_chinese(Draw& draw, const Date& date) {
  return fmt::format(fmt::runtime(draw.one_of(kChineseDates)), fmt::arg("year", date.year),
                     fmt::arg("month", date.month), fmt::arg("day", date.day),
                     fmt::arg("mm", fmt::format("{:02}", date.month)), fmt::arg("dd", fmt::format("{:02}", date.day)),
                     fmt::arg("circle", chinese_digits(date.year, Zero::circle)),
                     fmt::arg("zeros", chinese_digits(date.year, Zero::word)), fmt::arg("wide", full_width(date.year)),
                     fmt::arg("wide_month", full_width(date.month)), fmt::arg("wide_day", full_width(date.day)),
                     fmt::arg("m", chinese(date.month)), fmt::arg("d", chinese(date.day)),
                     fmt::arg("weekday", kChineseWeekdays[date.weekday]));
}

}  // namespace

std::vector<std::string> make_date(Draw& draw, const MadeLine& how) {
  const Date date = date_of(draw);
  return {how.language == Language::english ? in_english(draw, date) : in_chinese(draw, date),
          fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day)};
}

}  // namespace heed::data
