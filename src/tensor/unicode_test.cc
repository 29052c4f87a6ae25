#include "tensor/unicode.h"

#include <gtest/gtest.h>

namespace heed {
namespace {

using Lines = std::vector<std::string>;

TEST(Wrapped, BreaksAtSpaces) {
  EXPECT_EQ(wrapped("one two three", 7), (Lines{"one two", "three"}));
  EXPECT_EQ(wrapped("one two three", 80), (Lines{"one two three"}));
  EXPECT_EQ(wrapped("incomprehensible is long", 8), (Lines{"incomprehensible", "is long"}));
  EXPECT_EQ(wrapped("", 8), Lines{});
}

TEST(Wrapped, BreaksBetweenChineseCharactersButNotBeforeTheirMarks) {
  EXPECT_EQ(wrapped("用于生成：看不到未来。", 9), (Lines{"用于生", "成：看不", "到未来。"}));
  EXPECT_EQ(wrapped("因子 1/√D 使方差为 1", 10), (Lines{"因子 1/√D", "使方差为 1"}));
}

}  // namespace
}  // namespace heed
