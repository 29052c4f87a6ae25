#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace heed::cli {
namespace {

using explain::Ink;

TEST(Terminal, HasTheColoursThatItPromises) {
  EXPECT_EQ(paper({120, "", "xterm-256color", "truecolor"}).ink, Ink::true_colour);
  EXPECT_EQ(paper({120, "", "xterm-direct", "24bit"}).ink, Ink::true_colour);
  EXPECT_EQ(paper({120, "", "xterm-256color", ""}).ink, Ink::colours_256);
  EXPECT_EQ(paper({120, "", "linux", ""}).ink, Ink::sixteen_colours);
}

TEST(Terminal, HasNoneWhereNobodyWantsOrSeesThem) {
  EXPECT_EQ(paper({0, "", "xterm-256color", "truecolor"}).ink, Ink::blocks);     // a pipe
  EXPECT_EQ(paper({120, "1", "xterm-256color", "truecolor"}).ink, Ink::blocks);  // NO_COLOR
  EXPECT_EQ(paper({120, "", "dumb", "truecolor"}).ink, Ink::blocks);
  EXPECT_EQ(paper({120, "", "", ""}).ink, Ink::blocks);
}

TEST(Terminal, Is80ColumnsWideWhereItIsNone) {
  EXPECT_EQ(paper({0, "", "", ""}).columns, 80);
  EXPECT_EQ(paper({137, "", "", ""}).columns, 137);
  EXPECT_EQ(paper({3, "", "", ""}).columns, 30);
}

}  // namespace
}  // namespace heed::cli
