// A block of memory that a thread keeps from call to call and frees when it ends: the steady state of a training loop
// asks the system for nothing.
#pragma once

#include <cstddef>

namespace heed::kernels {

// thread_local wherever one is wanted. Its thread frees all of them at once: to say so for each would take memory.
struct ThreadMemory {
  std::byte* block = nullptr;
  size_t size = 0;
  ThreadMemory* next = nullptr;  // of its thread's
  bool known = false;            // to its thread

  // At least that many bytes, aligned to cache lines, not initialised. std::bad_alloc where there are none.
  std::byte* at_least(size_t bytes) {
    if (size < bytes) grow(bytes);
    return block;
  }

 private:
  void grow(size_t bytes);
};

}  // namespace heed::kernels
