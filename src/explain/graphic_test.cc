#include "explain/graphic.h"

#include <gtest/gtest.h>

namespace heed::explain {
namespace {

Graphic sample() {
  return {60,
          40,
          {Box{{10, 10}, 20, 20, {255, 0, 0}}, Stroke{{{0, 35}, {60, 35}}, {0, 0, 255}, 2},
           Words{{5, 8}, "a <b> & \"c\"\x1b 中文"}, Words{{50, 30}, "up", Side::middle, 9, kInk, true}}};
}

TEST(Graphic, SvgHoldsItsPartsAndNothingElseThatATextSays) {
  const std::string text = svg(sample());
  EXPECT_NE(text.find("<rect x=\"10.00\" y=\"10.00\" width=\"20.00\" height=\"20.00\" fill=\"#ff0000\"/>"), text.npos);
  EXPECT_NE(text.find("stroke=\"#0000ff\""), text.npos);
  EXPECT_NE(text.find("a &lt;b&gt; &amp; &quot;c&quot;"), text.npos);
  EXPECT_EQ(text.find('\x1b'), text.npos);
  EXPECT_NE(text.find("中文"), text.npos);
  EXPECT_NE(text.find("rotate(-90 50.00 30.00)"), text.npos);
}

TEST(Graphic, PngIsOne) {
  const std::string bytes = png(sample(), 2);
  EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(bytes.substr(16, 8), std::string("\0\0\0\x78\0\0\0\x50", 8));  // 120 by 80
  EXPECT_EQ(bytes, png(sample(), 2));
}

TEST(Graphic, ShadesGrowDarker) {
  EXPECT_EQ(shade(0), kPaper);
  for (int n = 0; n < 100; ++n) {
    const Colour a = shade(n / 100.0), b = shade((n + 1) / 100.0);
    EXPECT_GE(a.red + a.green + a.blue, b.red + b.green + b.blue);
  }
}

TEST(Graphic, OneBelowTheOther) {
  const Graphic two = stacked({sample(), sample()});
  EXPECT_EQ(two.height, 80);
  EXPECT_EQ(std::get<Box>(two.parts[4]).at.y, 50);
  EXPECT_EQ(std::get<Stroke>(two.parts[5]).points[1].y, 75);
}

}  // namespace
}  // namespace heed::explain
