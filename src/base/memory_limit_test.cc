#include "base/memory_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace heed {
namespace {

int64_t size_of_process() {
  int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

TEST(MemoryLimit, TheProcessesOwnLimitCounts) {
  constexpr int64_t kLeft = int64_t{256} << 20;
  EXPECT_GT(available_memory(), kLeft);
  rlimit before = {};
  getrlimit(RLIMIT_AS, &before);
  const rlimit less = {static_cast<rlim_t>(size_of_process() + kLeft), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &less), 0);
  const int64_t left = available_memory();
  setrlimit(RLIMIT_AS, &before);
  EXPECT_LE(left, kLeft);
  EXPECT_GT(left, kLeft / 2);
}

TEST(MemoryLimit, AsText) {
  EXPECT_EQ(memory_text(3 << 20), "3 MiB");
  EXPECT_EQ(memory_text(int64_t{5} << 29), "2.5 GiB");
}

}  // namespace
}  // namespace heed
