// Text from files: is it UTF-8, and how is it shown so that it can do nothing to a terminal?
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

struct Character {
  uint32_t code = 0;
  size_t bytes = 0;  // 0: no UTF-8 here
};
Character next_character(std::string_view text);  // RFC 3629; text is not empty

bool valid_utf8(std::string_view text);  // no overlong forms, surrogates or code points beyond U+10FFFF

// Control characters, marks that turn the direction of writing, and bytes that are no UTF-8 as \u{..} or \x..;
// everything else unchanged.
std::string printable(std::string_view text);

// Columns that printable text takes in a terminal: two for Chinese, Japanese, Korean and most emoji, none for combining
// marks.
int columns(std::string_view text);

// Printable text in lines of at most `most` columns, broken at spaces and between Chinese or Japanese characters. A
// word that is longer has a line of its own.
std::vector<std::string> wrapped(std::string_view text, int most);

// At most `most` columns, the middle left out: "encoder.l…t.weight".
std::string shortened(std::string_view text, int most);

// With blanks after it, `width` columns at least.
std::string padded(std::string_view text, int width);

}  // namespace heed
