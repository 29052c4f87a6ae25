// A matrix as a graphic: a square a number, from white to dark blue, and from white to dark orange below 0.
#pragma once

#include <heed/tensor.h>

#include "explain/graphic.h"

namespace heed::explain {

struct HeatMap {
  std::string title;
  std::vector<std::string> rows, columns;
  Tensor values;  // (rows, columns)
};
Graphic graphic_of(const HeatMap& map);

// From −1 to 1.
Colour signed_shade(double share);
// What the shades mean, up to the largest.
Graphic scale_legend(double most, bool signed_values);

}  // namespace heed::explain
