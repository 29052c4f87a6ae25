// Pictures as they were, in drawings/: in a terminal and as SVG to the letter, as PNG but for the fonts.
//
// HEED_WRITE_GOLDEN=1 draws them anew; they are looked at before they are committed.
#include <cairo.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "explain/drawing.h"
#include "explain/heat_map.h"
#include "explain/seen_graphic.h"
#include "support/files.h"
#include "support/seen.h"

namespace heed::explain {
namespace {

using namespace heed::testing;

// ---- in a terminal --------------------------------------------------------------------------------------------------

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}
template <Seen (*seen)()>
std::string drawn(const Paper& paper) {
  return drawing(seen(), paper);
}
std::string plotted(const Paper& paper) { return text_of(lines_of(training(), paper.columns)); }
std::string mapped(const Paper& paper) {
  return text_of(lines_of(head_map(heads(), HeadMeasure::importance), paper.ink, paper.columns));
}

struct Drawn {
  const char* name;
  std::string (*draw)(const Paper& paper);
  Paper paper;
};
const Drawn kDrawn[] = {{"translation_40", drawn<translation>, {40, Ink::blocks}},
                        {"translation_80", drawn<translation>, {80, Ink::blocks}},
                        {"translation_200", drawn<translation>, {200, Ink::ascii}},
                        {"translation_colours", drawn<translation>, {80, Ink::true_colour}},
                        {"translation_256", drawn<translation>, {80, Ink::colours_256}},
                        {"translation_sixteen", drawn<translation>, {80, Ink::sixteen_colours}},
                        {"heads_40", drawn<heads>, {40, Ink::blocks}},
                        {"heads_80", drawn<heads>, {80, Ink::true_colour}},
                        {"heads_200", drawn<heads>, {200, Ink::ascii}},
                        {"classification_40", drawn<classification>, {40, Ink::ascii}},
                        {"classification_80", drawn<classification>, {80, Ink::blocks}},
                        {"classification_200", drawn<classification>, {200, Ink::colours_256}},
                        {"classification_sixteen", drawn<classification>, {80, Ink::sixteen_colours}},
                        {"next_40", drawn<what_comes_next>, {40, Ink::blocks}},
                        {"next_80", drawn<what_comes_next>, {80, Ink::true_colour}},
                        {"next_200", drawn<what_comes_next>, {200, Ink::ascii}},
                        {"signed_80", drawn<signed_scores>, {80, Ink::blocks}},
                        {"signed_colours", drawn<signed_scores>, {80, Ink::true_colour}},
                        {"signed_sixteen", drawn<signed_scores>, {80, Ink::sixteen_colours}},
                        {"plot_40", plotted, {40, Ink::blocks}},
                        {"plot_80", plotted, {80, Ink::blocks}},
                        {"plot_200", plotted, {200, Ink::blocks}},
                        {"map_40", mapped, {40, Ink::blocks}},
                        {"map_80", mapped, {80, Ink::true_colour}}};

// What the file held, or holds now where it is written anew.
std::string golden(const std::string& name, const std::string& got) {
  const std::string path = std::string(HEED_GOLDEN "/drawings/") + name;
  if (std::getenv("HEED_WRITE_GOLDEN")) write_file(path, got);
  return file_content(path);
}

TEST(Drawings, OfATerminalAreAsTheyWere) {
  for (const Drawn& each : kDrawn) {
    const std::string got = each.draw(each.paper);
    EXPECT_EQ(got, golden(std::string(each.name) + ".txt", got)) << each.name << "\n" << got;
  }
}

// ---- pictures -------------------------------------------------------------------------------------------------------

struct Pictured {
  const char* name;
  Graphic graphic;
};
std::vector<Pictured> pictures() {
  return {{"translation", graphic_of(signed_scores())},
          {"classification", graphic_of(classification())},
          {"heads", graphic_of(heads())},
          {"training", graphic_of(training())},
          {"map", graphic_of(heat_map_of(head_map(heads(), HeadMeasure::importance)))}};
}

TEST(Drawings, AsSvgAreAsTheyWere) {
  for (const auto& [name, graphic] : pictures()) {
    const std::string got = svg(graphic);
    EXPECT_EQ(got, golden(name + std::string(".svg"), got)) << name;
  }
}

// The pixels of a PNG.
class Pixels {
 public:
  explicit Pixels(const std::string& png) : left_(png) {
    surface_ = cairo_image_surface_create_from_png_stream(read, &left_);
  }
  ~Pixels() { cairo_surface_destroy(surface_); }
  Pixels(const Pixels&) = delete;
  Pixels& operator=(const Pixels&) = delete;

  bool good() const { return cairo_surface_status(surface_) == CAIRO_STATUS_SUCCESS; }
  int width() const { return cairo_image_surface_get_width(surface_); }
  int height() const { return cairo_image_surface_get_height(surface_); }
  std::array<int, 3> at(int x, int y) const {
    const unsigned char* pixel =
        cairo_image_surface_get_data(surface_) + y * cairo_image_surface_get_stride(surface_) + 4 * x;
    return {pixel[0], pixel[1], pixel[2]};
  }

 private:
  static cairo_status_t read(void* from, unsigned char* to, unsigned size) {
    auto& left = *static_cast<std::string*>(from);
    if (left.size() < size) return CAIRO_STATUS_READ_ERROR;
    std::copy_n(left.begin(), size, to), left.erase(0, size);
    return CAIRO_STATUS_SUCCESS;
  }
  std::string left_;
  cairo_surface_t* surface_;
};

// Where words may have their letters, in whatever font: wider than they are thought to be, and as high as a line.
struct Area {
  double left, top, right, bottom;
  bool holds(int x, int y) const { return x >= left && x < right && y >= top && y < bottom; }
};
Area area_of(const Words& words) {
  const double wide = 1.3 * explain::width_of(words.text, words.size) + 4, size = words.size;
  const double before = words.side == Side::left ? 4 : words.side == Side::middle ? wide / 2 : wide;
  if (words.upward)
    return {words.at.x - size, words.at.y - wide + before - 4, words.at.x + size / 2, words.at.y + before};
  return {words.at.x - before, words.at.y - size, words.at.x + wide - before + 4, words.at.y + size / 2};
}
std::vector<Area> areas_of(const Graphic& graphic) {
  std::vector<Area> areas;
  for (const auto& part : graphic.parts)
    if (const auto* words = std::get_if<Words>(&part)) areas.push_back(area_of(*words));
  return areas;
}

// How much ink there is in an area, a mean from 0 to 255.
double ink_in(const Area& area, const Pixels& pixels) {
  double sum = 0, count = 0;
  for (int y = std::max(0, static_cast<int>(area.top)); y < std::min<double>(area.bottom, pixels.height()); ++y)
    for (int x = std::max(0, static_cast<int>(area.left)); x < std::min<double>(area.right, pixels.width()); ++x)
      for (const int part : pixels.at(x, y)) sum += 255 - part, ++count;
  return count > 0 ? sum / count : 0;
}

// Pixels outside of all words that differ by more than rounding.
int64_t other_pixels(const Pixels& a, const Pixels& b, const std::vector<Area>& words) {
  int64_t other = 0;
  for (int y = 0; y < a.height(); ++y)
    for (int x = 0; x < a.width(); ++x) {
      const std::array<int, 3> one = a.at(x, y), two = b.at(x, y);
      bool same = true;
      for (size_t part = 0; part < 3; ++part) same &= std::abs(one[part] - two[part]) <= 3;
      other += !same && std::none_of(words.begin(), words.end(), [&](const Area& area) { return area.holds(x, y); });
    }
  return other;
}

TEST(Drawings, AsPngAreAsTheyWereButForTheFonts) {
  for (const auto& [name, graphic] : pictures()) {
    SCOPED_TRACE(name);
    const std::string bytes = png(graphic, 1);
    const Pixels got(bytes), wanted(golden(name + std::string(".png"), bytes));
    ASSERT_TRUE(got.good() && wanted.good());
    ASSERT_EQ(std::pair(got.width(), got.height()), std::pair(wanted.width(), wanted.height()));
    const std::vector<Area> words = areas_of(graphic);
    EXPECT_EQ(other_pixels(got, wanted, words), 0);
    for (const Area& area : words) EXPECT_NEAR(ink_in(area, got), ink_in(area, wanted), 25);
  }
}

}  // namespace
}  // namespace heed::explain
