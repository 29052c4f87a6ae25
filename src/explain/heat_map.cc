#include "explain/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

constexpr double kSquare = 20, kLeastSquare = 2, kSheetWidth = 900, kLegible = 9;  // pixels
constexpr double kMargin = 16, kTitle = 30, kText = 11;
constexpr int kLongest = 24;  // columns of a label

double widest(const std::vector<std::string>& labels) {
  double width = 0;
  for (const std::string& label : labels)
    width = std::max(width, width_of(shortened(printable(label), kLongest), kText));
  return width;
}

}  // namespace

Colour signed_shade(double share) {
  if (share >= 0) return shade(share);
  const Colour blue = shade(-share);  // the same darkness in orange
  return {static_cast<uint8_t>(std::min(255, blue.blue + 10)), static_cast<uint8_t>((blue.green * 3 + blue.red) / 4),
          blue.red};
}

Shades::Shades(std::span<const double> values) {
  double least = 0;
  for (const double value : values)
    if (std::isfinite(value)) most_ = std::max(most_, std::abs(value)), least = std::min(least, value);
  signed_ = least < -most_ / 1000;  // by more than rounding
}

Colour Shades::of(double value) const { return signed_shade(most_ > 0 && std::isfinite(value) ? value / most_ : 0); }

Graphic Shades::legend() const {
  constexpr int kSteps = 40;
  constexpr double kStep = 4;
  constexpr double kLong = kSteps * kStep;
  Graphic legend{kLong + 40, 40};
  for (int n = 0; n < kSteps; ++n) {
    const double share = signed_ ? 2 * (n + 0.5) / kSteps - 1 : (n + 0.5) / kSteps;
    legend.parts.emplace_back(Box{{n * kStep, 6}, kStep, 10, signed_shade(share)});
  }
  const std::string most = fmt::format("{:.3g}", most_);
  const auto below = [&](double x, const std::string& number, Side side) {
    legend.parts.emplace_back(Words{{x, 29}, number, side, kText, kFaint});
  };
  below(0, signed_ ? "-" + most : "0", Side::left), below(kLong, most, Side::right);
  if (signed_) below(kLong / 2, "0", Side::middle);
  return legend;
}

namespace {

// Where its squares lie on the sheet.
struct Squares {
  double left, top, cell;
  bool labelled;             // where squares are large enough for words beside them
  bool short_words = false;  // they fit above their columns as they are

  explicit Squares(const HeatMap& map)
      : cell(std::clamp(kSheetWidth / static_cast<double>(std::max<size_t>(1, map.columns.size())), kLeastSquare,
                        kSquare)),
        labelled(cell >= kLegible) {
    short_words = widest(map.columns) <= cell - 2;
    left = kMargin + (labelled ? widest(map.rows) + 10 : 0);
    top = kTitle + (labelled ? (short_words ? kText : widest(map.columns)) + 16 : 8);
  }
  Place at(double row, double column) const { return {left + cell * column, top + cell * row}; }
};

void add_squares(const HeatMap& map, const Squares& grid, const std::vector<double>& values, const Shades& shades,
                 Graphic& sheet) {
  const size_t columns = map.columns.size();
  for (size_t r = 0; r < map.rows.size(); ++r)
    for (size_t c = 0; c < columns; ++c) {
      const Place at = grid.at(static_cast<double>(r), static_cast<double>(c));
      sheet.parts.emplace_back(Box{at, grid.cell, grid.cell, shades.of(values[r * columns + c])});
    }
}

void add_labels(const HeatMap& map, const Squares& grid, Graphic& sheet) {
  for (size_t r = 0; r < map.rows.size(); ++r) {
    const Place at = grid.at(static_cast<double>(r) + 0.5, 0);
    sheet.parts.emplace_back(
        Words{{at.x - 6, at.y + 4}, shortened(printable(map.rows[r]), kLongest), Side::right, kText});
  }
  for (size_t c = 0; c < map.columns.size(); ++c) {
    const Place at = grid.at(0, static_cast<double>(c) + 0.5);
    const std::string label = shortened(printable(map.columns[c]), kLongest);
    sheet.parts.emplace_back(grid.short_words ? Words{{at.x, at.y - 6}, label, Side::middle, kText}
                                              : Words{{at.x + 4, at.y - 6}, label, Side::left, kText, kInk, true});
  }
}

}  // namespace

Graphic graphic_of(const HeatMap& map) {
  const auto rows = static_cast<int64_t>(map.rows.size()), columns = static_cast<int64_t>(map.columns.size());
  check(map.values.shape() == Shape{rows, columns}, "heat map", "{} rows and {} columns for other values", rows,
        columns);
  const std::vector<double> values = map.values.values();
  const Shades shades(values);
  const Squares grid(map);
  const Place end = grid.at(static_cast<double>(rows), static_cast<double>(columns));
  Graphic sheet{std::max(end.x + kMargin, 2 * kMargin + width_of(map.title, 14)), end.y + 12};
  sheet.parts.emplace_back(Words{{kMargin, 21}, map.title, Side::left, 14});
  add_squares(map, grid, values, shades, sheet);
  if (grid.labelled) add_labels(map, grid, sheet);
  const Place begin = grid.at(0, 0);
  sheet.parts.emplace_back(Stroke{{begin, {end.x, begin.y}, end, {begin.x, end.y}, begin}, kHair, 1});
  const Graphic legend = shades.legend();
  sheet.add(legend, {begin.x, sheet.height});
  sheet.height += legend.height, sheet.width = std::max(sheet.width, begin.x + legend.width);
  return sheet;
}

}  // namespace heed::explain
