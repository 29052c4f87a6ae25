// Any bytes as a npz archive: an Error or tensors, and never much more memory than the limit.
#include "tensor/npz.h"

#include <heed/base.h>

#include "support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const heed::Bytes file = heed::testing::exact_bytes(data, size);
  constexpr int64_t kMost = 1 << 22;
  heed::release_memory();
  heed::reset_memory_peak();
  try {
    const heed::TensorFile content = heed::npz::load(file, "fuzz", kMost);
    for (const auto& [name, tensor] : content.tensors) tensor.values();
  } catch (const heed::Error&) {
  }
  heed::testing::must(heed::memory_use().peak < 16 * kMost, "the limit of memory is kept");
  return 0;
}
