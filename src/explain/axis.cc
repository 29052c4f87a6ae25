#include "explain/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace heed::explain {
namespace {

// 1, 2 or 5 times a power of ten, so that not more than `most` steps make up the range.
double round_step(double range, int most) {
  const double power = std::pow(10, std::floor(std::log10(range / most)));
  for (const double times : {1.0, 2.0, 5.0})
    if (range / (times * power) <= most) return times * power;
  return 10 * power;
}

}  // namespace

Axis::Axis(Scale scale, double least, double most) : scale_(scale), least_(least), most_(most) {
  if (least_ < most_) return;
  const double about = scale == Scale::logarithmic ? least_ / 2 : std::max(0.5, std::abs(least_) / 10);
  least_ -= about, most_ += about;
}

Axis Axis::of(const std::vector<Curve>& curves, double Place::*which, Scale scale) {
  double least = INFINITY, most = -INFINITY;
  for (const Curve& curve : curves)
    for (const Place& point : curve.points)
      if (const double value = point.*which; has(scale, value))
        least = std::min(least, value), most = std::max(most, value);
  return most < least ? Axis(scale, 1, 1) : Axis(scale, least, most);
}

double Axis::share(double value) const {
  if (scale_ == Scale::linear) return (value - least_) / (most_ - least_);
  return std::log(value / least_) / std::log(most_ / least_);
}

std::vector<Axis::Tick> Axis::ticks(int most) const {
  std::vector<Tick> ticks;
  if (scale_ == Scale::logarithmic) {
    const int first = static_cast<int>(std::ceil(std::log10(least_) - 1e-9));
    const int last = static_cast<int>(std::floor(std::log10(most_) + 1e-9));
    const int step = std::max(1, (last - first + most) / std::max(1, most));
    for (int power = first; power <= last; power += step)
      ticks.push_back({std::pow(10, power), power < -3 || power > 4 ? fmt::format("1e{}", power)
                                                                    : fmt::format("{:g}", std::pow(10, power))});
    if (ticks.size() >= 2) return ticks;
    ticks.clear();
  }
  const double step = round_step(most_ - least_, most);
  for (auto n = static_cast<int64_t>(std::ceil(least_ / step - 1e-9));
       static_cast<double>(n) * step <= most_ + 1e-9 * step; ++n)
    ticks.push_back({static_cast<double>(n) * step, fmt::format("{:.6g}", static_cast<double>(n) * step)});
  return ticks;
}

}  // namespace heed::explain
