// A buffer of a thread that a kernel needs for the length of a call, kept from call to call.
#pragma once

#include <cstdint>

#include "kernels/thread_memory.h"

namespace heed::kernels {

// At least n values of this thread, aligned to cache lines, not initialised. `Use` is a type that names what for: two
// buffers of one call differ.
template <class Use, class T>
T* scratch(int64_t n) {
  thread_local ThreadMemory memory;
  return reinterpret_cast<T*>(memory.at_least(static_cast<size_t>(n) * sizeof(T)));
}

}  // namespace heed::kernels
