// A picture described once, and written as SVG or as PNG: rectangles, lines and words on a white sheet.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace heed::explain {

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Colour&) const = default;
};
constexpr Colour kInk = {33, 37, 41}, kFaint = {134, 142, 150}, kHair = {222, 226, 230}, kPaper = {255, 255, 255};

struct Place {
  double x = 0, y = 0;
};
struct Box {
  Place at;  // its upper left corner
  double width = 0, height = 0;
  Colour fill;
};
struct Stroke {
  std::vector<Place> points;
  Colour ink;
  double width = 1.5;
};
enum class Side { left, middle, right };
struct Words {
  Place at;  // the left end, the middle or the right end of their base line
  std::string text;
  Side side = Side::left;
  double size = 12;
  Colour ink = kInk;
  bool upward = false;  // they run from below to above
};

// Parts lie one upon the other in their order. Sizes are pixels of a screen; y grows downwards.
struct Graphic {
  double width = 0, height = 0;
  std::vector<std::variant<Box, Stroke, Words>> parts = {};

  void add(const Graphic& other, Place at);  // moved by `at`
};
// One below the other.
Graphic stacked(const std::vector<Graphic>& graphics);

std::string svg(const Graphic& graphic);
// Bytes of a PNG, `scale` times as many pixels. Error(system) where there is no font to write with.
std::string png(const Graphic& graphic, double scale = 2);

// How wide words about are: fonts differ, and the writer of an SVG does not know which it will be.
double width_of(std::string_view text, double size);

// From 0 to 1 along two or more colours at equal distances.
Colour blended(std::span<const Colour> stops, double share);
// From 0 to 1: white to dark blue, darker in print and to every eye.
Colour shade(double share);
// Of the n-th of several lines, told apart by those who see few colours (Okabe & Ito 2008).
Colour line_colour(size_t n);

}  // namespace heed::explain
