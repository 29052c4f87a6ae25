#include "explain/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "explain/graphic.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

Colour colour_of(double share) {
  static constexpr std::array<Colour, 5> kViridis = {
      {{68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}}};
  static constexpr std::array<Colour, 5> kBelow0 = {
      {{68, 1, 84}, {128, 32, 70}, {190, 60, 45}, {235, 125, 70}, {255, 195, 160}}};
  return share < 0 ? blended(kBelow0, -share) : blended(kViridis, share);
}
bool is_light(const Colour& c) { return 0.299 * c.red + 0.587 * c.green + 0.114 * c.blue > 110; }

// The nearest of the 6×6×6 colours of a terminal of 256, whose steps are 0, 95, 135, 175, 215 and 255.
int of_256(const Colour& c) {
  const auto step = [](double part) { return part < 48 ? 0 : part < 115 ? 1 : static_cast<int>((part - 35) / 40); };
  return 16 + 36 * step(c.red) + 6 * step(c.green) + step(c.blue);
}
// Blue, cyan, green, yellow: 44, 46, 42, 43; below 0 magenta, then red: 45, 41.
int of_16(double share) {
  if (share < 0) return share < -0.5 ? 41 : 45;
  constexpr std::array<int, 4> kBehind = {44, 46, 42, 43};
  return kBehind[std::min<size_t>(3, static_cast<size_t>(std::max(0.0, share) * 4))];
}

bool is_light_of_16(int behind) { return behind != 44 && behind != 45 && behind != 41; }

// 0 for nothing, then quarters of the largest: 1 to 4.
size_t shade_of(double weight, double largest) {
  if (weight == 0) return 0;
  return static_cast<size_t>(std::clamp(std::ceil(4 * std::abs(weight) / largest), 1.0, 4.0));
}

template <class Values>
double largest_of(const Values& values) {
  double largest = 0;
  for (const auto value : values) largest = std::max(largest, std::abs(static_cast<double>(value)));
  return largest;
}

std::string line_of(const std::vector<double>& row, Ink ink) {
  const double largest = largest_of(row);
  const std::vector<std::string> inks = shades(ink);
  std::string line;
  for (const double weight : row) {
    const std::string& shade = inks[shade_of(weight, largest)];
    const char* sign = weight < 0 ? "<" : " ";
    if (weight == 0)
      line += " " + shade;
    else if (has_colours(ink))
      line += painted(sign + std::string(" "), weight / largest, ink);
    else
      line += (weight < 0 ? sign : shade) + shade;
  }
  return line;
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int n = 0; n < times; ++n) all += text;
  return all;
}

// Below a word of so many columns.
std::string shaded(double share, int wide, const std::vector<std::string>& inks) {
  if (std::abs(share) < 0.1) return repeated(inks[0], wide);
  const std::string& shade = inks[shade_of(share, 1)];
  return share < 0 && wide > 0 ? "<" + repeated(shade, wide - 1) : repeated(shade, wide);
}

}  // namespace

bool has_colours(Ink ink) { return ink != Ink::blocks && ink != Ink::ascii; }

std::vector<std::string> shades(Ink ink) {
  if (ink == Ink::ascii) return {".", "-", "+", "*", "#"};
  return {"·", "░", "▒", "▓", "█"};
}

std::string painted(const std::string& text, double share, Ink ink) {
  const Colour c = colour_of(share);
  const auto with = [&](const std::string& behind, bool light) {
    return fmt::format("\033[{};{}m{}\033[0m", behind, light ? "30" : "97", text);
  };
  switch (ink) {
    case Ink::blocks:
    case Ink::ascii: break;
    case Ink::sixteen_colours: return with(fmt::format("{}", of_16(share)), is_light_of_16(of_16(share)));
    case Ink::colours_256: return with(fmt::format("48;5;{}", of_256(c)), is_light(c));
    case Ink::true_colour: return with(fmt::format("48;2;{};{};{}", c.red, c.green, c.blue), is_light(c));
  }
  return text;
}

std::vector<std::string> picture(const Tensor& weights, Ink ink) {
  std::vector<std::string> lines;
  for (int64_t i = 0; i < weights.dim(0); ++i) lines.push_back(line_of(weights[i].values(), ink));
  return lines;
}

std::vector<std::string> marked(const std::vector<std::string>& words, const std::vector<float>& sizes, Ink ink,
                                int most) {
  const double largest = largest_of(sizes);
  const std::vector<std::string> inks = shades(ink);
  std::vector<std::string> lines;
  std::string text, below;
  int width = 0;
  const auto finish = [&] {
    lines.push_back(text);
    if (!has_colours(ink)) lines.push_back(below);
    text.clear(), below.clear(), width = 0;
  };
  for (size_t n = 0; n < words.size(); ++n) {
    const std::string word = shortened(printable(words[n]), most);
    const int wide = columns(word);
    if (width > 0 && width + 1 + wide > most) finish();
    if (width > 0) text += " ", below += " ", ++width;
    const double share = largest > 0 ? static_cast<double>(sizes[n]) / largest : 0;
    text += std::abs(share) < 0.1 ? word : painted(word, share, ink);
    below += shaded(share, wide, inks);
    width += wide;
  }
  finish();
  return lines;
}

}  // namespace heed::explain
