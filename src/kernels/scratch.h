// A buffer of a thread that a kernel needs for the length of a call, kept from call to call.
#pragma once

#include <cstdint>

#include "hwy/aligned_allocator.h"

namespace heed::kernels {

// At least n values of this thread, aligned to cache lines, not initialised. `Use` is a type that names what for: two
// buffers of one call differ.
template <class Use, class T>
T* scratch(int64_t n) {
  thread_local hwy::AlignedFreeUniquePtr<T[]> buffer;
  thread_local int64_t size = 0;
  if (size < n) {
    buffer = hwy::AllocateAligned<T>(static_cast<size_t>(n));
    size = n;
  }
  return buffer.get();
}

}  // namespace heed::kernels
