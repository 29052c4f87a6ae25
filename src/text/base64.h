// Base64 (RFC 4648), as JSON files carry bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace heed::tokenize {

std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);  // nothing where it is none

}  // namespace heed::tokenize
