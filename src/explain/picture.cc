#include "explain/picture.h"

#include <algorithm>
#include <cmath>

namespace heed::explain {
namespace {

// 0 for nothing, then quarters of the largest: 1 to 4.
size_t shade_of(double weight, double largest) {
  if (weight == 0) return 0;
  return static_cast<size_t>(std::clamp(std::ceil(4 * std::abs(weight) / largest), 1.0, 4.0));
}

std::string line_of(const std::vector<double>& row, const std::vector<std::string>& inks) {
  double largest = 0;
  for (const double weight : row) largest = std::max(largest, std::abs(weight));
  std::string line;
  for (const double weight : row) {
    const std::string& ink = inks[shade_of(weight, largest)];
    line += weight == 0 ? " " + ink : ink + ink;
  }
  return line;
}

}  // namespace

std::vector<std::string> shades(Ink ink) {
  if (ink == Ink::ascii) return {".", "-", "+", "*", "#"};
  return {"·", "░", "▒", "▓", "█"};
}

std::vector<std::string> picture(const Tensor& weights, Ink ink) {
  std::vector<std::string> lines;
  for (int64_t i = 0; i < weights.dim(0); ++i) lines.push_back(line_of(weights[i].values(), shades(ink)));
  return lines;
}

}  // namespace heed::explain
