// An axis: which values lie on it, where, and which of them are written.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "explain/chart.h"

namespace heed::explain {

class Axis {
 public:
  Axis(Scale scale, double least, double most);
  // Those of all points, by x or by y.
  static Axis of(const std::vector<Curve>& curves, double Place::*which, Scale scale);

  static bool has(Scale scale, double value) { return std::isfinite(value) && (scale == Scale::linear || value > 0); }
  bool has(double value) const { return has(scale_, value); }
  double share(double value) const;  // 0 at its beginning, 1 at its end
  struct Tick {
    double value;
    std::string label;
  };
  std::vector<Tick> ticks(int most) const;  // round numbers; of a logarithmic axis powers of ten where there are two

  double least() const { return least_; }
  double most() const { return most_; }

 private:
  Scale scale_;
  double least_, most_;
};

}  // namespace heed::explain
