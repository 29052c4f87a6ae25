// A chart in a terminal: a mark a point, a letter for each curve where there are several.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "explain/axis.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

constexpr int kLabel = 10;  // columns before the picture
constexpr const char* kMarks[] = {"•", "+", "×", "o", "*", "=", "#"};

const char* mark_of(size_t curve) { return kMarks[curve % std::size(kMarks)]; }

using Canvas = std::vector<std::vector<const char*>>;  // [row][column]
int cell(double share, int cells) { return static_cast<int>(std::lround(share * (cells - 1))); }

void draw(const Curve& curve, const char* mark, const Axis& x, const Axis& y, Canvas& canvas) {
  const auto rows = static_cast<int>(canvas.size()), columns = static_cast<int>(canvas[0].size());
  for (const Place& point : curve.points) {
    if (!x.has(point.x) || !y.has(point.y)) continue;
    const int row = rows - 1 - cell(y.share(point.y), rows);
    canvas[static_cast<size_t>(row)][static_cast<size_t>(cell(x.share(point.x), columns))] = mark;
  }
}

// The numbers below their columns, those that fit.
std::string labels(const Axis& axis, int columns) {
  std::string line(static_cast<size_t>(columns), ' ');
  size_t free = 0;
  for (const auto& [value, label] : axis.ticks(columns / 7)) {
    const auto at = static_cast<size_t>(cell(axis.share(value), columns));
    if (at < free || at + label.size() > line.size()) continue;
    line.replace(at, label.size(), label), free = at + label.size() + 1;
  }
  return line;
}

// The largest at the top, the least below, between them round numbers at the rows that they are nearest to.
std::vector<std::string> labels_beside(const Axis& axis, int rows) {
  std::vector<std::string> beside(static_cast<size_t>(rows));
  for (const auto& [value, label] : axis.ticks(rows / 3))
    if (const int row = rows - 1 - cell(axis.share(value), rows); row > 1 && row < rows - 2)
      beside[static_cast<size_t>(row)] = label;
  beside.front() = fmt::format("{:.3g}", axis.most()), beside.back() = fmt::format("{:.3g}", axis.least());
  return beside;
}

}  // namespace

std::vector<std::string> lines_of(const Chart& chart, int columns, int rows) {
  const Axis x = Axis::of(chart.curves, &Place::x, chart.x), y = Axis::of(chart.curves, &Place::y, chart.y);
  const int width = columns - kLabel - 2;
  Canvas canvas(static_cast<size_t>(rows), std::vector<const char*>(static_cast<size_t>(width), " "));
  if (chart.marked && *chart.marked >= x.least() && *chart.marked <= x.most())
    for (auto& row : canvas) row[static_cast<size_t>(cell(x.share(*chart.marked), width))] = "┊";
  for (size_t n = 0; n < chart.curves.size(); ++n) draw(chart.curves[n], mark_of(n), x, y, canvas);

  std::vector<std::string> lines;
  if (!chart.title.empty()) lines.push_back(shortened(printable(chart.title), columns));
  const std::vector<std::string> beside = labels_beside(y, rows);
  for (size_t row = 0; row < canvas.size(); ++row)
    lines.push_back(fmt::format("{:>{}} │{}", beside[row], kLabel - 1, fmt::join(canvas[row], "")));
  lines.push_back(fmt::format("{:>{}}  {}", shortened(chart.across, kLabel - 1), kLabel - 1, labels(x, width)));
  if (chart.curves.size() > 1)
    for (size_t n = 0; n < chart.curves.size(); ++n)
      lines.push_back(
          shortened(fmt::format("{:>{}} {}", mark_of(n), kLabel, printable(chart.curves[n].name)), columns));
  return lines;
}

}  // namespace heed::explain
