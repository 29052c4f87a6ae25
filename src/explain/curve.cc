#include "explain/curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace heed::explain {
namespace {

constexpr int kLabel = 10;  // columns before the picture

// Where x lies between two others, on a logarithmic scale.
int column_of(double x, double from, double to, int columns) {
  if (to <= from) return 0;
  return static_cast<int>(std::lround((columns - 1) * std::log(x / from) / std::log(to / from)));
}

// The powers of ten below their columns.
std::string decades(double from, double to, int columns) {
  std::string line(static_cast<size_t>(columns), ' ');
  for (int power = static_cast<int>(std::ceil(std::log10(from) - 1e-9)); std::pow(10, power) <= to * (1 + 1e-9);
       ++power) {
    const std::string label = fmt::format("1e{}", power);
    const auto at = static_cast<size_t>(column_of(std::pow(10, power), from, to, columns));
    if (at + label.size() <= line.size()) line.replace(at, label.size(), label);
  }
  return line;
}

}  // namespace

std::vector<std::string> curve(const std::vector<CurvePoint>& points, double marked, int columns, int rows) {
  const auto by_y = [](const CurvePoint& a, const CurvePoint& b) { return a.y < b.y; };
  const auto [least, most] = std::minmax_element(points.begin(), points.end(), by_y);
  const double from = points.front().x, to = points.back().x, low = least->y, high = most->y;
  const int width = columns - kLabel - 2;
  const auto size = [](int n) { return static_cast<size_t>(n); };
  std::vector<std::vector<const char*>> picture(size(rows), std::vector<const char*>(size(width), " "));
  if (marked >= from && marked <= to)
    for (auto& row : picture) row[size(column_of(marked, from, to, width))] = "┊";
  for (const CurvePoint& point : points) {
    const double share = high > low ? (high - point.y) / (high - low) : 1;
    picture[size(static_cast<int>(std::lround(share * (rows - 1))))][size(column_of(point.x, from, to, width))] = "•";
  }
  std::vector<std::string> lines;
  for (int row = 0; row < rows; ++row) {
    const double y = high - (high - low) * row / (rows - 1);
    std::string line =
        fmt::format("{:>{}} │", row % 4 == 0 || row == rows - 1 ? fmt::format("{:.4g}", y) : "", kLabel - 1);
    for (const char* cell : picture[size(row)]) line += cell;
    lines.push_back(line);
  }
  lines.push_back(std::string(kLabel + 1, ' ') + decades(from, to, width));
  return lines;
}

}  // namespace heed::explain
