#include "kernels/elementwise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/philox.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

using testing::close;

template <class T>
std::vector<T> numbers(int64_t n, uint64_t seed) {
  std::vector<T> values;
  for (int64_t i = 0; i < n; ++i)
    values.push_back(static_cast<T>(philox(seed, 0, static_cast<uint64_t>(i))[0] % 2000) / 500 + T(0.25));
  return values;
}

double apply(Binary op, double a, double b) {
  switch (op) {
    case Binary::add: return a + b;
    case Binary::subtract: return a - b;
    case Binary::multiply: return a * b;
    case Binary::divide: return a / b;
    case Binary::minimum: return std::min(a, b);
    case Binary::maximum: return std::max(a, b);
    case Binary::power: return std::pow(a, b);
  }
  return 0;
}

constexpr Binary kAll[] = {Binary::add,     Binary::subtract, Binary::multiply, Binary::divide,
                           Binary::minimum, Binary::maximum,  Binary::power};

// (rows, columns) with any strides, against the definition.
template <class T>
void check_binary(int64_t rows, int64_t columns, std::array<int64_t, 2> a_stride, std::array<int64_t, 2> b_stride) {
  const Strides<2> strides{
      .rank = 2, .shape = {rows, columns}, .stride = {{{a_stride[0], a_stride[1]}, {b_stride[0], b_stride[1]}}}};
  const auto a = numbers<T>(2 * rows * columns + 1, 1), b = numbers<T>(2 * rows * columns + 1, 2);
  for (Binary op : kAll) {
    std::vector<T> got(static_cast<size_t>(rows * columns), T(-99));
    std::vector<double> want;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c)
        want.push_back(apply(op, a[static_cast<size_t>(r * a_stride[0] + c * a_stride[1])],
                             b[static_cast<size_t>(r * b_stride[0] + c * b_stride[1])]));
    binary(op, strides, a.data(), b.data(), got.data());
    EXPECT_TRUE(close(got, want, sizeof(T) == 4 ? 3e-7 : 1e-15)) << static_cast<int>(op);
  }
}

TEST(Elementwise, EveryStrideOfEveryOp) {
  for (int64_t rows : {1, 3, 17})
    for (int64_t columns : {1, 7, 16, 65}) {
      const std::array<int64_t, 2> kinds[] = {{columns, 1}, {0, 1}, {1, 0}, {0, 0}, {1, rows}, {2 * columns, 2}};
      for (const auto& a : kinds)
        for (const auto& b : kinds) check_binary<float>(rows, columns, a, b), check_binary<double>(rows, columns, a, b);
    }
}

TEST(Elementwise, ResultsBeyondTheCachesAndOddBeginnings) {
  const int64_t n = 3'000'001;
  const auto a = numbers<float>(n + 1, 1), b = numbers<float>(n + 1, 2);
  std::vector<float> out(static_cast<size_t>(n + 2), -7), want;
  for (int64_t i = 0; i < n; ++i) want.push_back(a[static_cast<size_t>(i + 1)] * b[static_cast<size_t>(i)]);
  binary(Binary::multiply, {.rank = 1, .shape = {n}, .stride = {{{1}, {1}}}}, a.data() + 1, b.data(), out.data() + 1);
  EXPECT_TRUE(close(std::span<const float>(out).subspan(1, static_cast<size_t>(n)), std::span<const float>(want), 0));
  EXPECT_EQ(out.front(), -7);
  EXPECT_EQ(out.back(), -7);
}

TEST(Elementwise, MinimumAndMaximumKeepNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> a(20, nan), b(20, 1);
  std::vector<float> out(20);
  const Strides<2> flat{.rank = 1, .shape = {20}, .stride = {{{1}, {1}}}};
  for (Binary op : {Binary::minimum, Binary::maximum}) {
    binary(op, flat, a.data(), b.data(), out.data());
    for (float value : out) EXPECT_TRUE(std::isnan(value));
    binary(op, flat, b.data(), a.data(), out.data());
    for (float value : out) EXPECT_TRUE(std::isnan(value));
  }
}

TEST(Elementwise, ComparisonsAndChoices) {
  const std::vector<float> a{1, 2, 3, std::numeric_limits<float>::quiet_NaN()}, b{2, 2, 2, 2};
  const Strides<2> flat{.rank = 1, .shape = {4}, .stride = {{{1}, {1}}}};
  bool less_than[4], unequal[4], both[4];
  compare(Compare::less, flat, a.data(), b.data(), less_than);
  compare(Compare::not_equal, flat, a.data(), b.data(), unequal);
  logical(Logical::both, flat, less_than, unequal, both);
  EXPECT_TRUE(close(std::vector<double>(less_than, less_than + 4), std::vector<double>{1, 0, 0, 0}, 0));
  EXPECT_TRUE(close(std::vector<double>(unequal, unequal + 4), std::vector<double>{1, 0, 1, 1}, 0));
  EXPECT_TRUE(close(std::vector<double>(both, both + 4), std::vector<double>{1, 0, 0, 0}, 0));
  const std::vector<float> nothing{-1};
  std::vector<float> chosen(4);
  choose({.rank = 1, .shape = {4}, .stride = {{{1}, {1}, {0}}}}, less_than, b.data(), nothing.data(), chosen.data());
  EXPECT_TRUE(close(chosen, std::vector<float>{2, -1, -1, -1}, 0));
}

TEST(Elementwise, ClampAndItsGradient) {
  const std::vector<double> x{-3, -1, 0, 1, 3}, dy{1, 2, 3, 4, 5};
  std::vector<double> y(5), dx(5);
  clamp(x.data(), y.data(), 5, -1, 1);
  clamp_backward(x.data(), dy.data(), dx.data(), 5, -1, 1);
  EXPECT_TRUE(close(y, std::vector<double>{-1, -1, 0, 1, 1}, 0));
  EXPECT_TRUE(close(dx, std::vector<double>{0, 2, 3, 4, 0}, 0));
}

TEST(Elementwise, EmptyArraysAreLeftAlone) {
  binary<float>(Binary::add, {.rank = 2, .shape = {0, 3}, .stride = {{{3, 1}, {0, 1}}}}, nullptr, nullptr, nullptr);
  binary<float>(Binary::add, {.rank = 2, .shape = {3, 0}, .stride = {{{0, 1}, {0, 1}}}}, nullptr, nullptr, nullptr);
}

}  // namespace
}  // namespace heed::kernels
