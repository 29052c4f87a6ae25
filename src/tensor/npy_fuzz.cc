// Any bytes as a npy file: an Error or a tensor.
#include "tensor/npy.h"

#include <heed/base.h>

#include "support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const heed::Bytes file = heed::testing::exact_bytes(data, size);
  try {
    const heed::Tensor tensor = heed::npy::load(file, "fuzz");
    if (tensor.numel() == 0) return 0;
    tensor.values();
    const std::string header = heed::npy::header_text(tensor);
    const auto again = heed::npy::parse({reinterpret_cast<const uint8_t*>(header.data()), header.size()}, "fuzz");
    heed::testing::must(heed::Shape(again.shape) == tensor.shape(), "written as read");
  } catch (const heed::Error&) {
  }
  return 0;
}
