#include "explain/graphic.h"

#include <algorithm>
#include <cmath>

#include "tensor/unicode.h"

namespace heed::explain {
namespace {

constexpr double kEm = 0.57;  // of a narrow character, in its size

}  // namespace

void Graphic::add(const Graphic& other, Place by) {
  for (auto part : other.parts) {
    if (auto* stroke = std::get_if<Stroke>(&part)) {
      for (Place& point : stroke->points) point.x += by.x, point.y += by.y;
    } else {
      Place& at = std::holds_alternative<Box>(part) ? std::get<Box>(part).at : std::get<Words>(part).at;
      at.x += by.x, at.y += by.y;
    }
    parts.push_back(std::move(part));
  }
}

Graphic stacked(const std::vector<Graphic>& graphics) {
  Graphic all;
  for (const Graphic& graphic : graphics) {
    all.add(graphic, {0, all.height});
    all.width = std::max(all.width, graphic.width), all.height += graphic.height;
  }
  return all;
}

double width_of(std::string_view text, double size) { return kEm * size * columns(printable(text)); }

Colour blended(std::span<const Colour> stops, double share) {
  const double at = std::clamp(share, 0.0, 1.0) * static_cast<double>(stops.size() - 1);
  const auto below = std::min(static_cast<size_t>(at), stops.size() - 2);
  const auto between = [&](uint8_t Colour::*part) {
    const double a = stops[below].*part, b = stops[below + 1].*part;
    return static_cast<uint8_t>(std::lround(std::lerp(a, b, at - static_cast<double>(below))));
  };
  return {between(&Colour::red), between(&Colour::green), between(&Colour::blue)};
}

Colour shade(double share) {
  static constexpr std::array<Colour, 4> kStops = {{kPaper, {173, 205, 236}, {54, 121, 190}, {8, 40, 92}}};
  return blended(kStops, share);
}

Colour line_colour(size_t n) {
  static constexpr std::array<Colour, 7> kColours = {
      {{0, 114, 178}, {213, 94, 0}, {0, 158, 115}, {204, 121, 167}, {230, 159, 0}, {86, 180, 233}, {80, 80, 80}}};
  return kColours[n % kColours.size()];
}

}  // namespace heed::explain
