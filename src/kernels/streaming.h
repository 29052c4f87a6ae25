// When a kernel writes past the caches.
#pragma once

#include <cstdint>

namespace heed::kernels {

// Results of this size are out of the caches before anybody reads them again. Below it, ordinary stores: the next op
// finds its input in the cache.
inline constexpr int64_t kStreamingBytes = int64_t{8} << 20;

// Do n values written to `out` go past the caches? Not where the result replaces its input, whose lines are at hand.
template <class T>
bool streams(const T* out, int64_t n, bool in_place) {
  return out != nullptr && !in_place && n * static_cast<int64_t>(sizeof(T)) >= kStreamingBytes;
}

}  // namespace heed::kernels
