// What the rest of the library needs of the process: the environment read once, and a place to log to.
#pragma once

#include <heed/base.h>

namespace heed {

// Reads HEED_ISA and HEED_THREADS and puts them into force; throws Error(usage) where they make no sense.
// Every entry to the numeric code passes here (the arena calls it before the first allocation); later calls are free.
void start_runtime();

std::string compiled_for();  // the instruction sets that there are kernels for

void log(LogLevel level, std::string_view text);

}  // namespace heed
