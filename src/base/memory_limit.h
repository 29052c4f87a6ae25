// How much memory this process may still take.
#pragma once

#include <cstdint>
#include <string>

namespace heed {

// Bytes: the least of what the machine has free, what its control group leaves it, and what its own limits do.
int64_t available_memory();

// A number of bytes as people read it: "3.2 GiB".
std::string memory_text(int64_t bytes);

}  // namespace heed
