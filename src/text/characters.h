// Characters of valid UTF-8, and what Unicode says of them (ICU).
#pragma once

#include <unicode/uchar.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/unicode.h"

namespace heed::tokenize {

// The character at byte i of valid UTF-8.
inline Character character_at(std::string_view text, size_t i) {
  const uint8_t first = static_cast<uint8_t>(text[i]);
  if (first < 0x80) return {first, 1};
  const auto tail = [&](size_t k) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i + k]) & 0x3f); };
  if (first < 0xe0) return {(first & 0x1fu) << 6 | tail(1), 2};
  if (first < 0xf0) return {(first & 0x0fu) << 12 | tail(1) << 6 | tail(2), 3};
  return {(first & 0x07u) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4};
}
inline bool continues(char byte) { return (static_cast<uint8_t>(byte) & 0xc0) == 0x80; }
// Where the character begins that ends before byte `end` > 0.
inline size_t character_before(std::string_view text, size_t end) {
  do --end;
  while (end > 0 && continues(text[end]));
  return end;
}

// Calls body(code, begin, end) for each character of valid UTF-8.
template <class Body>
void each_character(std::string_view text, const Body& body) {
  for (size_t i = 0; i < text.size();) {
    const Character next = character_at(text, i);
    body(next.code, i, i + next.bytes);
    i += next.bytes;
  }
}

inline void append_character(std::string& text, uint32_t code) {
  const auto add = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return add(code);
  if (code < 0x800) return add(0xc0 | code >> 6), add(0x80 | (code & 0x3f));
  if (code < 0x10000) return add(0xe0 | code >> 12), add(0x80 | (code >> 6 & 0x3f)), add(0x80 | (code & 0x3f));
  add(0xf0 | code >> 18), add(0x80 | (code >> 12 & 0x3f)), add(0x80 | (code >> 6 & 0x3f)), add(0x80 | (code & 0x3f));
}

inline bool has_category(uint32_t code, uint32_t mask) { return (U_GET_GC_MASK(static_cast<UChar32>(code)) & mask); }
inline bool is_letter(uint32_t code) {
  if (code < 0x80) return (code | 0x20) - 'a' < 26;
  return has_category(code, U_GC_L_MASK);
}
inline bool is_number(uint32_t code) {
  if (code < 0x80) return code - '0' < 10;
  return has_category(code, U_GC_N_MASK);
}
inline bool is_space(uint32_t code) {  // White_Space
  if (code < 0x80) return code == ' ' || code - '\t' < 5;
  return u_isUWhiteSpace(static_cast<UChar32>(code));
}
inline bool is_mark(uint32_t code) { return code >= 0x300 && has_category(code, U_GC_M_MASK); }
// ASCII signs count as punctuation, whatever Unicode calls them: $ + < = > ^ ` | ~.
inline bool is_punctuation(uint32_t code) {
  if (code < 0x80) return code > ' ' && code < 0x7f && !is_letter(code) && !is_number(code);
  return has_category(code, U_GC_P_MASK);
}
// \w of Unicode's annex on regular expressions (UTS 18).
inline bool is_word(uint32_t code) {
  if (code < 0x80) return is_letter(code) || is_number(code) || code == '_';
  return u_isUAlphabetic(static_cast<UChar32>(code)) || has_category(code, U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK) ||
         code == 0x200c || code == 0x200d;
}

bool is_ascii(std::string_view text);

// Valid UTF-8 of any bytes: each longest beginning of a character that is not completed, and each byte that can begin
// none, becomes U+FFFD (Unicode 15, section 3.9, table 3-8; Python's decode(errors="replace") does the same).
struct Repaired {
  std::string text;
  std::vector<std::pair<size_t, size_t>> broken;  // bytes of the input that U+FFFD stand for, in order
};
Repaired repaired(std::string_view bytes);
std::string valid_text(std::string_view bytes);

}  // namespace heed::tokenize
