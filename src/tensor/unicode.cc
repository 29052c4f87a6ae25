#include "tensor/unicode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace heed {

Character next_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
  uint32_t code = first & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < kLeast[length] || code > 0x10ffff || surrogate) return {};
  return {code, length};
}

namespace {

struct Range {
  uint32_t first, last;
};
template <size_t N>
bool is_in(const Range (&ranges)[N], uint32_t code) {
  return std::any_of(ranges, ranges + N, [code](Range range) { return code >= range.first && code <= range.last; });
}

// Controls, line and paragraph separators, direction marks, tags, invisible joiners.
constexpr Range kHidden[] = {{0, 0x1f},        {0x7f, 0x9f},      {0xad, 0xad},     {0x61c, 0x61c},
                             {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f}, {0xfeff, 0xfeff},
                             {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
constexpr Range kCombining[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},
                                {0x64b, 0x65f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff},
                                {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
constexpr Range kWide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
                           {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
                           {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

int columns_of(uint32_t code) { return is_in(kCombining, code) ? 0 : is_in(kWide, code) ? 2 : 1; }

}  // namespace

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character next = next_character(text);
    if (next.bytes == 0) return false;
    text.remove_prefix(next.bytes);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character next = next_character(text);
    if (next.bytes == 0)
      out += fmt::format("\\x{:02x}", static_cast<uint8_t>(text[0]));
    else if (is_in(kHidden, next.code))
      out += fmt::format("\\u{{{:x}}}", next.code);
    else
      out += text.substr(0, next.bytes);
    text.remove_prefix(std::max<size_t>(next.bytes, 1));
  }
  return out;
}

int columns(std::string_view text) {
  int count = 0;
  while (!text.empty()) {
    const Character next = next_character(text);
    count += columns_of(next.code);
    text.remove_prefix(std::max<size_t>(next.bytes, 1));
  }
  return count;
}

namespace {

// The next piece that a line may not break: a word with the spaces behind it, or one wide character with the closing
// marks behind it.
std::string_view next_piece(std::string_view text) {
  constexpr std::string_view kClosing = "，。；：、！？）》」”";
  size_t end = 0;
  const auto at = [&] { return next_character(text.substr(end)); };
  const auto wide = [&] { return end < text.size() && columns_of(at().code) == 2; };
  const auto closing = [&] { return wide() && kClosing.find(text.substr(end, at().bytes)) != std::string_view::npos; };
  const auto step = [&] { end += std::max<size_t>(at().bytes, 1); };
  if (wide())
    step();
  else
    while (end < text.size() && text[end] != ' ' && !wide()) step();
  while (closing()) step();
  while (end < text.size() && text[end] == ' ') step();
  return text.substr(0, end);
}

std::string without_end(const std::string& line) { return line.substr(0, line.find_last_not_of(' ') + 1); }

}  // namespace

std::vector<std::string> wrapped(std::string_view text, int most) {
  std::vector<std::string> lines;
  std::string line;
  for (; !text.empty(); text.remove_prefix(next_piece(text).size())) {
    const std::string piece(next_piece(text));
    if (!line.empty() && columns(without_end(line + piece)) > most)
      lines.push_back(without_end(std::exchange(line, "")));
    line += piece;
  }
  if (!line.empty()) lines.push_back(without_end(line));
  return lines;
}

std::string padded(std::string_view text, int width) {
  return std::string(text) + std::string(static_cast<size_t>(std::max(0, width - columns(text))), ' ');
}

std::string shortened(std::string_view text, int most) {
  if (columns(text) <= most) return std::string(text);
  std::vector<std::string_view> characters;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t bytes = std::max<size_t>(next_character(rest).bytes, 1);
    characters.push_back(rest.substr(0, bytes));
    rest.remove_prefix(bytes);
  }
  std::string front, back;
  const int front_most = (most - 1) / 2, back_most = most - 1 - front_most;
  for (size_t i = 0; columns(front) + columns(characters[i]) <= front_most; ++i) front += characters[i];
  for (size_t i = characters.size() - 1; columns(back) + columns(characters[i]) <= back_most; --i)
    back.insert(0, characters[i]);
  return front + "…" + back;
}

}  // namespace heed
