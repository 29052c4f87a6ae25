// The arena: 64-byte aligned blocks that are kept when they are given back. A training loop asks for the same sizes
// again and again, so in its steady state it asks the system for nothing (and meets no page fault).
#pragma once

#include <heed/base.h>

#include <cstdint>

namespace heed::arena {

inline constexpr int64_t kAlignment = 64;

// A block of at least `bytes` bytes; Error(system) where there is none to be had.
void* allocate(int64_t bytes);
void give_back(void* block) noexcept;

}  // namespace heed::arena
