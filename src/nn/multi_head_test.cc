// Multi-head attention against its heads one by one.
#include <heed/nn.h>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;
using testing::sample;

::testing::AssertionResult agree(const Tensor& got, const Tensor& want, double tolerance = 1e-10) {
  if (got.shape() != want.shape()) return ::testing::AssertionFailure() << got.shape() << " against " << want.shape();
  return close(got.values(), want.values(), tolerance);
}

Tensor rows_of_head(const Linear& layer, const Tensor& x, int64_t head, int64_t width) {
  return slice(layer(x), -1, head * width, (head + 1) * width);
}

TEST(MultiHead, IsHeadsSideBySide) {
  const Tensor x = sample({2, 5, 8}).to(Dtype::f32), memory = sample({2, 7, 6}, -2, 2, 2).to(Dtype::f32);
  const MultiHead layer(8, {.heads = 4, .groups = 2, .key_width = 6, .head_width = 3, .value_head_width = 5});
  const Attended got = layer(x, memory, {.return_weights = true});
  for (int64_t b = 0; b < 2; ++b) {
    std::vector<Tensor> one;
    for (int64_t h = 0; h < 4; ++h)
      one.push_back(attend(select(rows_of_head(layer.query, x, h, 3), 0, b),
                           select(rows_of_head(layer.key, memory, h / 2, 3), 0, b),
                           select(rows_of_head(layer.value, memory, h / 2, 5), 0, b))
                        .out);
    EXPECT_TRUE(agree(select(got.out, 0, b), layer.output(concat(one, -1)), 1e-5));
  }
  EXPECT_EQ(got.weights.shape(), (Shape{2, 4, 5, 7}));
  EXPECT_TRUE(agree(residual(x, got), x + got.out));
}

TEST(MultiHead, StepsWithACacheAreTheWholeText) {
  NoGrad off;
  const Tensor x = sample({1, 6, 8}).to(Dtype::f32);
  const MultiHead layer(8, {.heads = 2});
  const Tensor want = layer(x, {.span = causal()}).out;
  KeyValueCache cache;
  std::vector<Tensor> got;
  for (int64_t i = 0; i < 6; ++i) got.push_back(layer.step(slice(x, 1, i, i + 1), cache).out);
  EXPECT_TRUE(agree(concat(got, 1), want, 1e-5));
}

TEST(MultiHead, RefusesWidthsThatDoNotDivide) {
  EXPECT_TRUE(complains([] { MultiHead(10, {.heads = 4}); }, {"4 heads", "10"}));
  EXPECT_TRUE(complains([] { MultiHead(8, {.heads = 4, .groups = 3}); }, {"3 groups", "4 heads"}));
}

}  // namespace
}  // namespace heed
