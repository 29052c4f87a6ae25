// SentencePiece's table of replacements: a double array trie (Yata's Darts-clone) from bytes to a place in a list of
// texts, each ended by a zero byte. All of it comes from a file: nothing is trusted.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace heed::tokenize {

class Charsmap {
 public:
  Charsmap() = default;
  Charsmap(std::string_view bytes, const std::string& where);  // Error(format)

  // What stands for the shortest beginning of `text` that the table has.
  std::optional<std::string_view> replacement(std::string_view text) const;
  // Can a reader that checks nothing follow it without leaving its memory?
  bool safe_to_follow() const;

 private:
  std::vector<uint32_t> units_;
  std::string texts_;
};

}  // namespace heed::tokenize
