// What fuzz targets share.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "tensor/file.h"

namespace heed::testing {

// A copy in a block of exactly that size, so that a byte too far is seen.
inline Bytes exact_bytes(const uint8_t* data, size_t size) {
  const auto block = std::make_shared<std::vector<uint8_t>>(data, data + size);
  return {block->data(), static_cast<int64_t>(size), block};
}

// A broken promise is a finding, told where a sanitizer tells its own.
inline void must(bool holds, const char* what) {
  if (holds) return;
  ::dprintf(STDERR_FILENO, "broken promise: %s\n", what);
  std::abort();
}

}  // namespace heed::testing
