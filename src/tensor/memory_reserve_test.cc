#include "base/memory_reserve.h"

#include <gtest/gtest.h>
#include <heed/tensor.h>
#include <sys/resource.h>

#include <fstream>
#include <string>
#include <vector>

namespace heed {
namespace {

// The bytes of data that this process has.
int64_t data_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmData:")) return std::stoll(line.substr(7)) * 1024;
  return 0;
}

void limit_data(rlim_t bytes) {
  rlimit limit = {};
  ::getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = bytes;
  ASSERT_EQ(::setrlimit(RLIMIT_DATA, &limit), 0);
}

TEST(MemoryReserve, WhatWantsLittleGoesOnAndWhatWantsMuchIsRefused) {
#ifdef __clang__
  GTEST_SKIP() << "sanitizers have an operator new of their own";
#endif
  const Tensor held({1024});  // the library is awake
  keep_memory_in_reserve(8 << 20);
  EXPECT_FALSE(memory_is_short());
  limit_data(static_cast<rlim_t>(data_bytes()) + (1 << 20));

  std::vector<std::string> small;
  while (!memory_is_short()) small.emplace_back(1000, 'x');  // ends for want of memory, without an error
  for (int n = 0; n < 100; ++n) small.emplace_back(1000, 'x');
  EXPECT_THROW(Tensor({1 << 18}), Error) << "tensors do not take the reserve";
  EXPECT_THROW(std::vector<char>(100 << 20), std::bad_alloc);

  limit_data(RLIM_INFINITY);
  EXPECT_TRUE(refill_memory_reserve());
  EXPECT_FALSE(memory_is_short());
  EXPECT_EQ(Tensor({1 << 18}).dim(0), 1 << 18);
}

}  // namespace
}  // namespace heed
