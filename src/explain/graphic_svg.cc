// A graphic as SVG: letters stay letters, which can be searched and copied.
#include <fmt/format.h>

#include "explain/graphic.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

std::string hex(Colour c) { return fmt::format("#{:02x}{:02x}{:02x}", c.red, c.green, c.blue); }

// What the text says, whatever it holds.
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += c;
    }
  }
  return safe;
}

std::string element(const Box& box) {
  return fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"/>\n", box.at.x,
                     box.at.y, box.width, box.height, hex(box.fill));
}
std::string element(const Stroke& stroke) {
  std::string points;
  for (const Place& point : stroke.points) points += fmt::format("{:.2f},{:.2f} ", point.x, point.y);
  return fmt::format(
      "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{:.2f}\" stroke-linejoin=\"round\"/>\n",
      points, hex(stroke.ink), stroke.width);
}
std::string element(const Words& words) {
  static constexpr const char* kAnchors[] = {"start", "middle", "end"};
  const std::string turn =
      words.upward ? fmt::format(" transform=\"rotate(-90 {:.2f} {:.2f})\"", words.at.x, words.at.y) : "";
  return fmt::format(
      "<text x=\"{:.2f}\" y=\"{:.2f}\" font-size=\"{:.2f}\" fill=\"{}\" text-anchor=\"{}\"{}>{}</text>\n", words.at.x,
      words.at.y, words.size, hex(words.ink), kAnchors[static_cast<int>(words.side)], turn, escaped(words.text));
}

}  // namespace

std::string svg(const Graphic& graphic) {
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"'DejaVu Sans', 'Noto Sans', 'Noto Sans CJK SC', 'Droid Sans Fallback', sans-serif\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"{2}\"/>\n",
      graphic.width, graphic.height, hex(kPaper));
  for (const auto& part : graphic.parts) text += std::visit([](const auto& each) { return element(each); }, part);
  return text + "</svg>\n";
}

}  // namespace heed::explain
