// Would the limits for small files be noticed?
#include "support/small_files.h"

#include <heed/tensor.h>

namespace heed::testing {
namespace {

constexpr int64_t kTooMuch = int64_t{300} << 20;
const std::string kLarge(1024, 'x');  // promises nothing, so that the end of the scope is no failure

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(SmallFiles, TensorsThatAreTooLarge) {
  const SmallFileLimits watch(kLarge);
  const Tensor never_written({kTooMuch}, Dtype::u8);
  EXPECT_TRUE(has(watch.exceeded(), "tensors"));
}

TEST(SmallFiles, MemoryBesidesTensors) {
  for (int i = 0; i < 2; ++i) {  // also where there was such a peak before
    const SmallFileLimits watch(kLarge);
    EXPECT_FALSE(has(watch.exceeded(), "memory"));
    {
      const std::vector<char> written(kTooMuch, 'x');
      EXPECT_EQ(written[kTooMuch / 2], 'x');
    }
    EXPECT_TRUE(has(watch.exceeded(), "memory"));
  }
}

#ifndef HEED_TESTS_ARE_SLOW
TEST(SmallFiles, Time) {
  const SmallFileLimits watch(kLarge);
  EXPECT_FALSE(has(watch.exceeded(), "time"));
  for (const std::clock_t begin = std::clock(); std::clock() - begin < CLOCKS_PER_SEC / 8;) {
  }
  EXPECT_TRUE(has(watch.exceeded(), "time"));
}
#endif

}  // namespace
}  // namespace heed::testing
