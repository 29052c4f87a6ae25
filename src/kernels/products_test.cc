#include "kernels/products.h"

#include <gtest/gtest.h>
#include <heed/base.h>

#include <cmath>
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

double activate(double x, Activation activation) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return std::max(x, 0.0);
    case Activation::gelu: return x / 2 * std::erfc(-x / std::sqrt(2.0));
    case Activation::gelu_tanh: return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::silu: return x / (1 + std::exp(-x));
    case Activation::tanh: return std::tanh(x);
    case Activation::sigmoid: return 1 / (1 + std::exp(-x));
  }
  return 0;
}

template <class T>
double at(const Factor<T>& f, int64_t batch, int64_t i, int64_t k) {
  return f.data[batch * f.batch_stride + (f.transposed ? k * f.stride + i : i * f.stride + k)];
}

// The contract, element by element, in double.
template <class T>
std::vector<double> reference(const Product<T>& p, const std::vector<T>& c) {
  std::vector<double> want(c.begin(), c.end());
  for (int64_t n = 0; n < p.batch; ++n)
    for (int64_t i = 0; i < p.rows; ++i)
      for (int64_t j = 0; j < p.columns; ++j) {
        double& to = want[n * p.c_batch_stride + i * p.c_stride + j];
        double sum = (p.accumulate ? to : 0) + (p.bias ? p.bias[j] : 0);
        for (int64_t k = 0; k < p.depth; ++k) sum += at(p.a, n, i, k) * at(p.b, n, k, j);
        to = activate(sum, p.activation);
      }
  return want;
}

struct Sizes {
  int64_t rows, columns, depth, batch = 1;
};
template <class T>
struct Data {
  std::vector<T> a, b, c, bias;
  Product<T> product;
  // Rows of each matrix lie a little apart; what is between them must neither matter nor change.
  Data(Sizes s, bool a_transposed, bool b_transposed, bool accumulate) : bias(random_values<T>(s.columns, 4)) {
    const int64_t a_across = a_transposed ? s.depth : s.rows, a_stride = (a_transposed ? s.rows : s.depth) + 1;
    const int64_t b_across = b_transposed ? s.columns : s.depth, b_stride = (b_transposed ? s.depth : s.columns) + 2;
    const int64_t c_stride = s.columns + 3;
    a = random_values<T>(s.batch * a_across * a_stride, 1), b = random_values<T>(s.batch * b_across * b_stride, 2);
    c = random_values<T>(s.batch * s.rows * c_stride, 3);
    product = {s.rows,
               s.columns,
               s.depth,
               {a.data(), a_stride, a_transposed, a_across * a_stride},
               {b.data(), b_stride, b_transposed, b_across * b_stride},
               c.data(),
               c_stride,
               accumulate};
    product.batch = s.batch, product.c_batch_stride = s.rows * c_stride;
  }
};

template <class T>
void check_sizes(Sizes s, double tolerance) {
  for (int variant = 0; variant < 8; ++variant) {
    Data<T> data(s, variant & 1, variant & 2, variant & 4);
    const auto want = reference(data.product, data.c);
    multiply(data.product);
    EXPECT_TRUE(testing::close(data.c, want, tolerance))
        << s.rows << "x" << s.columns << "x" << s.depth << " batch " << s.batch << " variant " << variant;
  }
}

TEST(Products, EverySizeAndTransposition) {
  for (const int64_t rows : {1, 2, 5, 8, 9, 25, 70})
    for (const int64_t columns : {1, 3, 8, 17, 64, 100, 193})
      for (const int64_t depth : {0, 1, 7, 33}) check_sizes<float>({rows, columns, depth}, 1e-5);
}
TEST(Products, SeveralBlocksOfRowsColumnsAndDepth) {
  check_sizes<float>({350, 300, 1100}, 1e-4);
  check_sizes<float>({30, 4200, 40}, 2e-5);
  check_sizes<double>({180, 130, 600}, 1e-13);
}
TEST(Products, Double) {
  for (const int64_t rows : {1, 6, 31})
    for (const int64_t columns : {1, 9, 70}) check_sizes<double>({rows, columns, 19}, 1e-14);
}
TEST(Products, Batches) {
  check_sizes<float>({17, 33, 20, 5}, 1e-5);
  check_sizes<float>({70, 90, 64, 3}, 1e-5);
  check_sizes<double>({7, 5, 3, 4}, 1e-14);
}
TEST(Products, SharedFactorOfABatch) {
  Data<float> data({10, 40, 16, 6}, false, true, false);
  data.product.b.batch_stride = 0;
  const auto want = reference(data.product, data.c);
  multiply(data.product);
  EXPECT_TRUE(testing::close(data.c, want, 1e-5));
}
TEST(Products, BiasAndActivation) {
  for (const Sizes s : {Sizes{40, 130, 70}, Sizes{3, 50, 20}, Sizes{20, 5, 30}, Sizes{12, 70, 9}})
    for (const auto activation : {Activation::none, Activation::relu, Activation::gelu, Activation::gelu_tanh,
                                  Activation::silu, Activation::tanh, Activation::sigmoid}) {
      Data<float> data(s, false, s.rows != 12, activation == Activation::tanh);
      data.product.bias = data.bias.data(), data.product.activation = activation;
      const auto want = reference(data.product, data.c);
      multiply(data.product);
      EXPECT_TRUE(testing::close(data.c, want, 1e-5)) << s.rows << " " << static_cast<int>(activation);
    }
}
TEST(Products, SameBitsForOneAndTwoThreads) {
  const int before = threads();
  for (const Sizes s : {Sizes{400, 700, 600}, Sizes{3, 2000, 600}, Sizes{2000, 3, 600}, Sizes{20, 1000, 200}})
    for (int variant = 0; variant < 4; ++variant) {
      Data<float> one(s, variant & 1, variant & 2, false), two(s, variant & 1, variant & 2, false);
      set_threads(1);
      multiply(one.product);
      set_threads(2);
      multiply(two.product);
      EXPECT_EQ(one.c, two.c) << s.rows << " " << variant;
    }
  set_threads(before);
}
TEST(Products, NothingToDo) {
  Data<float> data({3, 4, 5}, false, false, false);
  const auto before = data.c;
  for (const Sizes s : {Sizes{0, 4, 5}, Sizes{3, 0, 5}, Sizes{3, 4, 5, 0}}) {
    Product<float> none = data.product;
    none.rows = s.rows, none.columns = s.columns, none.batch = s.batch;
    multiply(none);
    EXPECT_EQ(data.c, before);
  }
}

}  // namespace
}  // namespace heed::kernels
