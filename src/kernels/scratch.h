// A buffer of a thread that a kernel needs for the length of a call, kept from call to call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace heed::kernels {

// At least n values of this thread, not initialised. `Use` is a type that names what for: two buffers of one call
// differ.
template <class Use, class T>
T* scratch(int64_t n) {
  thread_local std::vector<T> buffer;
  if (std::ssize(buffer) < n) buffer.resize(static_cast<size_t>(n));
  return buffer.data();
}

}  // namespace heed::kernels
