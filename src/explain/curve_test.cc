#include "explain/curve.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tensor/unicode.h"

namespace heed::explain {
namespace {

TEST(Curve, StandsWhereItsPointsAre) {
  const auto lines = curve({{1e-4, 4}, {1e-3, 2}, {1e-2, 0}}, 1e-3, 33, 5);
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "        4 │•         ┊          ",
                       "          │          ┊          ",
                       "          │          •          ",
                       "          │          ┊          ",
                       "        0 │          ┊         •",
                       "           1e-4      1e-3       ",
                   }));
}

TEST(Curve, FitsIntoATerminal) {
  std::vector<CurvePoint> points;
  for (int n = 0; n <= 200; ++n) points.push_back({1e-6 * std::pow(10, n / 33.0), 7.0 / (n + 1)});
  for (const std::string& line : curve(points, 2e-3)) EXPECT_LE(columns(line), 80) << line;
  EXPECT_FALSE(curve({{0.1, 1}}, 0.1).empty());
}

}  // namespace
}  // namespace heed::explain
