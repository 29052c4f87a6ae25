#include "explain/seen_graphic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "explain/heat_map.h"
#include "explain/looking.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

constexpr double kEdge = 16, kWidth = 720, kWord = 14, kNote = 11, kLine = 26;
constexpr int kColumns = 104;  // of a note's line

Graphic paragraph(const std::string& text, double size, Colour ink, int columns = kColumns) {
  Graphic sheet{kWidth, 6};
  for (const std::string& line : wrapped(printable(text), columns)) {
    sheet.height += size * 1.5;
    sheet.parts.emplace_back(Words{{kEdge, sheet.height - size * 0.4}, line, Side::left, size, ink});
  }
  return sheet;
}

// Light letters on dark squares.
Colour ink_on(Colour fill) { return fill.red + fill.green + fill.blue < 380 ? kPaper : kInk; }

// Words one after the other, each upon its shade.
Graphic marked_words(const std::string& title, const std::vector<std::string>& words,
                     const std::vector<float>& values) {
  const Shades shades(std::vector<double>(values.begin(), values.end()));
  Graphic sheet = paragraph(title, 14, kInk);
  Place at{kEdge, sheet.height + 6};
  for (size_t n = 0; n < words.size(); ++n) {
    const std::string word = printable(words[n]);
    const double width = width_of(word, kWord) + 8;
    if (at.x + width > kWidth - kEdge) at = {kEdge, at.y + kLine};
    const Colour fill = shades.of(values[n]);
    sheet.parts.emplace_back(Box{at, width, kLine - 4, fill});
    sheet.parts.emplace_back(Words{{at.x + width / 2, at.y + 16}, word, Side::middle, kWord, ink_on(fill)});
    at.x += width + 2;
  }
  sheet.height = at.y + kLine + 4;
  const Graphic legend = shades.legend();
  sheet.add(legend, {0, sheet.height});
  sheet.height += legend.height;
  return sheet;
}

Graphic picture_of(const Seen& seen, const SeenScores& scores) {
  const std::vector<std::string>& words = seen.texts[scores.text].tokens;
  if (scores.is_matrix()) return graphic_of(HeatMap{scores.method, seen.texts[scores.of].tokens, words, scores.each});
  return marked_words(scores.method, words, scores.values);
}

// Of each token how likely it was; of a single one what else might have been said.
Graphic steps_of(const std::vector<SeenStep>& steps) {
  std::vector<SeenStep::Alternative> bars;
  if (steps.size() == 1) bars = steps[0].alternatives;
  for (size_t n = 0; steps.size() > 1 && n < steps.size(); ++n) bars.push_back({steps[n].token, steps[n].probability});
  constexpr double kLeft = 150, kBar = 400;
  Graphic sheet{kWidth, 10};
  for (const auto& bar : bars) {
    const double y = sheet.height;
    sheet.parts.emplace_back(Words{{kLeft - 8, y + 14}, shortened(printable(bar.token), 18), Side::right, 12});
    sheet.parts.emplace_back(Box{{kLeft, y + 4}, kBar, 12, kHair});
    sheet.parts.emplace_back(Box{{kLeft, y + 4}, kBar * std::clamp(bar.probability, 0.0, 1.0), 12, line_colour(0)});
    sheet.parts.emplace_back(
        Words{{kLeft + kBar + 8, y + 14}, fmt::format("{:.3f}", bar.probability), Side::left, kNote, kFaint});
    sheet.height += 20;
  }
  sheet.height += 8;
  return sheet;
}

}  // namespace

Graphic graphic_of(const Seen& seen) {
  std::vector<Graphic> parts = {paragraph(seen.title, 16, kInk, 70), paragraph(seen.model, kNote, kFaint)};
  if (!seen.steps.empty()) parts.push_back(steps_of(seen.steps));
  for (const SeenScores& scores : seen.scores) {
    parts.push_back(picture_of(seen, scores));
    parts.push_back(paragraph(figures_of(scores), kNote, kFaint));
  }
  if (!seen.scores.empty())
    parts.push_back(
        paragraph("More comprehensiveness is better, less sufficiency. " + agreement_of(seen), kNote, kInk));
  parts.push_back(paragraph(kCaution, kNote, kInk));
  parts.push_back({kWidth, 12});
  return stacked(parts);
}

}  // namespace heed::explain
