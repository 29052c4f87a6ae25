#include "nn/gated_convolution.h"

#include <cmath>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;

TEST(GatedConvolution, IsItsFormula) {
  seed(2);
  GatedConvolution layer(3, 2, 0);
  initialize::uniform(layer.gain, 0.5, 2), initialize::uniform(layer.bias, -1, 1);
  const Tensor x = randn({1, 5, 3}), y = layer(x);
  ASSERT_EQ(y.shape(), (Shape{1, 4, 3}));
  const auto channel = [&](int64_t t, int64_t out) {
    double product = 0, square = 0;
    for (int64_t c = 0; c < 3; ++c)
      for (int64_t k = 0; k < 2; ++k) {
        const double v = layer.direction.value({out, c, k});
        product += v * x.value({0, t + k, c}), square += v * v;
      }
    return layer.gain.value({out}) * product / std::sqrt(square) + layer.bias.value({out});
  };
  for (int64_t t = 0; t < 4; ++t)
    for (int64_t c = 0; c < 3; ++c)
      EXPECT_NEAR(y.value({0, t, c}), channel(t, c) / (1 + std::exp(-channel(t, c + 3))), 1e-5);
}

// Four times the variance before the gate, of which some third passes.
TEST(GatedConvolution, KeepsTheVarianceAtTheBeginning) {
  seed(2);
  const GatedConvolution layer(256, 3, 0);
  const Tensor y = layer(randn({4, 102, 256}));
  EXPECT_NEAR(variance(y).item(), 1.37, 0.1);
}

}  // namespace
}  // namespace heed
