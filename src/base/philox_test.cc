#include "base/philox.h"

#include <gtest/gtest.h>

namespace heed {

// The known answers that the authors publish with Random123 (kat_vectors, philox4x32 10).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox(PhiloxWords{0, 0, 0, 0}, {0, 0}), (PhiloxWords{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(PhiloxWords{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (PhiloxWords{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(PhiloxWords{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxWords{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, SeedStreamAndPositionAllMatter) {
  const PhiloxWords base = philox(1, 2, 3);
  EXPECT_EQ(base, philox(1, 2, 3));
  EXPECT_NE(base, philox(2, 2, 3));
  EXPECT_NE(base, philox(1, 3, 3));
  EXPECT_NE(base, philox(1, 2, 4));
  EXPECT_NE(base, philox(1ull << 40 | 1, 2, 3));
  EXPECT_NE(base, philox(1, 1ull << 40 | 2, 3));
  EXPECT_NE(base, philox(1, 2, 1ull << 40 | 3));
}

}  // namespace heed
