// The file of a SentencePiece model, a protocol buffer, looked through before the library sees it: the library follows
// its tables without asking whether they stay within their memory.
#pragma once

#include <string>
#include <string_view>

namespace heed::tokenize {

struct SentencePieceAbout {
  bool bpe = false;  // else unigram, words or characters
  int64_t pieces = 0;
};
// Error(format) for what is no such model.
SentencePieceAbout look_through(std::string_view model, const std::string& where);

}  // namespace heed::tokenize
