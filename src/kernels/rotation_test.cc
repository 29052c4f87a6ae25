#include "kernels/rotation.h"

#include <cmath>
#include <vector>

#include "support/close.h"

namespace heed::kernels {
namespace {

using heed::testing::close;

// Every tail of pairs, with columns that are not turned and rows further apart than they are wide.
template <class T>
void expect_turned(int64_t pairs, Pairs layout) {
  const int64_t rows = 3, width = 2 * pairs + 3, stride = width + 2;
  std::vector<T> x, y(static_cast<size_t>(rows * width)), back(y.size()), cosines, sines, opposite;
  for (int64_t i = 0; i < rows * stride; ++i) x.push_back(static_cast<T>(std::sin(0.7 * static_cast<double>(i))));
  for (int64_t i = 0; i < rows * pairs; ++i) {
    const double angle = 0.3 * static_cast<double>(i);
    cosines.push_back(static_cast<T>(std::cos(angle))), sines.push_back(static_cast<T>(std::sin(angle)));
    opposite.push_back(-sines.back());
  }
  rotate(rows, width, x.data(), stride, y.data(), {cosines.data(), sines.data(), pairs}, layout);
  std::vector<double> want, before;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t c = 0; c < width; ++c) {
      const auto at = [&](int64_t column) { return static_cast<double>(x[static_cast<size_t>(i * stride + column)]); };
      const bool halves = layout == Pairs::halves, second = halves ? c >= pairs : c % 2 == 1;
      const int64_t pair = halves ? c % std::max<int64_t>(1, pairs) : c / 2;
      const int64_t other = halves ? (second ? c - pairs : c + pairs) : (second ? c - 1 : c + 1);
      const double angle = 0.3 * static_cast<double>(i * pairs + pair);
      before.push_back(at(c));
      want.push_back(c >= 2 * pairs ? at(c)
                                    : at(c) * std::cos(angle) + (second ? 1 : -1) * at(other) * std::sin(angle));
    }
  const double tolerance = sizeof(T) == 4 ? 1e-6 : 1e-14;
  EXPECT_TRUE(close(y, want, tolerance)) << pairs;
  rotate(rows, width, y.data(), width, back.data(), {cosines.data(), opposite.data(), pairs}, layout);
  EXPECT_TRUE(close(back, before, tolerance)) << pairs;
}

TEST(Rotation, TurnsPairsAndBack) {
  for (const int64_t pairs : {0, 1, 2, 3, 7, 8, 15, 16, 17, 33})
    for (const Pairs layout : {Pairs::halves, Pairs::neighbours}) {
      expect_turned<float>(pairs, layout);
      expect_turned<double>(pairs, layout);
    }
}

}  // namespace
}  // namespace heed::kernels
