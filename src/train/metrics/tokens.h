// How a text is cut before a metric compares its words. Each function puts spaces where words end.
#pragma once

#include <string>
#include <string_view>

namespace heed::metrics {

// What sacreBLEU's --tokenize calls them.
enum class BleuTokens { v13a, intl, zh, characters, none };
const char* name(BleuTokens tokens);
BleuTokens bleu_tokens(std::string_view name);  // Error(usage) where there is none of this name

std::u32string tokenized(BleuTokens how, std::u32string text);

struct TerOptions {
  bool normalized = false;      // signs are words of their own
  bool no_punctuation = false;  // it is taken out
  bool asian = false;           // with either: Chinese characters and signs too
  bool case_sensitive = false;
};
std::u32string tokenized(const TerOptions& how, std::u32string text);

}  // namespace heed::metrics
