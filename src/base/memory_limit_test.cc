#include "base/memory_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace heed {
namespace {

TEST(MemoryLimit, TheProcessesOwnLimitCounts) {
  const int64_t before = available_memory();
  EXPECT_GT(before, 0);
  rlimit limit = {};
  getrlimit(RLIMIT_AS, &limit);
  const rlimit less = {rlim_t{1} << 40, limit.rlim_max};
  setrlimit(RLIMIT_AS, &less);
  EXPECT_LE(available_memory(), before + (int64_t{1} << 30));
  const rlimit little = {rlim_t{1} << 20, limit.rlim_max};  // less than it has already
  setrlimit(RLIMIT_AS, &little);
  const int64_t left = available_memory();
  setrlimit(RLIMIT_AS, &limit);
  EXPECT_EQ(left, 0);
}

TEST(MemoryLimit, AsText) {
  EXPECT_EQ(memory_text(3 << 20), "3 MiB");
  EXPECT_EQ(memory_text(int64_t{5} << 29), "2.5 GiB");
}

}  // namespace
}  // namespace heed
