#include "explain/chart.h"

#include <gtest/gtest.h>

#include <cmath>

#include "explain/axis.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

TEST(Chart, PointsStandWhereTheyAre) {
  const Chart chart{.curves = {{"", {{1e-4, 4}, {1e-3, 2}, {1e-2, 0}}}}, .x = Scale::logarithmic, .marked = 1e-3};
  EXPECT_EQ(lines_of(chart, 33, 5), (std::vector<std::string>{
                                        "        4 │•         ┊          ",
                                        "          │          ┊          ",
                                        "          │          •          ",
                                        "          │          ┊          ",
                                        "        0 │          ┊         •",
                                        "           1e-4      0.001      ",
                                    }));
}

TEST(Chart, SeveralCurvesHaveMarksAndNames) {
  const Chart chart{.title = "loss", .curves = {{"first", {{0, 1}, {10, 0}}}, {"second", {{0, 0}, {10, 1}}}}};
  const auto lines = lines_of(chart, 40, 4);
  EXPECT_EQ(lines.front(), "loss");
  EXPECT_NE(lines[1].find("•"), std::string::npos);
  EXPECT_NE(lines[1].find("+"), std::string::npos);
  EXPECT_EQ(lines[lines.size() - 2], "         • first");
  EXPECT_EQ(lines.back(), "         + second");
}

TEST(Chart, FitsIntoATerminal) {
  Curve curve{"a name that is much longer than a line of a terminal of eighty columns can ever be, I think", {}};
  for (int n = 0; n <= 200; ++n) curve.points.push_back({1e-6 * std::pow(10, n / 33.0), n == 7 ? NAN : 7.0 / (n + 1)});
  for (const Scale x : {Scale::linear, Scale::logarithmic})
    for (const std::string& line : lines_of({.title = "t", .curves = {curve, curve}, .x = x, .y = x}))
      EXPECT_LE(columns(line), 80) << line;
}

TEST(Chart, NothingAndOnePointAreDrawn) {
  EXPECT_FALSE(lines_of({.curves = {}}).empty());
  EXPECT_FALSE(lines_of({.curves = {{"", {{0.1, 1}}}}, .x = Scale::logarithmic}).empty());
  EXPECT_NE(svg(graphic_of({.title = "t", .curves = {{"", {{3, 3}}}}})).find("<svg"), std::string::npos);
}

TEST(Axis, TicksAreRound) {
  std::vector<std::string> labels;
  for (const auto& tick : Axis(Scale::linear, -0.3, 11.2).ticks(5)) labels.push_back(tick.label);
  EXPECT_EQ(labels, (std::vector<std::string>{"0", "5", "10"}));
  labels.clear();
  for (const auto& tick : Axis(Scale::logarithmic, 2e-5, 3).ticks(9)) labels.push_back(tick.label);
  EXPECT_EQ(labels, (std::vector<std::string>{"1e-4", "0.001", "0.01", "0.1", "1"}));
  labels.clear();
  for (const auto& tick : Axis(Scale::logarithmic, 1.2, 3.4).ticks(5)) labels.push_back(tick.label);
  EXPECT_EQ(labels, (std::vector<std::string>{"1.5", "2", "2.5", "3"}));
}

}  // namespace
}  // namespace heed::explain
