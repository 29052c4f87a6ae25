// Memory that is put aside for what must not fail where there is none left: destructors, which may want some, and
// answers. The first that finds none gives the reserve up; `new` then goes on. From then on memory is short: tensors
// that want more are refused, so that what takes most of it ends, until refill_memory_reserve().
#pragma once

#include <cstdint>

namespace heed {

// From now on, in all of this process. It counts as address space alone as long as nobody writes to it.
void keep_memory_in_reserve(int64_t bytes);

// Whoever asked malloc in vain says so: the next one, who may not be able to bear it, then gets what he asks for.
void give_up_memory_reserve();

// Whether the reserve was given up, and is not there again.
bool memory_is_short();

// Is it there (again)? All of it, or as much as there is room for with some left to others. Any thread may ask.
bool refill_memory_reserve();

}  // namespace heed
