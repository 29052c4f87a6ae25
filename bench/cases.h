// The table of benchmark cases: a family a file, a line each.
#pragma once

#include "bench/bench.h"

namespace heed::bench {

// Runs every case that the options want.
void run_cases(const Options& options);

}  // namespace heed::bench
