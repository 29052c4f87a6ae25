#include "bench/memory.h"

#include <heed/base.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace heed::bench {
namespace {

// Bytes, of a line of /proc/self/status such as "VmHWM:     9312 kB"; 0 where there is none.
int64_t status(const std::string& field) {
  std::ifstream file("/proc/self/status");
  for (std::string name; file >> name; file.ignore(256, '\n'))
    if (int64_t kilobytes = 0; name == field && file >> kilobytes) return kilobytes * 1024;
  return 0;
}

void reset_most_resident() { std::ofstream("/proc/self/clear_refs") << 5; }

}  // namespace

MemoryWatch::MemoryWatch() {
  release_memory();  // what is cached would hide growth
  reset_most_resident();
  tensors_ = memory_use().in_use, resident_ = status("VmRSS:");
}

double MemoryWatch::megabytes() const {
  return static_cast<double>(tensors_ + std::max<int64_t>(0, status("VmHWM:") - resident_)) * 1e-6;
}

}  // namespace heed::bench
