#include "text/byte_level.h"

#include <array>

#include "text/characters.h"

namespace heed::tokenize {
namespace {

bool is_itself(uint32_t byte) { return (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte != 0xad); }

struct Table {
  std::array<std::string, 256> characters;
  std::array<int16_t, 0x144> bytes;  // of a code; -1: of none
  Table() {
    bytes.fill(-1);
    uint32_t next = 0x100;
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const uint32_t code = is_itself(byte) ? byte : next++;
      append_character(characters[byte], code);
      bytes[code] = static_cast<int16_t>(byte);
    }
  }
};
const Table& table() {
  static const Table table;
  return table;
}

}  // namespace

const std::string& character_of_byte(uint8_t byte) { return table().characters[byte]; }

std::optional<uint8_t> byte_of_character(uint32_t code) {
  if (code >= table().bytes.size() || table().bytes[code] < 0) return std::nullopt;
  return static_cast<uint8_t>(table().bytes[code]);
}

std::optional<std::string> bytes_of_token(std::string_view token) {
  std::string bytes;
  bool all = true;
  each_character(token, [&](uint32_t code, size_t, size_t) {
    const auto byte = byte_of_character(code);
    all = all && byte;
    if (byte) bytes += static_cast<char>(*byte);
  });
  return all ? std::optional(bytes) : std::nullopt;
}

void map_bytes(Aligned& aligned) {
  Rewrite rewrite(aligned);
  for (size_t i = 0; i < aligned.text().size(); ++i)
    rewrite.put(character_of_byte(static_cast<uint8_t>(aligned.text()[i])), i, i + 1);
  aligned = rewrite.done();
}

void write_mapped_bytes(Section& section) {
  if (!section.bytes_mapped) return;
  section.bytes_mapped = false;
  rewrite_pieces(section, [&](Span piece, Rewrite& rewrite) {
    for (size_t i = piece.begin; i < piece.end; ++i)
      rewrite.put(character_of_byte(static_cast<uint8_t>(section.text.text()[i])), i, i + 1);
  });
}

}  // namespace heed::tokenize
