#include "explain/drawing.h"

#include <gtest/gtest.h>
#include <heed/ops.h>

#include <sstream>

#include "support/files.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

// A translation with wide characters, a classified text, a text that goes on.
Seen translation() {
  const Tensor attention = tensor({{0.8, 0.1, 0.1, 0}, {0.02, 0.3, 0.6, 0.08}, {0, 0, 0.25, 0.75}});
  const Tensor gradients = tensor({{0.5, 0.25, 0, 0}, {0, 1, 2, 0}, {0, 0, 0, 4}});
  return {
      .title = "三月 5日 → 03-05",
      .model = "transformer",
      .texts = {{"source", {"三月", "5", "日", "</s>"}}, {"target", {"03", "-05", "</s>"}}},
      .scores =
          {{"attention, decoder.1.cross, mean of 4", 0, {0.27f, 0.13f, 0.32f, 0.28f}, 0.312, 0.05, {}, 1, attention},
           {"gradients", 0, {0.17f, 0.42f, 0.67f, 1.33f}, 0.401, 0.04, {0.667}, 1, gradients}},
      .steps = {{"03", 0.9, 0.3, {{"03", 0.9}, {"05", 0.06}}},
                {"-05", 0.75, 0.8, {{"-05", 0.75}, {"-06", 0.2}}},
                {"</s>", 0.999, 0.01, {{"</s>", 0.999}}}}};
}
Seen classification() {
  return {.title = "a dull film with a good end → negative",
          .model = "attention-classifier",
          .texts = {{"text", {"a", "dull", "film", "with", "a", "good", "end"}}, {"answer", {"negative"}}},
          .scores = {{"attention, pooling, mean of 1", 0, {0.01f, 0.6f, 0.1f, 0.02f, 0.01f, 0.2f, 0.06f}, 0.4, 0.1},
                     {"gradients × input", 0, {0, 1.5f, 0.2f, 0, 0, -0.7f, -0.1f}, 0.5, 0.02, {0.4}}},
          .steps = {{"negative", 0.8, 0.5, {{"negative", 0.8}, {"positive", 0.2}}}}};
}

// Heads, weights that are not the model's, and three methods that are asked whether they agree.
Seen heads() {
  Seen seen = translation();
  const Tensor self = tensor({{1, 0, 0, 0}, {0.75, 0.25, 0, 0}, {0, 0.9, 0.1, 0}, {0, 0, 1, 0}});
  const Tensor cross = seen.scores[0].each;
  seen.attention = {{"encoder.0.self", 0, 0, stack({self, transpose(self)}, 0), {}, {}, {0.75, -0.2}},
                    {"decoder.0.cross", 1, 0, stack({cross, cross * 0.5 + 0.125}, 0), {}, {}, {1.5, 0}}};
  seen.counterfactuals = {{"decoder.0.cross", "shuffled", 0.912, 0.31}, {"decoder.0.cross", "uniform", 0.912, 0.12}};
  seen.scores.push_back(seen.scores[1]);
  seen.scores[2].method = "integrated gradients", seen.scores[2].agreement = {0.333, 0.5};
  seen.scores[2].completeness_error = 0.0012;
  return seen;
}

struct Drawn {
  const char* name;
  Seen (*seen)();
  Paper paper;
};
const Drawn kDrawn[] = {{"translation_40", translation, {40, Ink::blocks}},
                        {"translation_80", translation, {80, Ink::blocks}},
                        {"translation_200", translation, {200, Ink::ascii}},
                        {"translation_colours", translation, {80, Ink::true_colour}},
                        {"heads_40", heads, {40, Ink::blocks}},
                        {"heads_80", heads, {80, Ink::true_colour}},
                        {"heads_200", heads, {200, Ink::ascii}},
                        {"classification_40", classification, {40, Ink::ascii}},
                        {"classification_80", classification, {80, Ink::blocks}},
                        {"classification_200", classification, {200, Ink::colours_256}},
                        {"classification_sixteen", classification, {80, Ink::sixteen_colours}}};

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

// HEED_WRITE_GOLDEN=1 writes them anew; they are looked at before they are committed.
TEST(Drawing, IsAsItWas) {
  for (const Drawn& drawn : kDrawn) {
    const std::string path = std::string(HEED_GOLDEN "/drawings/") + drawn.name + ".txt";
    const std::string got = drawing(drawn.seen(), drawn.paper);
    if (std::getenv("HEED_WRITE_GOLDEN")) heed::testing::write_file(path, got);
    EXPECT_EQ(got, heed::testing::file_content(path)) << drawn.name << "\n" << got;
  }
}

TEST(Drawing, KeepsToItsColumns) {
  for (const auto seen : {translation, classification, heads})
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
  EXPECT_EQ(painted("x", 1, Ink::blocks), "x");
}

TEST(Marked, BreaksLinesBetweenWords) {
  EXPECT_EQ(marked({"ab", "月", "c"}, {1, 0.5f, 0}, Ink::ascii, 5),
            (std::vector<std::string>{"ab 月", "## ++", "c", "."}));
}

}  // namespace
}  // namespace heed::explain
