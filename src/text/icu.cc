#include "text/icu.h"

#include <unicode/utf16.h>

#include "text/characters.h"

namespace heed::tokenize {

void Utf16::assign(std::string_view utf8) {
  text.clear(), bytes.clear();
  text.reserve(utf8.size()), bytes.reserve(utf8.size() + 1);
  each_character(utf8, [&](uint32_t code, size_t begin, size_t) {
    const auto at = static_cast<uint32_t>(begin);
    if (code < 0x10000) {
      text += static_cast<char16_t>(code), bytes.push_back(at);
    } else {
      text += static_cast<char16_t>(U16_LEAD(code)), bytes.push_back(at);
      text += static_cast<char16_t>(U16_TRAIL(code)), bytes.push_back(at);
    }
  });
  bytes.push_back(static_cast<uint32_t>(utf8.size()));
}

std::string to_utf8(std::u16string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    uint32_t code = 0;
    U16_NEXT(text.data(), i, text.size(), code);
    append_character(out, U_IS_SURROGATE(code) ? 0xfffd : code);
  }
  return out;
}

}  // namespace heed::tokenize
