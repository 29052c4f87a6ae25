#include "explain/seen_graphic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "explain/head_map.h"
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
Colour ink_on(Colour fill) { return fill.red + fill.green + fill.blue < 400 ? kPaper : kInk; }

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
  sheet.add(legend, {kEdge, sheet.height});
  sheet.height += legend.height;
  return sheet;
}

Graphic picture_of(const Seen& seen, const SeenScores& scores) {
  const std::vector<std::string>& words = seen.texts[scores.text].tokens;
  if (scores.is_matrix()) return graphic_of(HeatMap{scores.method, seen.texts[scores.of].tokens, words, scores.each});
  return marked_words(scores.method, words, scores.values);
}

// Graphics side by side, as many as a line holds.
Graphic in_lines(const std::vector<Graphic>& graphics) {
  Graphic sheet{kWidth, 0};
  double left = 0, height = 0;
  for (const Graphic& graphic : graphics) {
    if (left > 0 && left + graphic.width > kWidth) sheet.height += std::exchange(height, 0), left = 0;
    sheet.add(graphic, {left, sheet.height});
    left += graphic.width, height = std::max(height, graphic.height);
    sheet.width = std::max(sheet.width, left);
  }
  sheet.height += height;
  return sheet;
}

struct Bar {
  std::string name, number;
  double share = 0;  // of the longest
};
Graphic bars(const std::vector<Bar>& all, double left) {
  const double longest = 560 - left;
  Graphic sheet{kWidth, 10};
  for (const Bar& bar : all) {
    const double y = sheet.height, share = std::clamp(bar.share, -1.0, 1.0);
    sheet.parts.emplace_back(Words{{left - 8, y + 14}, printable(bar.name), Side::right, 12});
    sheet.parts.emplace_back(Box{{left, y + 4}, longest, 12, kHair});
    sheet.parts.emplace_back(Box{{left, y + 4}, longest * std::abs(share), 12, line_colour(share < 0 ? 1 : 0)});
    sheet.parts.emplace_back(Words{{left + longest + 8, y + 14}, bar.number, Side::left, kNote, kFaint});
    sheet.height += 20;
  }
  sheet.height += 8;
  return sheet;
}

// Of each token how likely it was; of a single one what else might have been said.
Graphic steps_of(const std::vector<SeenStep>& steps) {
  std::vector<SeenStep::Alternative> said;
  if (steps.size() == 1) said = steps[0].alternatives;
  for (size_t n = 0; steps.size() > 1 && n < steps.size(); ++n) said.push_back({steps[n].token, steps[n].probability});
  std::vector<Bar> all;
  for (const auto& [token, probability] : said)
    all.push_back({shortened(printable(token), 18), fmt::format("{:.3f}", probability), probability});
  return bars(all, 150);
}

// Does the answer care where the model looked? Orange: below 0.
Graphic counterfactuals(const Seen& seen) {
  double most = std::abs(seen.counterfactuals[0].before);
  for (const SeenCounterfactual& each : seen.counterfactuals) most = std::max(most, std::abs(each.after));
  const auto bar = [&](const std::string& name, double value) {
    return Bar{name, fmt::format("{:.3g}", value), most > 0 ? value / most : 0};
  };
  std::vector<Bar> all = {bar("as it was", seen.counterfactuals[0].before)};
  for (const SeenCounterfactual& each : seen.counterfactuals)
    all.push_back(bar(shortened(each.layer, 20) + ", " + each.weights, each.after));
  return stacked({paragraph(counterfactuals_of(seen), kNote, kInk), bars(all, 230)});
}

// What each head does, where heads were switched off one by one.
std::vector<Graphic> heads(const Seen& seen) {
  std::vector<Graphic> maps, all;
  if (head_map(seen, HeadMeasure::importance).layers.empty()) return all;
  for (const auto& [name, measure] : names_of(HeadMeasure{}))
    maps.push_back(graphic_of(heat_map_of(head_map(seen, measure))));
  all.push_back(in_lines(maps));
  for (const SeenAttention& attention : seen.attention)
    if (const std::string kinds = kinds_text(seen, attention); !kinds.empty())
      all.push_back(paragraph(kinds, kNote, kFaint));
  return all;
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
  for (Graphic& graphic : heads(seen)) parts.push_back(std::move(graphic));
  if (!seen.counterfactuals.empty()) parts.push_back(counterfactuals(seen));
  parts.push_back(paragraph(kCaution, kNote, kInk));
  parts.push_back({kWidth, 12});
  return stacked(parts);
}

}  // namespace heed::explain
