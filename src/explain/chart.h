// Curves over a common axis, drawn with characters or as a graphic.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "explain/graphic.h"

namespace heed::explain {

struct Curve {
  std::string name;
  std::vector<Place> points;  // from left to right
};
enum class Scale { linear, logarithmic };
struct Chart {
  std::string title = "";
  std::vector<Curve> curves = {};
  std::string across = "";                     // what the axis below counts
  Scale x = Scale::linear, y = Scale::linear;  // logarithmic: what is not above 0 is left out
  std::optional<double> marked = {};           // an x that a line stands at
};

// So many columns and rows at most; below them the names of the curves, where there are several.
std::vector<std::string> lines_of(const Chart& chart, int columns = 80, int rows = 14);
Graphic graphic_of(const Chart& chart, double width = 680, double height = 260);

}  // namespace heed::explain
