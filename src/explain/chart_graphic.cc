#include <algorithm>
#include <cmath>

#include "explain/axis.h"

namespace heed::explain {
namespace {

constexpr double kLeft = 64, kRight = 16, kTop = 54, kBelow = 40, kSmall = 11;

// The part of the sheet that curves are drawn on.
struct Field {
  Axis x, y;
  double width, height;

  Place at(const Place& point) const {
    return {kLeft + x.share(point.x) * width, kTop + (1 - y.share(point.y)) * height};
  }
};

void add_axes(const Chart& chart, const Field& field, Graphic& sheet) {
  for (const auto& [value, label] : field.y.ticks(static_cast<int>(field.height / 30))) {
    const double y = field.at({field.x.least(), value}).y;
    sheet.parts.emplace_back(Stroke{{{kLeft, y}, {kLeft + field.width, y}}, kHair, 1});
    sheet.parts.emplace_back(Words{{kLeft - 8, y + 4}, label, Side::right, kSmall, kFaint});
  }
  const double below = kTop + field.height;
  for (const auto& [value, label] : field.x.ticks(static_cast<int>(field.width / 70)))
    sheet.parts.emplace_back(
        Words{{field.at({value, field.y.least()}).x, below + 16}, label, Side::middle, kSmall, kFaint});
  sheet.parts.emplace_back(Stroke{{{kLeft, below}, {kLeft + field.width, below}}, kFaint, 1});
  sheet.parts.emplace_back(Words{{kLeft + field.width, below + 32}, chart.across, Side::right, kSmall, kFaint});
}

// Where values are missing the line is broken.
void add_curve(const Curve& curve, Colour ink, const Field& field, Graphic& sheet) {
  Stroke stroke{{}, ink, 1.8};
  const auto put = [&] {
    if (stroke.points.size() == 1) {
      const Place& at = stroke.points[0];
      sheet.parts.emplace_back(Box{{at.x - 2, at.y - 2}, 4, 4, ink});
    } else if (stroke.points.size() > 1) {
      sheet.parts.emplace_back(stroke);
    }
    stroke.points.clear();
  };
  for (const Place& point : curve.points) {
    if (field.x.has(point.x) && field.y.has(point.y))
      stroke.points.push_back(field.at(point));
    else
      put();
  }
  put();
}

// A line below the title.
void add_legend(const std::vector<Curve>& curves, Graphic& sheet) {
  double left = kLeft;
  for (size_t n = 0; n < curves.size(); ++n) {
    sheet.parts.emplace_back(Box{{left, 35}, 14, 4, line_colour(n)});
    sheet.parts.emplace_back(Words{{left + 20, 41}, curves[n].name, Side::left, kSmall, kInk});
    left += 20 + width_of(curves[n].name, kSmall) + 20;
  }
}

}  // namespace

Graphic graphic_of(const Chart& chart, double width, double height) {
  const Field field{Axis::of(chart.curves, &Place::x, chart.x), Axis::of(chart.curves, &Place::y, chart.y),
                    width - kLeft - kRight, height - kTop - kBelow};
  Graphic sheet{width, height};
  sheet.parts.emplace_back(Words{{kLeft, 21}, chart.title, Side::left, 14});
  add_axes(chart, field, sheet);
  if (chart.marked && field.x.has(*chart.marked))
    sheet.parts.emplace_back(
        Stroke{{field.at({*chart.marked, field.y.least()}), field.at({*chart.marked, field.y.most()})}, kFaint, 1});
  for (size_t n = 0; n < chart.curves.size(); ++n) add_curve(chart.curves[n], line_colour(n), field, sheet);
  if (chart.curves.size() > 1) add_legend(chart.curves, sheet);
  return sheet;
}

}  // namespace heed::explain
