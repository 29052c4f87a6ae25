// The file of a SentencePiece model, a protocol buffer, looked through before the library sees it: the library follows
// its tables without asking whether they stay within their memory.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace heed::tokenize {

struct SentencePieceAbout {
  bool bpe = false;  // else unigram, words or characters
  int64_t pieces = 0;
};
// Error(format) for what is no such model.
SentencePieceAbout look_through(std::string_view model, const std::string& where);

// A model with its pieces in this order, as another program numbers them. Those that it lacks are never cut out of a
// text, but for <s>, </s> and <pad>, which are control pieces, and ▁>>code<<, a language's code at the beginning of a
// text, which is a piece of its own. Those that are not in the order are lost.
std::string renumbered(std::string_view model, std::span<const std::string> order, const std::string& where);

}  // namespace heed::tokenize
