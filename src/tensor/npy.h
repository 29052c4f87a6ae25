// NumPy's format: "\x93NUMPY", version, header length, a Python dictionary, the elements.
//
//   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
#pragma once

#include <heed/tensor.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/encoding.h"
#include "tensor/file.h"

namespace heed::npy {

struct Header {
  std::string dtype;                 // NumPy's words: "<f4"; of a record "record"
  std::optional<Encoding> encoding;  // nothing for what is no number: objects, text, dates, records, wide complex
  bool swapped = false;              // big endian
  bool columns_first = false;        // "Fortran order"
  std::vector<int64_t> shape;        // as seen from outside
  int64_t data_begin = 0;
};

bool is_npy(std::span<const uint8_t> file);
// Reads the header alone, which may be all that `file` holds; `where` names the file.
Header parse(std::span<const uint8_t> file, std::string_view where);
// How many bytes the elements take; Error(format) where that overflows, Error(data) where the dtype is no number.
int64_t data_bytes(const Header& header, std::string_view where);
Tensor load(const Bytes& file, std::string_view where);
Tensor tensor_from(const Header& header, const Bytes& data, std::string_view where);
// Elements in little endian and rows first: what tensor_of() and visit_elements() take.
Bytes ordered_elements(const Header& header, const Bytes& data, std::string_view where);

std::string header_text(const Tensor& tensor);  // everything before the elements
Tensor writable(const Tensor& tensor);          // packed, and of a dtype that NumPy has: bf16 becomes f32

}  // namespace heed::npy
