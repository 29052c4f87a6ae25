#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "kernels/panels.h"
#include "support/close.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tile_test.cc"
#include "hwy/foreach_target.h"
#include "kernels/tile-inl.h"

#ifndef HEED_KERNELS_TILE_TEST_ONCE
#define HEED_KERNELS_TILE_TEST_ONCE
namespace heed::kernels {

// One product as the test asks for it. Strides are those of the arrays as stored.
template <class T>
struct TileCase {
  int64_t rows, columns, depth;
  bool by_columns, packed, add;
  const T* a;
  int64_t a_stride;
  const T* b;
  int64_t b_stride;
  T* c;
  int64_t c_stride;
};

}  // namespace heed::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

template <class T, class A, class B>
void run_with(const TileCase<T>& t, const A& a, const B& b) {
  const hn::ScalableTag<T> d;
  if (t.add) return product(t.rows, t.columns, t.depth, a, b, add_to(d, t.c, t.c_stride));
  product(t.rows, t.columns, t.depth, a, b, store_to(d, t.c, t.c_stride));
}

template <class T, class A>
void run_b(const TileCase<T>& t, const A& a) {
  if (t.packed) return run_with(t, a, panels(t.b, t.depth));
  run_with(t, a, matrix(t.b, t.b_stride));
}

template <class T>
void run_a(const TileCase<T>& t) {
  if (t.by_columns) return run_b(t, by_columns(t.a, t.a_stride));
  run_b(t, by_rows(t.a, t.a_stride));
}
void run_f32(const TileCase<float>& t) { run_a(t); }
void run_f64(const TileCase<double>& t) { run_a(t); }

// A row at a time: the sums of rows of A·B, columns a multiple of the tile's width.
void row_sums(int64_t rows, int64_t columns, int64_t depth, const float* a, const float* b, float* sums) {
  const hn::ScalableTag<float> d;
  product<BestShape, Columns::whole>(rows, columns, depth, by_rows(a, depth), panels(b, depth),
                                     [&](int64_t row, int64_t, const auto& x, auto) HWY_ATTR {
                                       for (const auto& v : x) sums[row] += hn::GetLane(hn::SumOfLanes(d, v));
                                     });
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace {

HWY_EXPORT(run_f32);
HWY_EXPORT(run_f64);
HWY_EXPORT(row_sums);

void run(const TileCase<float>& t) { HWY_DYNAMIC_DISPATCH(run_f32)(t); }
void run(const TileCase<double>& t) { HWY_DYNAMIC_DISPATCH(run_f64)(t); }

template <class T>
std::vector<T> random_values(int64_t n, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<T> uniform(-1, 1);
  std::vector<T> x(n);
  for (T& v : x) v = uniform(generator);
  return x;
}

// Σ_k A(i,k) B(k,j), in double, by the plain layouts of A (rows × depth) and B (depth × columns).
template <class T>
double element(const std::vector<T>& a, const std::vector<T>& b, int64_t i, int64_t j, int64_t depth, int64_t columns) {
  double sum = 0;
  for (int64_t k = 0; k < depth; ++k) sum += double{a[i * depth + k]} * double{b[k * columns + j]};
  return sum;
}

template <class T>
std::vector<T> packed(const std::vector<T>& b, int64_t depth, int64_t columns) {
  const int64_t strip = strip_width<T>();
  std::vector<T> p(panels_size(depth, columns), T(1e30));  // the padding must not matter
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t j = 0; j < columns; ++j) p[(j / strip * depth + k) * strip + j % strip] = b[k * columns + j];
  return p;
}

template <class T>
std::vector<T> transposed(const std::vector<T>& a, int64_t rows, int64_t columns) {
  std::vector<T> t(a.size());
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) t[j * rows + i] = a[i * columns + j];
  return t;
}

template <class T>
void check_product(int64_t rows, int64_t columns, int64_t depth, double tolerance) {
  const auto a = random_values<T>(rows * depth, 1), b = random_values<T>(depth * columns, 2);
  const auto a_columns = transposed(a, rows, depth), b_panels = packed(b, depth, columns);
  const int64_t c_stride = columns + 3;  // what lies between the rows must stay as it was
  for (const int variant : {0, 1, 2, 3, 4, 5, 6, 7}) {
    const bool by_columns = variant & 1, is_packed = variant & 2, add = variant & 4;
    std::vector<T> c = random_values<T>(rows * c_stride, 3);
    std::vector<double> want(c.begin(), c.end());
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j)
        want[i * c_stride + j] = element(a, b, i, j, depth, columns) + (add ? want[i * c_stride + j] : 0);
    run(TileCase<T>{rows, columns, depth, by_columns, is_packed, add, by_columns ? a_columns.data() : a.data(),
                    by_columns ? rows : depth, is_packed ? b_panels.data() : b.data(), columns, c.data(), c_stride});
    EXPECT_TRUE(testing::close(c, want, tolerance)) << rows << "x" << columns << "x" << depth << " variant " << variant;
  }
}

TEST(Tile, AnyRowsAndColumns) {
  for (int64_t rows = 1; rows <= 20; ++rows)
    for (const int64_t columns : {1, 3, 8, 15, 16, 17, 31, 33, 48, 63, 64, 65, 130})
      check_product<float>(rows, columns, 13, 3e-6);
}
TEST(Tile, AnyDepth) {
  for (const int64_t depth : {0, 1, 2, 3, 5, 64, 257})
    for (int64_t rows = 1; rows <= 7; ++rows) check_product<float>(rows, 70, depth, 2e-5);
}
TEST(Tile, Double) {
  for (int64_t rows = 1; rows <= 13; ++rows)
    for (const int64_t columns : {1, 7, 8, 9, 33, 70}) check_product<double>(rows, columns, 9, 1e-14);
}

TEST(Tile, EpilogueGetsWholeRows) {
  const int64_t rows = 15, columns = 192, depth = 21;
  const auto a = random_values<float>(rows * depth, 4), b = random_values<float>(depth * columns, 5);
  std::vector<float> sums(rows, 0.0f);
  const auto b_panels = packed(b, depth, columns);
  HWY_DYNAMIC_DISPATCH(row_sums)(rows, columns, depth, a.data(), b_panels.data(), sums.data());
  std::vector<double> want(rows, 0.0);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) want[i] += element(a, b, i, j, depth, columns);
  EXPECT_TRUE(testing::close(sums, want, 1e-4));
}

}  // namespace
}  // namespace heed::kernels
#endif
