// A curve over a logarithmic axis, drawn with characters.
#pragma once

#include <string>
#include <vector>

namespace heed::explain {

struct CurvePoint {
  double x = 0, y = 0;  // x > 0
};
// Points from left to right; `marked` is an x that a line stands at. So many columns and rows at most.
std::vector<std::string> curve(const std::vector<CurvePoint>& points, double marked, int columns = 80, int rows = 14);

}  // namespace heed::explain
