#include "train/metrics/ngrams.h"

#include <unicode/ustring.h>

#include <algorithm>

#include "text/characters.h"
#include "text/icu.h"

namespace heed::metrics {
namespace {

std::u32string decoded(std::string_view valid) {
  std::u32string text;
  text.reserve(valid.size());
  tokenize::each_character(valid, [&](uint32_t code, size_t, size_t) { text += static_cast<char32_t>(code); });
  return text;
}

// Of the whole text: a sigma at the end of a word becomes ς.
std::string lowered(std::string_view valid) {
  tokenize::Utf16 from;
  from.assign(valid);
  std::u16string to(from.text.size() * 3, 0);  // no character becomes longer than three units
  UErrorCode status = U_ZERO_ERROR;
  const int32_t size =
      u_strToLower(to.data(), static_cast<int32_t>(to.size()), from.text.data(), from.size(), "", &status);
  tokenize::check_icu(status, "metrics", "lower case");
  return tokenize::to_utf8(std::u16string_view(to).substr(0, static_cast<size_t>(size)));
}

}  // namespace

std::u32string code_points(std::string_view bytes) { return decoded(tokenize::valid_text(bytes)); }
std::u32string lowered_code_points(std::string_view bytes) {
  return bytes.empty() ? U"" : decoded(lowered(tokenize::valid_text(bytes)));
}

bool is_space(char32_t code) { return tokenize::is_space(code) || (code >= 0x1c && code <= 0x1f); }

std::u32string trimmed_end(std::u32string text) {
  while (!text.empty() && is_space(text.back())) text.pop_back();
  return text;
}

std::vector<std::u32string_view> words(std::u32string_view text) {
  std::vector<std::u32string_view> found;
  for (auto at = text.begin(); at != text.end();) {
    const auto begin = std::find_if_not(at, text.end(), is_space);
    at = std::find_if(begin, text.end(), is_space);
    if (begin != at) found.emplace_back(begin, at);
  }
  return found;
}

std::u32string WordNumbers::of(std::u32string_view text) { return of(words(text)); }
std::u32string WordNumbers::of(const std::vector<std::u32string_view>& words) {
  std::u32string numbers;
  for (const std::u32string_view word : words)
    numbers += numbers_.try_emplace(std::u32string(word), static_cast<char32_t>(numbers_.size())).first->second;
  return numbers;
}

Ngrams ngrams(std::u32string_view text, size_t n) {
  Ngrams counts;
  for (size_t i = 0; i + n <= text.size(); ++i) ++counts[text.substr(i, n)];
  return counts;
}

int64_t matched(const Ngrams& a, const Ngrams& b) {
  int64_t sum = 0;
  for (const auto& [ngram, count] : a)
    if (const auto found = b.find(ngram); found != b.end()) sum += std::min(count, found->second);
  return sum;
}

}  // namespace heed::metrics
