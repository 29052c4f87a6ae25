// The JSON of a safetensors header, read strictly: what is in it, before it is compared with the file.
#pragma once

#include "tensor/safetensors.h"

namespace heed::safetensors {

void parse_json(std::string_view json, std::string_view where, Header* header);
std::string to_json(const Header& header, std::string_view where);

}  // namespace heed::safetensors
