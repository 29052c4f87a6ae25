#include "explain/drawing.h"

#include <gtest/gtest.h>

#include <sstream>

#include "support/seen.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

using namespace heed::testing;

std::string without_colours(const std::string& text) {
  std::string plain;
  for (size_t n = 0; n < text.size(); ++n) {
    if (text[n] == '\033')
      n = text.find('m', n);
    else
      plain += text[n];
  }
  return plain;
}

TEST(Drawing, KeepsToItsColumns) {
  for (const auto seen : {translation, classification, heads, what_comes_next, signed_scores})
    for (int most = 30; most <= 200; most += 5)
      for (const Ink ink : {Ink::blocks, Ink::true_colour}) {
        std::istringstream lines(without_colours(drawing(seen(), {most, ink})));
        for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), most) << line;
      }
}

TEST(Drawing, SaysWithoutColoursWhatItSaysWithThem) {
  for (const auto seen : {translation, classification})
    EXPECT_EQ(drawing(seen(), {80, Ink::blocks}).find('\033'), std::string::npos);
  EXPECT_NE(drawing(translation(), {80, Ink::sixteen_colours}).find("\033["), std::string::npos);
}

TEST(Drawing, CanDoNothingToATerminal) {
  Seen seen = classification();
  seen.title = "\033[2J", seen.texts[0].tokens[1] = "\033]0;x\a";
  EXPECT_EQ(drawing(seen, {80, Ink::blocks}).find_first_of("\033\a"), std::string::npos);
}

TEST(Painted, IsDarkToLight) {
  EXPECT_EQ(painted("x", 0, Ink::true_colour), "\033[48;2;68;1;84;97mx\033[0m");
  EXPECT_EQ(painted("x", 1, Ink::true_colour), "\033[48;2;253;231;37;30mx\033[0m");
  EXPECT_EQ(painted("x", 1, Ink::colours_256), "\033[48;5;220;30mx\033[0m");
  EXPECT_EQ(painted("x", 0.3, Ink::sixteen_colours), "\033[46;30mx\033[0m");
  EXPECT_EQ(painted("x", -1, Ink::sixteen_colours), "\033[41;97mx\033[0m");
  EXPECT_EQ(painted("x", -1, Ink::true_colour), "\033[48;2;255;195;160;30mx\033[0m");
  EXPECT_EQ(painted("x", 1, Ink::blocks), "x");
}

TEST(Marked, BreaksLinesBetweenWords) {
  EXPECT_EQ(marked({"ab", "月", "c"}, {1, 0.5f, 0}, Ink::ascii, 5),
            (std::vector<std::string>{"ab 月", "## ++", "c", "."}));
}

TEST(Marked, SaysWhatIsBelow0) {
  EXPECT_EQ(marked({"ab", "c", "月"}, {-1, -0.5f, 0.75f}, Ink::ascii, 20),
            (std::vector<std::string>{"ab c 月", "<# < **"}));
}

TEST(Picture, SaysWhatIsBelow0) {
  EXPECT_EQ(picture(tensor({{-1, 0, 0.5}}), Ink::ascii), std::vector<std::string>{"<# .++"});
  EXPECT_NE(picture(tensor({{-1, 0, 0.5}}), Ink::true_colour).at(0).find("255;195;160;30m< "), std::string::npos);
}

}  // namespace
}  // namespace heed::explain
