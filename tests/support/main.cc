// The main of every test program: an instruction set that this processor lacks is a skipped test (77), not a failed
// one.
#include <gtest/gtest.h>

#include <cstdio>

#include "base/runtime.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  try {
    heed::start_runtime();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "skipped: %s\n", error.what());
    return 77;
  }
  return RUN_ALL_TESTS();
}
