// Patterns of a tokenizer.json, {"String": …} or {"Regex": …}: where they are found in a text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/characters.h"
#include "text/object.h"
#include "text/section.h"

namespace heed::tokenize {

// A text cut at all that was found: the parts touch each other and cover the text.
struct Part {
  uint32_t begin = 0, end = 0;
  bool found = false;
};
using Parts = std::vector<Part>;

class Pattern {
 public:
  static Pattern of(const Object& step, const char* key);  // the pattern, or a text as an old file has it
  static Pattern exactly(std::string text);

  Parts parts(std::string_view text) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_, where_;
  std::shared_ptr<const void> regex_;  // null: the text itself
};

// Parts of single characters that are wanted, and what is between them.
template <class Wanted>
Parts character_parts(std::string_view text, const Wanted& wanted) {
  Parts parts;
  uint32_t between = 0;
  const auto add = [&parts](size_t begin, size_t end, bool found) {
    if (begin < end) parts.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end), found});
  };
  each_character(text, [&](uint32_t code, size_t begin, size_t end) {
    if (!wanted(code)) return;
    add(between, begin, false), add(begin, end, true);
    between = static_cast<uint32_t>(end);
  });
  add(between, text.size(), false);
  return parts;
}

// What becomes of what was found: a piece of its own, gone, joined to a neighbour or to what was found beside it.
enum class Delimiter { isolated, removed, merged_with_previous, merged_with_next, contiguous };
Delimiter delimiter_of(const Object& step, const char* key, Delimiter otherwise);

// The pieces that parts become, added to `pieces` from byte `first` on.
void add_pieces(const Parts& parts, Delimiter how, uint32_t first, std::vector<Span>& pieces);

// Cuts each piece at what find(text) finds.
template <class Find>
void split_at(Section& section, Delimiter how, const Find& find) {
  std::vector<Span> pieces;
  for (const Span piece : section.pieces) add_pieces(find(section.piece(piece)), how, piece.begin, pieces);
  section.pieces = std::move(pieces);
}

}  // namespace heed::tokenize
