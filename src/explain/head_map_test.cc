#include "explain/head_map.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tensor/unicode.h"

namespace heed::explain {
namespace {

Seen sample() {
  const Tensor weights = tensor({{1, 0}, {0.25, 0.75}});
  return {.title = "t",
          .model = "m",
          .texts = {{"text", {"a", "b"}}, {"other", {"x", "y"}}},
          .attention = {{"self", 0, 0, stack({weights, weights}, 0), {}, {}, {0.5, -1}},
                        {"cross", 1, 0, stack({weights}, 0), {}, {}, {0.25}}}};
}

TEST(HeadMap, HasARowALayer) {
  const HeadMap map = head_map(sample(), HeadMeasure::importance);
  EXPECT_EQ(map.layers, (std::vector<std::string>{"self", "cross"}));
  EXPECT_EQ(map.heads, (std::vector<std::vector<double>>{{0.5, -1}, {0.25}}));
  EXPECT_EQ(head_map(sample(), HeadMeasure::distance).heads[1], std::vector<double>{0.125});
  Seen unasked = sample();
  for (SeenAttention& each : unasked.attention) each.importance.clear();
  EXPECT_TRUE(head_map(unasked, HeadMeasure::importance).layers.empty());
}

TEST(HeadMap, IsDrawnBesideTheLargest) {
  const std::vector<std::string> lines = lines_of(head_map(sample(), HeadMeasure::importance), Ink::ascii, 200);
  EXPECT_NE(lines.at(0).find("up to 1; < is below 0"), std::string::npos);
  EXPECT_EQ(lines.at(1), "       0 1");
  EXPECT_EQ(lines.at(2), "self   ++<#");
  EXPECT_EQ(lines.at(3), "cross  --");
}

TEST(HeadMap, KeepsToItsColumns) {
  HeadMap map{HeadMeasure::entropy, {"encoder.0.self", "a very long name of a layer"}, {}};
  map.heads = {std::vector<double>(64, 1), std::vector<double>(3, 0)};
  for (int most = 30; most < 200; most += 7)
    for (const std::string& line : lines_of(map, Ink::blocks, most)) EXPECT_LE(columns(line), most) << line;
}

TEST(HeadMap, IsAHeatMapWithGaps) {
  const HeatMap picture = heat_map_of(head_map(sample(), HeadMeasure::importance));
  EXPECT_EQ(picture.columns, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(picture.values.value({0, 1}), -1);
  EXPECT_TRUE(std::isnan(picture.values.value({1, 1})));
}

TEST(HeadMap, KindsAreOfATextThatLooksAtItself) {
  const Seen seen = sample();
  EXPECT_EQ(kinds_of(seen, seen.attention[0]).at(0).name, "diagonal");
  EXPECT_TRUE(kinds_of(seen, seen.attention[1]).empty());
}

}  // namespace
}  // namespace heed::explain
