#include "explain/heat_map.h"

#include <gtest/gtest.h>

#include "support/gradcheck.h"

namespace heed::explain {
namespace {

using testing::complains;

int boxes(const Graphic& graphic, Colour fill) {
  int count = 0;
  for (const auto& part : graphic.parts)
    if (const Box* box = std::get_if<Box>(&part)) count += box->fill == fill && box->width == box->height;
  return count;
}

TEST(HeatMap, TheLargestIsTheDarkest) {
  const Graphic graphic =
      graphic_of({"t", {"a", "b"}, {"x", "y", "z"}, tensor_from<float>({0, 1, 2, 4, 0, 0}, {2, 3})});
  EXPECT_EQ(boxes(graphic, shade(1)), 1);
  EXPECT_EQ(boxes(graphic, shade(0.5)), 1);
  EXPECT_EQ(boxes(graphic, kPaper), 3);
}

TEST(HeatMap, BelowZeroIsAnotherHue) {
  const Graphic graphic = graphic_of({"t", {"a"}, {"x", "y"}, tensor_from<float>({-3, 3}, {1, 2})});
  EXPECT_EQ(boxes(graphic, shade(1)), 1);
  EXPECT_EQ(boxes(graphic, signed_shade(-1)), 1);
  EXPECT_GT(signed_shade(-0.5).red, signed_shade(-0.5).blue);
}

TEST(HeatMap, AnySizeIsDrawn) {
  EXPECT_TRUE(complains([] { graphic_of({"t", {"a"}, {"x"}, Tensor::zeros({2, 1})}); }, {"heat map"}));
  const std::vector<std::string> many(512, "token");
  const Graphic large = graphic_of({"t", many, many, Tensor::full({512, 512}, 1)});
  EXPECT_LT(large.width, 1200);
  EXPECT_FALSE(svg(graphic_of({"t", {}, {}, Tensor::zeros({0, 0})})).empty());
}

}  // namespace
}  // namespace heed::explain
