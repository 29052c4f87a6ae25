// The safetensors format: 8 bytes header length (little endian), the header in JSON, then all elements without a gap.
//
//   {"__metadata__": {"any": "text"}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
//
// Rules that a reader must hold up: the header has at most 100 MB, is UTF-8, begins with '{', names nothing twice;
// data_offsets follow from dtype and shape, and together cover the rest of the file exactly once.
#pragma once

#include <heed/io.h>

#include <map>

#include "tensor/encoding.h"
#include "tensor/file.h"

namespace heed::safetensors {

inline constexpr int64_t kMostHeader = 100'000'000;

struct Entry : TensorEntry {
  Encoding encoding;
};

struct Header {
  std::vector<Entry> entries;  // in the header's order
  std::map<std::string, std::string> metadata;
  int64_t data_begin = 0;  // where the elements begin in the file
};

// `where` names the file. Error(format) naming file, tensor and the rule that is broken.
Header parse(std::span<const uint8_t> file, std::string_view where);

// "FILE: tensor 'NAME'", for errors.
std::string place(std::string_view file, std::string_view tensor);

}  // namespace heed::safetensors
