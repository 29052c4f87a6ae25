#include "ops/recurrent_cell.h"

#include <gtest/gtest.h>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;
using testing::gradcheck;
using testing::sample;

class RecurrentCell : public ::testing::TestWithParam<Cell> {
 protected:
  static constexpr int64_t kRows = 3, kWidth = 21;  // whole vectors and a rest
  int64_t strips = gates(GetParam());
  Tensor x = sample({kRows, 5}, -1, 1, 1), h = sample({kRows, kWidth}, -1, 1, 2), c = sample({kRows, kWidth}, -1, 1, 3);
  RecurrentWeights w{sample({strips * kWidth, 5}, -1, 1, 4), sample({strips * kWidth, kWidth}, -1, 1, 5),
                     sample({strips * kWidth}, -1, 1, 6), sample({strips * kWidth}, -1, 1, 7)};
  Tensor c0() const { return GetParam() == Cell::lstm ? c : Tensor(); }
  CellState step(Dtype dtype) const {
    const auto as = [&](const Tensor& each) { return each.to(dtype); };
    return recurrent_cell(GetParam(), linear(as(x), as(w.input), as(w.input_bias)),
                          linear(as(h), as(w.hidden), as(w.hidden_bias)), {as(h), as(c)});
  }
};
INSTANTIATE_TEST_SUITE_P(Cells, RecurrentCell, ::testing::Values(Cell::lstm, Cell::gru, Cell::tanh, Cell::relu),
                         [](const auto& cell) { return std::to_string(static_cast<int>(cell.param)); });

TEST_P(RecurrentCell, IsAStepOfTheLayer) {
  for (const auto& [dtype, tolerance] : {std::pair{Dtype::f64, 1e-13}, {Dtype::f32, 2e-6}}) {
    const CellState one = step(dtype);
    const RecurrentOutput want =
        recurrent(GetParam(), unsqueeze(x, 0), {w},
                  {.h0 = unsqueeze(h, 0), .c0 = c0().defined() ? unsqueeze(c0(), 0) : Tensor()});
    EXPECT_TRUE(close(one.h.values(), want.h.values(), tolerance));
    EXPECT_EQ(one.c.defined(), GetParam() == Cell::lstm);
    if (one.c.defined()) {
      EXPECT_TRUE(close(one.c.values(), want.c.values(), tolerance));
    }
  }
}

TEST_P(RecurrentCell, HasItsGradients) {
  const Tensor a = sample({kRows, strips * kWidth}, -2, 2, 8), u = sample({kRows, strips * kWidth}, -2, 2, 9);
  const Tensor seed_h = sample({kRows, kWidth}, -1, 1, 10), seed_c = sample({kRows, kWidth}, -1, 1, 11);
  EXPECT_TRUE(gradcheck(
      [&](const std::vector<Tensor>& in) {
        const CellState after = recurrent_cell(GetParam(), in[0], in[1], {in[2], in[3]});
        const Tensor of_h = sum(after.h * seed_h);
        return after.c.defined() ? of_h + sum(after.c * seed_c) : of_h;
      },
      {a, u, h, c}));
}

TEST(RecurrentCellErrors, NameWhatIsWrong) {
  const Tensor a = zeros({2, 12}), h = zeros({2, 4});
  EXPECT_TRUE(complains([&] { recurrent_cell(Cell::gru_reset_before, a, a, {h, {}}); }, {"resets before"}));
  EXPECT_TRUE(complains([&] { recurrent_cell(Cell::gru, zeros({2, 13}), a, {h, {}}); }, {"(2, 13)", "3"}));
  EXPECT_TRUE(complains([&] { recurrent_cell(Cell::gru, a, zeros({2, 9}), {h, {}}); }, {"u is", "(2, 9)"}));
  EXPECT_TRUE(complains([&] { recurrent_cell(Cell::gru, a, a, {zeros({2, 5}), {}}); }, {"h is", "(2, 5)"}));
  EXPECT_TRUE(complains([&] { recurrent_cell(Cell::lstm, a, a, {h, {}}); }, {"c is", "undefined"}));
}

}  // namespace
}  // namespace heed
