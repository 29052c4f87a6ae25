#include "text/characters.h"

#include <algorithm>
#include <cstring>

namespace heed::tokenize {

bool is_ascii(std::string_view text) {
  size_t i = 0;
  for (uint64_t eight; i + sizeof eight <= text.size(); i += sizeof eight) {
    std::memcpy(&eight, text.data() + i, sizeof eight);
    if (eight & 0x8080808080808080u) return false;
  }
  return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), [](char byte) { return byte >= 0; });
}

namespace {

// Bytes of the longest beginning of a character here, at least one; the second byte rules out what would be too long, a
// surrogate or beyond U+10FFFF.
size_t broken_bytes(std::string_view text) {
  const uint8_t first = static_cast<uint8_t>(text[0]);
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < 2) return 1;
  const uint8_t second = static_cast<uint8_t>(text[1]);
  const uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 1;
  return length == 4 && text.size() > 2 && continues(text[2]) ? 3 : 2;
}

}  // namespace

Repaired repaired(std::string_view bytes) {
  Repaired out;
  size_t kept = 0;
  for (size_t i = 0; i < bytes.size();) {
    const Character next = next_character(bytes.substr(i));
    if (next.bytes > 0) {
      i += next.bytes;
      continue;
    }
    const size_t length = broken_bytes(bytes.substr(i));
    out.text.append(bytes.substr(kept, i - kept)).append("\xef\xbf\xbd");
    out.broken.emplace_back(i, i + length);
    i += length, kept = i;
  }
  out.text.append(bytes.substr(kept));
  return out;
}

std::string valid_text(std::string_view bytes) { return repaired(bytes).text; }

}  // namespace heed::tokenize
