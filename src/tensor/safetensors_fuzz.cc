// Any bytes as a safetensors file: an Error(format) or tensors that lie within the file; what was read can be written
// and read again.
#include "tensor/safetensors.h"

#include <heed/base.h>

#include "support/fuzz.h"
#include "tensor/safetensors_header.h"
#include "tensor/statistics.h"

using heed::testing::must;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const heed::Bytes file = heed::testing::exact_bytes(data, size);
  heed::safetensors::Header header;
  try {
    header = heed::safetensors::parse(file.span(), "fuzz");
  } catch (const heed::Error& error) {
    must(error.kind() == heed::ErrorKind::format, "a broken file is Error(format)");
    return 0;
  }
  for (const auto& entry : header.entries) {
    const heed::Bytes bytes = file.part(header.data_begin + entry.begin, header.data_begin + entry.end);
    const int64_t count = bytes.size * 8 / heed::bits_of(entry.encoding);
    heed::statistics(entry.encoding, bytes, count);
    try {
      const heed::Tensor tensor = heed::tensor_of(bytes, entry.encoding, entry.shape, "fuzz");
      must(tensor.numel() == count, "as many elements as the shape says");
      if (count > 0) tensor.values();
    } catch (const heed::Error&) {
    }
  }
  const std::string json = heed::safetensors::to_json(header, "fuzz");
  heed::safetensors::Header again;
  heed::safetensors::parse_json(json, "fuzz", &again);
  must(again.entries.size() == header.entries.size() && again.metadata == header.metadata, "written as read");
  return 0;
}
