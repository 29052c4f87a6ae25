// The main of every test program: an instruction set that this processor lacks skips a test (77) and fails none.
#include <gtest/gtest.h>
#include <heed/base.h>

#include <cstdio>
#include <string_view>

#include "base/runtime.h"

// Cairo and fontconfig keep what they know of fonts until the process ends; LeakSanitizer asks for this by its name.
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig\nleak:libcairo\n"; }

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  try {
    heed::start_runtime();
  } catch (const heed::Error& error) {
    const bool lacks = std::string_view(error.what()).find("this processor has no") != std::string_view::npos;
    std::fprintf(stderr, "%s: %s\n", lacks ? "skipped" : "failed", error.what());
    return lacks ? 77 : 1;
  }
  return RUN_ALL_TESTS();
}
