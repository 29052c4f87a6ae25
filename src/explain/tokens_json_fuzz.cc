// Any bytes as the words of a page, behind any bytes as its weights: an Error, or something whole. The two
// are parted by the first line's end; the weights are those of a safetensors file without the data, which is all zeros.
#include <heed/base.h>

#include <algorithm>

#include "explain/seen_file.h"
#include "support/fuzz.h"
#include "tensor/safetensors_header.h"

using heed::testing::must;

namespace {

// Small tensors of the names and shapes of a header.
heed::TensorFile tensors_of(const std::string& header_json) {
  heed::safetensors::Header header;
  heed::safetensors::parse_json(header_json, "fuzz", &header);
  heed::TensorFile file{};
  for (const auto& entry : header.entries) {
    int64_t count = 1;
    for (const int64_t size : entry.shape) count = std::min<int64_t>(count * std::min<int64_t>(size, 1 << 16), 1 << 17);
    if (count < 1 << 16 && entry.shape.size() <= 4)
      file.tensors.emplace_back(entry.name, heed::Tensor::zeros(entry.shape));
  }
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(text.find('\n'), text.size());
  try {
    const heed::explain::Seen seen =
        heed::explain::seen_of(tensors_of(text.substr(0, end)), text.substr(std::min(end + 1, text.size())), "fuzz");
    heed::explain::check_whole(seen);
    must(!seen.attention.empty(), "something was seen");
  } catch (const heed::Error& error) {
    must(error.kind() != heed::ErrorKind::system, "no file was asked for");
  }
  return 0;
}
