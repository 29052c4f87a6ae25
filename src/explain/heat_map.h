// A matrix as a graphic: a square a number, from white to dark blue, and from white to dark orange below 0.
#pragma once

#include <heed/tensor.h>

#include <span>

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

// The shades of these values, up to the largest of them; what is no number is white.
class Shades {
 public:
  explicit Shades(std::span<const double> values);
  Colour of(double value) const;
  Graphic legend() const;

 private:
  double most_ = 0;
  bool signed_ = false;
};

}  // namespace heed::explain
