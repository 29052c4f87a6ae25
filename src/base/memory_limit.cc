#include "base/memory_limit.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

namespace heed {
namespace {

constexpr int64_t kAny = std::numeric_limits<int64_t>::max();

// The number behind a word of a file of lines like "MemAvailable: 12 kB"; of a file that is a number: "".
int64_t number_in(const std::string& path, const std::string& word, int64_t otherwise) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(word)) continue;
    try {
      return std::stoll(line.substr(word.size()));
    } catch (const std::exception&) {  // "max"
      return otherwise;
    }
  }
  return otherwise;
}

int64_t of_machine() {
  const int64_t kib = number_in("/proc/meminfo", "MemAvailable:", kAny);
  return kib == kAny ? kAny : kib * 1024;
}

int64_t left(int64_t limit, int64_t used) { return limit == kAny ? kAny : std::max<int64_t>(0, limit - used); }

// Version 2 where it is mounted, or else version 1. What a group keeps of files it can give back.
int64_t of_group() {
  const std::string two = "/sys/fs/cgroup/", one = two + "memory/";
  const int64_t limit = number_in(two + "memory.max", "", kAny);
  if (limit != kAny)
    return left(limit, number_in(two + "memory.current", "", 0) - number_in(two + "memory.stat", "inactive_file ", 0));
  return left(
      number_in(one + "memory.limit_in_bytes", "", kAny),
      number_in(one + "memory.usage_in_bytes", "", 0) - number_in(one + "memory.stat", "total_inactive_file ", 0));
}

int64_t of_process() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kAny;
  return left(static_cast<int64_t>(limit.rlim_cur), number_in("/proc/self/statm", "", 0) * ::sysconf(_SC_PAGESIZE));
}

}  // namespace

int64_t available_memory() { return std::min({of_machine(), of_group(), of_process()}); }

std::string memory_text(int64_t bytes) {
  const double mib = static_cast<double>(bytes) / (1 << 20);
  return mib < 1000 ? fmt::format("{:.0f} MiB", mib) : fmt::format("{:.1f} GiB", mib / 1024);
}

}  // namespace heed
