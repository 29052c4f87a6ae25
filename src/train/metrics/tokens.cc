#include "train/metrics/tokens.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "text/characters.h"
#include "train/metrics/ngrams.h"

namespace heed::metrics {
namespace {

using Is = bool (*)(char32_t);

struct Range {
  char32_t first, last;
};
template <size_t N>
bool within(const Range (&ranges)[N], char32_t code) {
  return std::any_of(ranges, ranges + N, [&](const Range& r) { return r.first <= code && code <= r.last; });
}

std::u32string replaced(std::u32string_view text, std::u32string_view from, std::u32string_view to) {
  std::u32string out;
  size_t kept = 0;
  for (size_t at; (at = text.find(from, kept)) != text.npos; kept = at + from.size())
    out.append(text.substr(kept, at - kept)).append(to);
  return out.append(text.substr(kept));
}

std::u32string padded(std::u32string_view text) {
  std::u32string out(1, U' ');
  return out.append(text) += U' ';
}

// s/(c)/ $1 /
std::u32string apart(std::u32string_view text, Is is) {
  std::u32string out;
  for (const char32_t code : text)
    if (is(code))
      out += {U' ', code, U' '};
    else
      out += code;
  return out;
}

// s/(a)(b)/HEAD$1 $2TAIL/, from the left, what was matched is not looked at again.
std::u32string pairs_apart(std::u32string_view text, Is a, Is b, std::u32string_view head, std::u32string_view tail) {
  std::u32string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i + 1 == text.size() || !a(text[i]) || !b(text[i + 1])) {
      out += text[i];
      continue;
    }
    out.append(head).append({text[i], U' ', text[i + 1]}).append(tail);
    ++i;
  }
  return out;
}
std::u32string second_apart(std::u32string_view text, Is a, Is b) { return pairs_apart(text, a, b, U"", U" "); }
std::u32string first_apart(std::u32string_view text, Is a, Is b) { return pairs_apart(text, a, b, U" ", U""); }

bool is_digit(char32_t code) { return code - U'0' < 10; }
bool is_no_digit(char32_t code) { return !is_digit(code); }
bool is_stop(char32_t code) { return code == U'.' || code == U','; }
bool is_dash(char32_t code) { return code == U'-'; }
// ASCII's signs, but for the apostrophe, comma, dash and full stop.
bool is_sign(char32_t code) {
  static constexpr Range kSigns[] = {{' ', '&'}, {'(', '+'}, {'/', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}};
  return within(kSigns, code);
}

std::u32string without_entities(std::u32string_view text) {
  return replaced(replaced(replaced(replaced(text, U"&quot;", U"\""), U"&amp;", U"&"), U"&lt;", U"<"), U"&gt;", U">");
}

// Full stops and commas stay within numbers, a dash goes where a digit stands before it.
std::u32string stops_apart(std::u32string_view text) {
  return second_apart(first_apart(second_apart(text, is_no_digit, is_stop), is_stop, is_no_digit), is_digit, is_dash);
}
std::u32string western(std::u32string_view text) { return stops_apart(apart(text, is_sign)); }

// mteval-v13a.pl, the tokenisation of WMT.
std::u32string v13a(std::u32string text) {
  const std::u32string line = replaced(replaced(replaced(text, U"<skipped>", U""), U"-\n", U""), U"\n", U" ");
  return western(padded(without_entities(line)));
}

// mteval-v14.pl: whatever Unicode calls punctuation or a symbol.
bool is_number(char32_t code) { return tokenize::has_category(code, U_GC_N_MASK); }
bool is_no_number(char32_t code) { return !is_number(code); }
bool is_punctuation(char32_t code) { return tokenize::has_category(code, U_GC_P_MASK); }
bool is_symbol(char32_t code) { return tokenize::has_category(code, U_GC_S_MASK); }
std::u32string intl(std::u32string text) {
  text = first_apart(second_apart(text, is_no_number, is_punctuation), is_punctuation, is_no_number);
  return apart(text, is_symbol);
}

// sacreBLEU's ranges as they come out there: its U+20000 to U+2A6D6 and U+2F800 to U+2FA1D are written with four digits
// and a fifth behind, and hold the code points of the second and third row below.
bool is_chinese(char32_t code) {
  static constexpr Range kChinese[] = {{0x3400, 0x4db5}, {0x2001, 0x2a6d}, {0x2f81, 0x2fa1}, {0x4e00, 0x9fbb},
                                       {0xf900, 0xfa2d}, {0xfa30, 0xfa6a}, {0xfa70, 0xfad9}, {0xff00, 0xffef},
                                       {0x2e80, 0x2eff}, {0x3000, 0x303f}, {0x31c0, 0x31ef}, {0x2f00, 0x2fdf},
                                       {0x2ff0, 0x2fff}, {0x3100, 0x312f}, {0x31a0, 0x31bf}, {0xfe10, 0xfe1f},
                                       {0xfe30, 0xfe4f}, {0x2600, 0x27bf}, {0x3200, 0x33ff}};
  return within(kChinese, code);
}
std::u32string zh(std::u32string text) {
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), is_space));
  return western(apart(trimmed_end(std::move(text)), is_chinese));
}

std::u32string characters(std::u32string text) {
  return apart(text, [](char32_t) { return true; });
}

std::u32string none(std::u32string text) { return text; }

struct Row {
  BleuTokens tokens;
  const char* name;
  std::u32string (*apply)(std::u32string text);
};
constexpr Row kRows[] = {{BleuTokens::v13a, "13a", v13a},
                         {BleuTokens::intl, "intl", intl},
                         {BleuTokens::zh, "zh", zh},
                         {BleuTokens::characters, "char", characters},
                         {BleuTokens::none, "none", none}};

const Row& row_of(BleuTokens tokens) {
  return *std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& row) { return row.tokens == tokens; });
}

// ---- TER ---------------------------------------------------------------------------------------------------

bool is_asian_sign(char32_t code) {
  static constexpr Range kSigns[] = {{0x3001, 0x3002}, {0x3008, 0x3011}, {0x3014, 0x301f}, {0xff61, 0xff65},
                                     {0x30fb, 0x30fb}, {0xff01, 0xff02}, {0xff08, 0xff09}, {0xff0c, 0xff0c},
                                     {0xff0e, 0xff0e}, {0xff1a, 0xff1b}, {0xff1f, 0xff1f}};
  return within(kSigns, code);
}
// tercom's blocks; its rules for kana hold at the ends of the text alone, where a space stands.
bool is_asian(char32_t code) {
  static constexpr Range kBlocks[] = {{0x2e80, 0x2eff}, {0x31c0, 0x31ef}, {0x3200, 0x4dbf},
                                      {0x4e00, 0x9fff}, {0xf900, 0xfaff}, {0xfe30, 0xfe4f}};
  return within(kBlocks, code) || is_asian_sign(code);
}
bool is_latin_sign(char32_t code) { return std::u32string_view(U".,?:;!\"()").find(code) != std::u32string_view::npos; }

std::u32string normalized(std::u32string_view text) {
  const std::u32string line = without_entities(replaced(replaced(text, U"\n-", U""), U"\n", U" "));
  return stops_apart(replaced(apart(padded(line), is_sign), U"'s ", U" 's "));
}

}  // namespace

const char* name(BleuTokens tokens) { return row_of(tokens).name; }

BleuTokens bleu_tokens(std::string_view name) {
  std::string known;
  for (const Row& row : kRows) {
    if (row.name == name) return row.tokens;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", row.name);
  }
  fail(ErrorKind::usage, "bleu", "no tokenisation '{}'; there are {}", name, known);
}

std::u32string tokenized(BleuTokens how, std::u32string text) { return row_of(how).apply(std::move(text)); }

std::u32string tokenized(const TerOptions& how, std::u32string text) {
  if (how.normalized) text = normalized(text);
  if (how.normalized && how.asian) text = apart(text, is_asian);
  if (how.no_punctuation) std::erase_if(text, is_latin_sign);
  if (how.no_punctuation && how.asian) std::erase_if(text, is_asian_sign);
  return text;
}

}  // namespace heed::metrics
