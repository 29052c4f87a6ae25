#include "kernels/packed.h"

#include <gtest/gtest.h>
#include <heed/base.h>

#include <random>
#include <vector>

#include "support/close.h"

namespace heed::kernels {
namespace {

template <class T>
std::vector<T> random_values(int64_t n, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<T> uniform(-1, 1);
  std::vector<T> x(n);
  for (T& v : x) v = uniform(generator);
  return x;
}

template <class T>
struct Data {
  int64_t rows, columns, depth, a_stride, c_stride;
  std::vector<T> a, w, c, bias, panels;
  PackedWeights<T> weights;
  bool transposed;
  Data(int64_t rows, int64_t columns, int64_t depth, bool transposed)
      : rows(rows),
        columns(columns),
        depth(depth),
        a_stride(depth + 1),
        c_stride(columns + 2),
        a(random_values<T>(rows * a_stride, 1)),
        w(random_values<T>(columns * depth, 2)),
        c(random_values<T>(rows * c_stride, 3)),
        bias(random_values<T>(columns, 4)),
        panels(static_cast<size_t>(panels_size(depth, columns))),
        transposed(transposed) {
    weights = PackedWeights<T>({w.data(), transposed ? depth : columns, transposed}, depth, columns, panels.data());
  }
  PackedProduct<T> product() { return {rows, a.data(), a_stride, &weights, c.data(), c_stride}; }
  std::vector<double> want(bool accumulate, bool with_bias) const {
    std::vector<double> to(c.begin(), c.end());
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        double sum = (accumulate ? double{c[i * c_stride + j]} : 0) + (with_bias ? double{bias[j]} : 0);
        for (int64_t k = 0; k < depth; ++k)
          sum += double{a[i * a_stride + k]} * double{w[transposed ? j * depth + k : k * columns + j]};
        to[i * c_stride + j] = sum;
      }
    return to;
  }
};

template <class T>
void check_product(int64_t rows, int64_t columns, int64_t depth, double tolerance) {
  for (int variant = 0; variant < 4; ++variant) {
    Data<T> data(rows, columns, depth, variant & 1);
    const auto want = data.want(variant & 2, variant & 2);
    auto product = data.product();
    product.accumulate = variant & 2;
    if (variant & 2) product.bias = data.bias.data();
    if (variant & 1) product.next = &data.weights;
    multiply(product);
    EXPECT_TRUE(testing::close(data.c, want, tolerance)) << rows << "x" << columns << "x" << depth << " " << variant;
  }
}

TEST(Packed, AnySize) {
  for (const int64_t rows : {1, 2, 4, 5, 8, 9, 13, 32, 170})
    for (const int64_t columns : {1, 20, 64, 130})
      for (const int64_t depth : {0, 1, 17, 65}) check_product<float>(rows, columns, depth, 2e-5);
}
TEST(Packed, DeepWeights) {
  for (const int64_t rows : {1, 8, 33}) check_product<float>(rows, 200, 1300, 2e-4);
}
TEST(Packed, Double) {
  for (const int64_t rows : {1, 8, 10}) check_product<double>(rows, 70, 530, 1e-12);
}

TEST(Packed, StrideOfAPowerOfTwo) {
  Data<float> data(9, 70, 255, true);
  ASSERT_EQ(data.a_stride, 256);
  const auto want = data.want(false, false);
  multiply(data.product());
  EXPECT_TRUE(testing::close(data.c, want, 1e-4));
}

TEST(Packed, SameBitsForOneAndTwoThreads) {
  const int before = threads();
  for (const auto& [rows, columns] : {std::pair{1, 900}, {4, 900}, {8, 900}, {40, 900}, {500, 60}}) {
    Data<float> one(rows, columns, 700, true), two(rows, columns, 700, true);
    set_threads(1);
    multiply(one.product());
    set_threads(2);
    multiply(two.product());
    EXPECT_EQ(one.c, two.c);
  }
  set_threads(before);
}

}  // namespace
}  // namespace heed::kernels
