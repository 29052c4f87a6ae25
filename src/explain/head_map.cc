#include "explain/head_map.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "explain/looking.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

constexpr int kCell = 2, kLongestLayer = 20;

// What it is, in which unit.
const char* name_of(HeadMeasure measure) {
  switch (measure) {
    case HeadMeasure::entropy: return "entropy of a head's weights, nats";
    case HeadMeasure::distance: return "distance that a head looks over, tokens";
    case HeadMeasure::importance: break;
  }
  return "importance: what the answer's log p loses without the head";
}
std::string title_of(const HeadMap& map) {
  const std::string what =
      map.of.empty() ? name_of(map.measure) : fmt::format("{}: {}", printable(map.of), name_of(map.measure));
  return map.answers > 1 ? fmt::format("{}, mean of {} answers", what, map.answers) : what;
}

std::vector<double> values_of(const SeenAttention& attention, HeadMeasure measure) {
  switch (measure) {
    case HeadMeasure::entropy: return head_entropy(attention.weights).values();
    case HeadMeasure::distance: return head_distance(attention.weights).values();
    case HeadMeasure::importance: break;
  }
  return attention.importance;
}

size_t widest(const HeadMap& map) {
  size_t heads = 0;
  for (const auto& row : map.heads) heads = std::max(heads, row.size());
  return heads;
}
double largest(const HeadMap& map) {
  double most = 0;
  for (const auto& row : map.heads)
    for (const double value : row) most = std::max(most, std::abs(value));
  return most;
}

// By more than rounding.
bool is_below_0(double value, double most) { return value < -most / 1000; }
bool any_below_0(const HeadMap& map) {
  const double most = largest(map);
  return std::any_of(map.heads.begin(), map.heads.end(), [&](const std::vector<double>& row) {
    return std::any_of(row.begin(), row.end(), [&](double value) { return is_below_0(value, most); });
  });
}

std::string cell(double value, double most, Ink ink) {
  const double share = most > 0 ? value / most : 0;
  const std::string shade = shades(ink)[static_cast<size_t>(std::ceil(4 * std::abs(share)))];
  const std::string front = is_below_0(value, most) ? "<" : has_colours(ink) ? " " : shade;
  return has_colours(ink) ? painted(front + " ", share, ink) : front + shade;
}

void add(HeadMap& sum, const HeadMap& more) {
  for (size_t l = 0; l < sum.heads.size(); ++l)
    for (size_t h = 0; h < sum.heads[l].size(); ++h) sum.heads[l][h] += more.heads.at(l).at(h);
}

// The heads' numbers, every second where they would run into each other.
std::string numbers(size_t begin, size_t end) {
  const size_t step = end > 10 ? 2 : 1;
  std::string line;
  for (size_t h = begin; h < end; h += step) line += padded(fmt::format("{}", h), static_cast<int>(kCell * step));
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

}  // namespace

HeadMap head_map(const Seen& seen, HeadMeasure measure) {
  HeadMap map{measure, {}, {}};
  for (const SeenAttention& attention : seen.attention)
    if (std::vector<double> values = values_of(attention, measure); !values.empty())
      map.layers.push_back(attention.name), map.heads.push_back(std::move(values));
  return map;
}

std::vector<HeadMap> head_maps(std::span<const Question> questions) {
  check(!questions.empty(), "heads", "there is nothing to ask the model");
  std::vector<HeadMap> means;
  for (const Question& question : questions) {
    const Seen seen = heads_of(question);
    check(!seen.attention.empty(), "heads", "this model has no attention: there are no heads to draw");
    for (size_t n = 0; n < names_of(HeadMeasure{}).size(); ++n) {
      HeadMap map = head_map(seen, names_of(HeadMeasure{})[n].second);
      map.answers = std::ssize(questions);
      for (std::vector<double>& row : map.heads)
        for (double& value : row) value /= static_cast<double>(map.answers);
      n < means.size() ? add(means[n], map) : means.push_back(std::move(map));
    }
  }
  return means;
}

std::vector<HeadKind> kinds_of(const Seen& seen, const SeenAttention& attention) {
  std::vector<HeadKind> kinds;
  if (attention.queries != attention.keys) return kinds;
  for (int64_t h = 0; h < attention.weights.dim(0); ++h)
    kinds.push_back(head_kinds(attention.weights[h], seen.texts[attention.keys].tokens).at(0));
  return kinds;
}

std::string kinds_text(const Seen& seen, const SeenAttention& attention) {
  std::vector<std::string> kinds;
  for (const HeadKind& kind : kinds_of(seen, attention))
    kinds.push_back(fmt::format("{} {} {:.2f}", kinds.size(), kind.name, kind.strength));
  return kinds.empty() ? "" : fmt::format("{}: {}", printable(attention.name), fmt::join(kinds, ", "));
}

std::vector<std::string> lines_of(const HeadMap& map, Ink ink, int most) {
  const double all = largest(map);
  int label = 0;
  for (const std::string& layer : map.layers)
    label = std::max(label, columns(shortened(printable(layer), kLongestLayer)));
  const auto part = static_cast<size_t>(std::max(1, (most - label - 2) / kCell)), heads = widest(map);
  std::vector<std::string> lines =
      wrapped(fmt::format("{}, up to {:.3g}{}", title_of(map), all, any_below_0(map) ? "; < is below 0" : ""), most);
  for (size_t begin = 0; begin < heads; begin += part) {
    const size_t end = std::min(heads, begin + part);
    lines.push_back(padded("", label + 2) + numbers(begin, end));
    for (size_t l = 0; l < map.layers.size(); ++l) {
      std::string line = padded(shortened(printable(map.layers[l]), kLongestLayer), label + 2);
      for (size_t h = begin; h < std::min(end, map.heads[l].size()); ++h) line += cell(map.heads[l][h], all, ink);
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

HeatMap heat_map_of(const HeadMap& map) {
  const size_t heads = widest(map);
  std::vector<double> values(map.layers.size() * heads, std::numeric_limits<double>::quiet_NaN());
  for (size_t l = 0; l < map.layers.size(); ++l)
    std::copy(map.heads[l].begin(), map.heads[l].end(), values.begin() + static_cast<std::ptrdiff_t>(l * heads));
  HeatMap picture{title_of(map), map.layers, {}, {}};
  for (size_t h = 0; h < heads; ++h) picture.columns.push_back(fmt::format("{}", h));
  picture.values = tensor_from(values, {std::ssize(map.layers), static_cast<int64_t>(heads)});
  return picture;
}

}  // namespace heed::explain
