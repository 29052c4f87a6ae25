// Memory for the duration of a call, kept by the calling thread for its next call. First reserve all parts, then place
// them; one workspace a thread at a time.
#pragma once

#include <cstddef>

#include "kernels/thread_memory.h"

namespace heed::kernels {

class Workspace {
 public:
  // A part of that many bytes: where it begins, relative to what place() returns. Aligned to 64 bytes.
  size_t reserve(size_t bytes) {
    const size_t at = size_;
    size_ += (bytes + 63) / 64 * 64 + 64;  // parts of equal size would otherwise share their cache sets
    return at;
  }
  std::byte* place() {
    thread_local ThreadMemory memory;
    return memory.at_least(size_);
  }

 private:
  size_t size_ = 0;
};

}  // namespace heed::kernels
