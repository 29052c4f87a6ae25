// The alphabet of byte-level BPE (Radford et al. 2019): a printable character for each byte, itself where that is one,
// else the next of U+0100, U+0101 ….
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "text/section.h"

namespace heed::tokenize {

const std::string& character_of_byte(uint8_t byte);  // as UTF-8
std::optional<uint8_t> byte_of_character(uint32_t code);

// The bytes that a token of such characters stands for; nothing where it has another character.
std::optional<std::string> bytes_of_token(std::string_view token);

// Writes the characters out where pieces only stand for them.
void write_mapped_bytes(Section& section);
void map_bytes(Aligned& text);

}  // namespace heed::tokenize
