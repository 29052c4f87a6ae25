#include "support/gradcheck.h"

namespace heed::testing {
namespace {

// The sum of squares, whose gradient is `factor` x: right for 2, wrong otherwise.
Function squares(double factor) {
  return [factor](const Inputs& in) {
    const std::vector<double> values = in[0].values();
    double sum = 0;
    for (double value : values) sum += value * value;
    return record("squares", scalar(sum, in[0].dtype()), {in[0]},
                  [factor, x = in[0].detach()](const Tensor& dy, Gradients& d) {
                    Tensor dx = x.to(Dtype::f64).clone();
                    for (int64_t i = 0; i < dx.numel(); ++i) dx.data<double>()[i] *= factor * dy.item();
                    d.add(0, dx.to(x.dtype()));
                  });
  };
}

TEST(Gradcheck, PassesARightGradientInEveryLayout) {
  for (const Tensor& x : layouts({3, 5})) {
    EXPECT_TRUE(gradcheck(squares(2), {x}));
    EXPECT_TRUE(f32_agrees(squares(2), {x}));
  }
}

TEST(Gradcheck, FailsOnAWrongGradient) { EXPECT_FALSE(gradcheck(squares(2.001), {sample({3, 5})})); }

TEST(Gradcheck, FailsWhereThereIsNothingToCheck) {
  EXPECT_FALSE(gradcheck(squares(2), {sample({0, 5})}));
  EXPECT_FALSE(gradcheck([](const Inputs& in) { return in[0].detach(); }, {sample({3})}));
  EXPECT_FALSE(gradcheck([](const Inputs&) { return sample({3}).requires_grad(true); }, {}));
}

TEST(Gradcheck, EmptyInputsKeepTheirShapes) { EXPECT_TRUE(runs_empty(squares(2), {sample({0, 5})})); }

TEST(Complains, LooksForTheWords) {
  EXPECT_TRUE(complains([] { sample({3}).select(0, 7); }, {"select", "7", "(3)"}));
  EXPECT_FALSE(complains([] { sample({3}).select(0, 7); }, {"gather"}));
  EXPECT_FALSE(complains([] {}, {}));
}

}  // namespace
}  // namespace heed::testing
