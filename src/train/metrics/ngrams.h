// Segments as the metrics of texts see them: code points, words between white space, counts of n-grams.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace heed::metrics {

// Broken UTF-8 becomes U+FFFD.
std::u32string code_points(std::string_view bytes);
std::u32string lowered_code_points(std::string_view bytes);
std::u32string trimmed_end(std::u32string text);

// White space as Python's split() has it: Unicode's, and the four separators of ASCII.
bool is_space(char32_t code);

std::vector<std::u32string_view> words(std::u32string_view text);

// Each word a number, in place of a character: n-grams of words are then n-grams of a text. Equal words of one segment,
// its hypothesis and references, have the same number.
class WordNumbers {
 public:
  std::u32string of(std::u32string_view text);  // its words
  std::u32string of(const std::vector<std::u32string_view>& words);

 private:
  std::unordered_map<std::u32string, char32_t> numbers_;
};

using Ngrams = std::unordered_map<std::u32string_view, int64_t>;  // views into the text
Ngrams ngrams(std::u32string_view text, size_t n);
inline int64_t ngram_total(std::u32string_view text, size_t n) {
  return text.size() < n ? 0 : static_cast<int64_t>(text.size() - n + 1);
}
// Σ min(a, b): how many n-grams of a are found in b.
int64_t matched(const Ngrams& a, const Ngrams& b);

}  // namespace heed::metrics
