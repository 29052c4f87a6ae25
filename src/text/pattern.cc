#include "text/pattern.h"

#include <unicode/uregex.h>

#include <algorithm>

#include "text/icu.h"

namespace heed::tokenize {
namespace {

using Regex = std::unique_ptr<URegularExpression, decltype(&uregex_close)>;

constexpr int32_t kMostSteps = 500;      // of ICU's matching engine for one search, roughly milliseconds
constexpr int32_t kMostStack = 8 << 20;  // bytes for backtracking

// The files mean the regular expressions of Oniguruma, in which \s is White_Space; ICU's is smaller.
std::string as_icu_writes_it(std::string_view pattern) {
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const bool escape = pattern[i] == '\\' && i + 1 < pattern.size();
    if (escape && pattern[i + 1] == 's')
      out += "\\p{White_Space}", ++i;
    else if (escape && pattern[i + 1] == 'S')
      out += "\\P{White_Space}", ++i;
    else if (escape)
      out += pattern.substr(i++, 2);
    else
      out += pattern[i];
  }
  return out;
}

Regex compiled(const std::string& pattern, const std::string& where) {
  Utf16 units;
  units.assign(as_icu_writes_it(pattern));
  UErrorCode status = U_ZERO_ERROR;
  UParseError at = {};
  // As in Oniguruma, ^ and $ are at lines, which end in \n alone.
  constexpr uint32_t kFlags = UREGEX_MULTILINE | UREGEX_UNIX_LINES | UREGEX_ERROR_ON_UNKNOWN_ESCAPES;
  Regex regex(uregex_open(units.text.data(), units.size(), kFlags, &at, &status), &uregex_close);
  check_format(U_SUCCESS(status), where, "the pattern '{}' is not understood at character {}: ICU says {}",
               shortened(printable(pattern), 80), at.offset, u_errorName(status));
  return regex;
}

void add_part(Parts& parts, size_t end, bool found) {
  const uint32_t begin = parts.empty() ? 0 : parts.back().end;
  if (begin < end || found) parts.push_back({begin, static_cast<uint32_t>(end), found});
}

Parts parts_of_regex(const URegularExpression* shared, std::string_view text, const std::string& where) {
  UErrorCode status = U_ZERO_ERROR;
  // The compiled pattern is shared; the limits are the copy's own.
  const Regex regex(uregex_clone(shared, &status), &uregex_close);
  uregex_setTimeLimit(regex.get(), kMostSteps, &status);
  uregex_setStackLimit(regex.get(), kMostStack, &status);
  Utf16 units;
  units.assign(text);
  uregex_setText(regex.get(), units.text.data(), units.size(), &status);
  Parts parts;
  while (U_SUCCESS(status) && uregex_findNext(regex.get(), &status)) {
    const auto byte = [&](int32_t unit) { return units.bytes[static_cast<size_t>(unit)]; };
    add_part(parts, byte(uregex_start(regex.get(), 0, &status)), false);
    add_part(parts, byte(uregex_end(regex.get(), 0, &status)), true);
  }
  check_icu(status, where, "the pattern cannot be searched for in this text");
  add_part(parts, text.size(), false);
  return parts;
}

Parts parts_of_text(std::string_view wanted, std::string_view text) {
  Parts parts;
  for (size_t at = 0; !wanted.empty() && (at = text.find(wanted, at)) != std::string_view::npos; at += wanted.size())
    add_part(parts, at, false), add_part(parts, at + wanted.size(), true);
  add_part(parts, text.size(), false);
  return parts;
}

}  // namespace

Pattern Pattern::exactly(std::string text) {
  Pattern pattern;
  pattern.text_ = std::move(text);
  return pattern;
}

Pattern Pattern::of(const Object& step, const char* key) {
  if (step.has(key) && step.json()[key].is_string()) return exactly(step.text(key));
  const Object object = step.object(key);
  if (object.has("String")) return exactly(object.text("String"));
  Pattern pattern = exactly(object.text("Regex"));
  pattern.where_ = object.where();
  pattern.regex_ = std::shared_ptr<const URegularExpression>(
      compiled(pattern.text_, pattern.where_).release(),
      [](const URegularExpression* regex) { uregex_close(const_cast<URegularExpression*>(regex)); });
  return pattern;
}

Parts Pattern::parts(std::string_view text) const {
  if (!regex_) return parts_of_text(text_, text);
  return parts_of_regex(static_cast<const URegularExpression*>(regex_.get()), text, where_);
}

Delimiter delimiter_of(const Object& step, const char* key, Delimiter otherwise) {
  constexpr std::pair<std::string_view, Delimiter> kNames[] = {{"Isolated", Delimiter::isolated},
                                                               {"Removed", Delimiter::removed},
                                                               {"MergedWithPrevious", Delimiter::merged_with_previous},
                                                               {"MergedWithNext", Delimiter::merged_with_next},
                                                               {"Contiguous", Delimiter::contiguous}};
  if (!step.has(key)) return otherwise;
  const std::string name = step.text(key);
  const auto row = std::find_if(std::begin(kNames), std::end(kNames), [&](auto& each) { return each.first == name; });
  step.require(row != std::end(kNames), "'{}' is '{}', which is not known", key, shortened(printable(name), 40));
  return row->second;
}

void add_pieces(const Parts& parts, Delimiter how, uint32_t first, std::vector<Span>& pieces) {
  const size_t before = pieces.size();
  bool merge = false, last_found = false;
  for (const Part& part : parts) {
    switch (how) {
      case Delimiter::isolated: break;
      case Delimiter::removed:
        if (part.found) continue;
        break;
      case Delimiter::contiguous: merge = part.found == last_found; break;
      case Delimiter::merged_with_previous: merge = part.found && !last_found; break;
      // Of several in a row the last one goes with what follows.
      case Delimiter::merged_with_next: merge = !part.found && last_found; break;
    }
    last_found = part.found;
    if (part.begin == part.end) continue;
    if (merge && pieces.size() > before)
      pieces.back().end = first + part.end;
    else
      pieces.push_back({first + part.begin, first + part.end});
  }
}

}  // namespace heed::tokenize
