#include "kernels/embedding.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "base/runtime.h"
#include "kernels/streaming.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

using heed::testing::close;

template <class T>
struct Case {
  int64_t n, width, table_rows;
  std::vector<int64_t> indices;
  std::vector<T> gradient;

  Case(int64_t n, int64_t width, int64_t table_rows) : n(n), width(width), table_rows(table_rows) {
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    for (int64_t i = 0; i < n; ++i)  // half of them one row, as padding is
      indices.push_back(random() % 2 ? table_rows / 2 : static_cast<int64_t>(random()) % table_rows);
    for (int64_t i = 0; i < n * width; ++i) gradient.push_back(static_cast<T>(normal(random)));
  }

  std::vector<double> table_gradient(int64_t padding) const {
    std::vector<double> sums(static_cast<size_t>(table_rows * width));
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < width && indices[i] != padding; ++j)
        sums[indices[i] * width + j] += static_cast<double>(gradient[i * width + j]);
    return sums;
  }
};

TEST(Embedding, FirstOutOfRange) {
  const std::vector<int64_t> indices{0, 4, 2, 5, -1};
  EXPECT_EQ(first_out_of_range(indices.data(), 3, 5), -1);
  EXPECT_EQ(first_out_of_range(indices.data(), 5, 5), 3);
  EXPECT_EQ(first_out_of_range(indices.data(), 5, 6), 4);
  EXPECT_EQ(first_out_of_range(nullptr, 0, 5), -1);
}

TEST(Embedding, GatherRows) {
  for (const int64_t width : {1, 3, 64, 257}) {
    const Case<float> c(1000, width, 77);
    std::vector<float> table(static_cast<size_t>(77 * width)), out(static_cast<size_t>(1000 * width)), want;
    for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(i);
    gather_rows(table.data(), c.indices.data(), out.data(), 1000, width);
    for (const int64_t index : c.indices)
      for (int64_t j = 0; j < width; ++j) want.push_back(static_cast<float>(index * width + j));
    EXPECT_EQ(out, want);
  }
}

template <class T>
void check_sparse(const Case<T>& c, int64_t padding, double tolerance) {
  std::vector<int64_t> rows(static_cast<size_t>(c.n));
  std::vector<T> sums(static_cast<size_t>(c.n * c.width));
  const int64_t count =
      sparse_row_gradient(c.indices.data(), c.gradient.data(), c.n, c.width, rows.data(), sums.data(), padding);
  std::map<int64_t, int> wanted;
  for (const int64_t index : c.indices)
    if (index != padding) ++wanted[index];
  ASSERT_EQ(count, std::ssize(wanted));
  std::vector<T> dense(static_cast<size_t>(c.table_rows * c.width));
  auto want = wanted.begin();
  for (int64_t u = 0; u < count; ++u, ++want) {
    ASSERT_EQ(rows[u], want->first);
    std::copy_n(sums.data() + u * c.width, c.width, dense.data() + rows[u] * c.width);
  }
  EXPECT_TRUE(close(dense, c.table_gradient(padding), tolerance));
}

TEST(Embedding, SparseGradientMeetsTheDenseOne) {
  for (const int64_t width : {1, 5, 64, 130, 257})
    for (const int64_t table_rows : {1, 50, 5000, 1 << 23}) {
      if (table_rows > 5000 && width > 1) continue;
      check_sparse(Case<float>(700, width, table_rows), -1, 1e-4);
      check_sparse(Case<double>(700, width, table_rows), table_rows / 2, 1e-13);
    }
}

TEST(Embedding, ScatterAddAccumulates) {
  const Case<float> c(300, 130, 40);
  std::vector<float> table(static_cast<size_t>(40 * 130), 2.0f);
  scatter_add_rows(c.indices.data(), c.gradient.data(), table.data(), c.n, c.width, 3);
  std::vector<double> want = c.table_gradient(3);
  for (double& value : want) value += 2;
  EXPECT_TRUE(close(table, want, 1e-5));
}

TEST(Embedding, SameBitsForAnyThreads) {
  for (const int64_t width : {7, 512}) {
    const Case<float> c(2000, width, 60);
    std::vector<float> one(static_cast<size_t>(60 * width)), two = one;
    set_threads(1);
    scatter_add_rows(c.indices.data(), c.gradient.data(), one.data(), c.n, width);
    set_threads(2);
    scatter_add_rows(c.indices.data(), c.gradient.data(), two.data(), c.n, width);
    EXPECT_EQ(one, two);
  }
}

// Long enough to be written past the caches.
TEST(Embedding, StreamedRows) {
  const int64_t width = 601, n = kStreamingBytes / 4 / width * 3 / 2, table_rows = 2 * n;
  Case<float> c(n, width, table_rows);
  for (int64_t i = 0; i < n; ++i) c.indices[i] = i * 7 % 5 == 0 ? 3 : i;
  set_threads(2);
  check_sparse(c, 4, 1e-2);
  std::vector<float> out(c.gradient.size());
  gather_rows(c.gradient.data(), c.indices.data(), out.data(), n, width);
  for (int64_t i = 0; i < n * width; i += 13) ASSERT_EQ(out[i], c.gradient[c.indices[i / width] * width + i % width]);
}

TEST(Embedding, Empty) {
  EXPECT_EQ(sparse_row_gradient<float>(nullptr, nullptr, 0, 8, nullptr, nullptr), 0);
  const int64_t only_padding[] = {4, 4};
  const float gradient[] = {1, 2};
  EXPECT_EQ(sparse_row_gradient<float>(only_padding, gradient, 2, 1, nullptr, nullptr, 4), 0);
  gather_rows(gradient, nullptr, nullptr, 0, 8);
}

}  // namespace
}  // namespace heed::kernels
