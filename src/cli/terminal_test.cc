#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace heed::cli {
namespace {

using explain::Ink;

TEST(Terminal, HasTheColoursThatItPromises) {
  EXPECT_EQ(paper({true, 120, "", "xterm-256color", "truecolor"}).ink, Ink::true_colour);
  EXPECT_EQ(paper({true, 120, "", "xterm-direct", "24bit"}).ink, Ink::true_colour);
  EXPECT_EQ(paper({true, 120, "", "xterm-256color", ""}).ink, Ink::colours_256);
  EXPECT_EQ(paper({true, 120, "", "linux", ""}).ink, Ink::sixteen_colours);
}

TEST(Terminal, HasNoneWhereNobodyWantsOrSeesThem) {
  EXPECT_EQ(paper({false, 80, "", "xterm-256color", "truecolor"}).ink, Ink::blocks);   // a pipe
  EXPECT_EQ(paper({true, 120, "1", "xterm-256color", "truecolor"}).ink, Ink::blocks);  // NO_COLOR
  EXPECT_EQ(paper({true, 120, "", "dumb", "truecolor"}).ink, Ink::blocks);
  EXPECT_EQ(paper({true, 120, "", "", ""}).ink, Ink::blocks);
}

TEST(Terminal, IsAsWideAsItCanBe) {
  EXPECT_EQ(paper({true, 137, "", "", ""}).columns, 137);
  EXPECT_EQ(paper({true, 3, "", "", ""}).columns, 30);
  EXPECT_EQ(paper({true, 2'000'000'000, "", "", ""}).columns, 1000);
}

TEST(Terminal, AsksTheEnvironmentFirst) {
  const auto columns = [](const char* said) {
    setenv("COLUMNS", said, 1);
    return terminal().columns;
  };
  EXPECT_EQ(columns("137"), 137);
  unsetenv("COLUMNS");
  const int without = terminal().columns;
  for (const char* nonsense : {"", "0", "-3", "12x", "99999999999999999999"}) EXPECT_EQ(columns(nonsense), without);
  unsetenv("COLUMNS");
}

}  // namespace
}  // namespace heed::cli
