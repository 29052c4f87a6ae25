#include "explain/head_map.h"

#include <gtest/gtest.h>

#include <cmath>

#include "explain/looking.h"
#include "support/gradcheck.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

using testing::complains;

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

TEST(HeadMap, IsAMeanOverWhatIsAsked) {
  seed(3);
  const auto model = make_model("transformer", {{"source_words", "11"}, {"target_words", "9"}, {"width", "16"}});
  const std::vector<Question> two = {ask(*model, {5, 6, 7, 2}, {1, 4, 3}), ask(*model, {8, 2}, {1, 5, 6, 3})};
  const std::vector<HeadMap> both = head_maps(two);
  ASSERT_EQ(both.size(), 3u);
  for (const HeadMap& map : both) {
    const HeadMap a = head_map(heads_of(two[0]), map.measure), b = head_map(heads_of(two[1]), map.measure);
    ASSERT_EQ(map.layers, a.layers);
    for (size_t l = 0; l < map.heads.size(); ++l)
      for (size_t h = 0; h < map.heads[l].size(); ++h)
        EXPECT_NEAR(map.heads[l][h], (a.heads[l][h] + b.heads[l][h]) / 2, 1e-12);
    EXPECT_NE(lines_of(map, Ink::ascii, 200).at(0).find("mean of 2 answers"), std::string::npos);
  }
  const auto without = make_model("plain-seq2seq", {{"source_words", "11"}, {"target_words", "9"}, {"width", "16"}});
  EXPECT_TRUE(complains([] { head_maps({}); }, {"heads", "nothing to ask"}));
  EXPECT_TRUE(complains([&] { head_maps(std::vector{ask(*without, {8, 2}, {1, 5, 3})}); }, {"heads", "no attention"}));
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
