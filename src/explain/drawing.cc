#include "explain/drawing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "explain/alignment.h"
#include "explain/head_map.h"
#include "explain/looking.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

using Lines = std::vector<std::string>;

constexpr int kGap = 3, kNarrowest = 36, kLongestToken = 16, kBar = 20;
constexpr size_t kMost = 4;  // words that are named

// Columns of a line with colours in it.
int visible(const std::string& line) {
  std::string plain;
  for (size_t n = 0; n < line.size(); ++n) {
    if (line[n] == '\033')
      n = line.find('m', n);
    else
      plain += line[n];
  }
  return columns(plain);
}
int visible_width(const Lines& lines) {
  int width = 0;
  for (const std::string& line : lines) width = std::max(width, visible(line));
  return width;
}
std::string filled(const std::string& text, int width) {
  return text + std::string(static_cast<size_t>(std::max(0, width - visible(text))), ' ');
}
void add(Lines& lines, const Lines& more) { lines.insert(lines.end(), more.begin(), more.end()); }

Lines beside(const Lines& left, const Lines& right) {
  const int edge = visible_width(left) + kGap;
  Lines lines;
  for (size_t n = 0; n < std::max(left.size(), right.size()); ++n) {
    lines.push_back(n < left.size() ? left[n] : "");
    if (n < right.size()) lines.back() = filled(lines.back(), edge) + right[n];
  }
  return lines;
}

// The words that count most, with their numbers.
std::string largest_words(const SeenScores& scores, const Lines& words) {
  std::vector<size_t> order(scores.values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return std::abs(scores.values[a]) > std::abs(scores.values[b]); });
  Lines named;
  for (size_t n = 0; n < std::min(kMost, order.size()); ++n)
    named.push_back(
        fmt::format("{} {:.3g}", shortened(printable(words[order[n]]), kLongestToken), scores.values[order[n]]));
  return fmt::format("most: {}", fmt::join(named, ", "));
}

// Its name, its picture and its figures within `most` columns.
Lines block(const Seen& seen, const SeenScores& scores, int most, Ink ink) {
  const Lines& words = seen.texts[scores.text].tokens;
  Lines lines = wrapped(scores.method, most);
  if (scores.is_matrix())
    add(lines, alignment(scores.each, seen.texts[scores.of].tokens, words, ink, most));
  else
    add(lines, marked(words, scores.values, ink, most));
  if (!scores.is_matrix()) add(lines, wrapped(largest_words(scores, words), most));
  add(lines, wrapped(figures_of(scores), most));
  return lines;
}

// Would the matrix be one piece within so many columns?
bool fits(const Seen& seen, const SeenScores& scores, int most) {
  int label = 0;
  for (const std::string& token : seen.texts[scores.of].tokens) label = std::max(label, columns(printable(token)));
  return std::min(label, kLongestToken) + 2 + 2 * scores.each.dim(1) <= most;
}

// Two matrices side by side where they fit; else one below the other.
Lines pictures(const Seen& seen, const Paper& paper) {
  const int half = (paper.columns - kGap) / 2;
  const auto narrow = [&](const SeenScores& scores) { return scores.is_matrix() && fits(seen, scores, half); };
  if (seen.scores.size() == 2 && half >= kNarrowest && narrow(seen.scores[0]) && narrow(seen.scores[1]))
    return beside(block(seen, seen.scores[0], half, paper.ink), block(seen, seen.scores[1], half, paper.ink));
  Lines lines;
  for (const SeenScores& scores : seen.scores) {
    if (!lines.empty()) lines.emplace_back();
    add(lines, block(seen, scores, paper.columns, paper.ink));
  }
  return lines;
}

bool any_below_0(const Seen& seen) {
  return std::any_of(seen.scores.begin(), seen.scores.end(), [](const SeenScores& scores) {
    const auto below = [](double value) { return value < 0; };
    const std::vector<double> each = scores.each.defined() ? scores.each.values() : std::vector<double>();
    return std::any_of(scores.values.begin(), scores.values.end(), below) ||
           std::any_of(each.begin(), each.end(), below);
  });
}

Lines legend(const Seen& seen, const Paper& paper) {
  const bool below = any_below_0(seen);
  if (!has_colours(paper.ink)) {
    const Lines all = shades(paper.ink);
    return wrapped(fmt::format("{} less than a tenth of the largest; {} {} {} {} quarters of it{}.", all[0], all[1],
                               all[2], all[3], all[4], below ? "; < below 0" : ""),
                   paper.columns);
  }
  std::string scale;
  const int steps = below ? 5 : 10;
  for (int n = below ? -steps : 1; n <= steps; ++n)
    scale += n == 0 ? "0" : painted(" ", static_cast<double>(n) / steps, paper.ink);
  return {fmt::format("{} up to the largest.", scale)};
}

Lines figures(const Seen& seen, int most) {
  Lines lines = wrapped(
      "Comprehensiveness: how far the probability falls, on average, as these words are taken away, the largest first; "
      "more is better. Sufficiency: how far it falls with these words alone; less is better.",
      most);
  if (std::any_of(seen.scores.begin(), seen.scores.end(), [](const auto& each) { return each.completeness_error; }))
    add(lines,
        wrapped("Completeness error: how far the scores' sum is off what the answer gained by the words.", most));
  if (const std::string agreement = agreement_of(seen); !agreement.empty()) add(lines, wrapped(agreement, most));
  return lines;
}

std::string bar(double share, int width, Ink ink) {
  const Lines inks = shades(ink);
  const auto full = static_cast<int>(std::lround(share * width));
  std::string all;
  for (int n = 0; n < full; ++n) all += inks[4];
  return all;
}

std::string token_cell(const std::string& token, int width) {
  return filled(shortened(printable(token), width), width);
}

int token_width(const Paper& paper) { return std::min(kLongestToken, paper.columns - 15); }

// What might have been said here.
Lines alternatives(const SeenStep& step, const Paper& paper) {
  Lines lines;
  const int width = std::min(kBar, paper.columns - token_width(paper) - 8);
  for (const SeenStep::Alternative& each : step.alternatives)
    lines.push_back(fmt::format("{} {:6.4f} {}", token_cell(each.token, token_width(paper)), each.probability,
                                bar(each.probability, width, paper.ink)));
  return lines;
}

// Of each token how sure it was, and what came closest.
Lines each_step(const std::vector<SeenStep>& steps, const Paper& paper) {
  const bool wide = paper.columns >= 60;
  Lines lines = {fmt::format("{} {:>6} {:>7}{}", token_cell("token", token_width(paper)), "p", "entropy",
                             wide ? "  instead" : "")};
  for (const SeenStep& step : steps) {
    lines.push_back(
        fmt::format("{} {:6.4f} {:7.3f}", token_cell(step.token, token_width(paper)), step.probability, step.entropy));
    const auto other = std::find_if(step.alternatives.begin(), step.alternatives.end(),
                                    [&](const auto& each) { return each.token != step.token; });
    if (wide && other != step.alternatives.end())
      lines.back() += fmt::format("  {} {:.4f}", shortened(printable(other->token), kLongestToken), other->probability);
  }
  return lines;
}

Lines steps(const Seen& seen, const Paper& paper) {
  if (seen.steps.size() > 1) return each_step(seen.steps, paper);
  return seen.steps.empty() ? Lines() : alternatives(seen.steps[0], paper);
}

// What each head does, where heads were switched off one by one.
Lines heads(const Seen& seen, const Paper& paper) {
  Lines lines;
  if (head_map(seen, HeadMeasure::importance).layers.empty()) return lines;
  for (const auto& [name, measure] : names_of(HeadMeasure{}))
    add(lines, lines_of(head_map(seen, measure), paper.ink, paper.columns));
  for (const SeenAttention& attention : seen.attention) add(lines, wrapped(kinds_text(seen, attention), paper.columns));
  return lines;
}

// Does the answer care where the model looked?
Lines counterfactuals(const Seen& seen, const Paper& paper) {
  Lines lines;
  if (seen.counterfactuals.empty()) return lines;
  add(lines, wrapped(counterfactuals_of(seen), paper.columns));
  for (const SeenCounterfactual& each : seen.counterfactuals)
    lines.push_back(fmt::format("{} {:<8} {:.3g}", token_cell(each.layer, kLongestToken), each.weights, each.after));
  return lines;
}

}  // namespace

std::string drawing(const Seen& seen, const Paper& paper) {
  Lines lines = wrapped(printable(seen.title), paper.columns);
  const auto part = [&](const Lines& more) {
    if (!more.empty()) lines.emplace_back(), add(lines, more);
  };
  part(steps(seen, paper));
  part(pictures(seen, paper));
  part(legend(seen, paper));
  add(lines, figures(seen, paper.columns));
  part(heads(seen, paper));
  part(counterfactuals(seen, paper));
  part(wrapped(kCaution, paper.columns));
  std::string text;
  for (const std::string& line : lines) text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  return text;
}

}  // namespace heed::explain
