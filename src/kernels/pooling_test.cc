#include "kernels/pooling.h"

#include <gtest/gtest.h>
#include <heed/base.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/philox.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

using testing::close;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Few different values, so that ties are common.
template <class T>
std::vector<T> numbers(int64_t count, uint64_t stream) {
  std::vector<T> values(count);
  for (int64_t i = 0; i < count; ++i) values[i] = static_cast<T>(philox(3, stream, i)[0] % 17) / 4 - 2;
  return values;
}

// Calls visit(x index in its plane) for each x in the window of output (i, j).
template <class Visit>
void visit_window(const PoolingShape& s, int64_t i, int64_t j, const Visit& visit) {
  for (int64_t u = 0; u < s.height.kernel; ++u)
    for (int64_t v = 0; v < s.width.kernel; ++v) {
      const int64_t row = i * s.height.stride - s.height.padding + u * s.height.dilation;
      const int64_t column = j * s.width.stride - s.width.padding + v * s.width.dilation;
      if (row >= 0 && row < s.height.input && column >= 0 && column < s.width.input)
        visit(row * s.width.input + column);
    }
}

struct Results {
  std::vector<double> largest, average, dx_largest, dx_average;
  std::vector<int64_t> indices;
};

template <class T>
Results reference(const PoolingShape& s, AverageOver over, const std::vector<T>& x, const std::vector<T>& dy) {
  Results r;
  r.dx_largest.resize(x.size());
  r.dx_average.resize(x.size());
  size_t o = 0;
  for (int64_t p = 0; p < s.planes; ++p)
    for (int64_t i = 0; i < s.height.output(); ++i)
      for (int64_t j = 0; j < s.width.output(); ++j, ++o) {
        const int64_t plane = p * s.input_plane();
        double best = -kInfinity, sum = 0, inside = 0;
        int64_t where = -1;
        visit_window(s, i, j, [&](int64_t at) {
          if (where < 0 || x[plane + at] > best) best = x[plane + at], where = at;
          sum += x[plane + at], inside += 1;
        });
        const double count = over == AverageOver::kernel ? s.height.kernel * s.width.kernel : std::max(1.0, inside);
        r.largest.push_back(best), r.indices.push_back(where), r.average.push_back(sum / count);
        if (where >= 0) r.dx_largest[plane + where] += dy[o];
        visit_window(s, i, j, [&](int64_t at) { r.dx_average[plane + at] += dy[o] / count; });
      }
  return r;
}

template <class T>
void expect_reference(const PoolingShape& s, AverageOver over, double tolerance) {
  const auto x = numbers<T>(s.planes * s.input_plane(), 1), dy = numbers<T>(s.planes * s.output_plane(), 2);
  const Results want = reference(s, over, x, dy);
  std::vector<T> y(dy.size(), T(NAN)), dx(x.size(), T(NAN));
  std::vector<int64_t> indices(dy.size(), -7);
  max_pool(s, x.data(), y.data(), indices.data());
  EXPECT_TRUE(close(y, want.largest, 0));
  EXPECT_EQ(indices, want.indices);
  max_pool_backward(s, dy.data(), indices.data(), dx.data());
  EXPECT_TRUE(close(dx, want.dx_largest, tolerance));
  average_pool(s, over, x.data(), y.data());
  EXPECT_TRUE(close(y, want.average, tolerance));
  std::fill(dx.begin(), dx.end(), T(NAN));
  average_pool_backward(s, over, dy.data(), dx.data());
  EXPECT_TRUE(close(dx, want.dx_average, tolerance));
}

const PoolingShape kShapes[] = {
    {1, {}, {}},
    {3, {8, 2, 2, 0, 1}, {10, 2, 2, 0, 1}},
    {5, {9, 3, 2, 1, 1}, {11, 3, 2, 1, 1}},
    {2, {7, 3, 1, 1, 1}, {13, 3, 1, 1, 1}},
    {2, {11, 2, 3, 1, 2}, {12, 3, 1, 2, 2}},  // dilated
    {4, {}, {1031, 5, 3, 2, 1}},              // one axis, more than a chunk
    {2, {}, {700, 2, 1, 1, 1}},
    {3, {5, 5, 1, 0, 1}, {6, 6, 1, 0, 1}},     // one output
    {2, {3, 2, 2, 2, 1}, {4, 2, 2, 2, 1}},     // windows that hold padding only
    {70, {33, 3, 2, 1, 1}, {35, 3, 2, 1, 1}},  // enough for two threads
};

class Pooling : public ::testing::TestWithParam<PoolingShape> {};
TEST_P(Pooling, FloatsAreTheReference) {
  expect_reference<float>(GetParam(), AverageOver::kernel, 2e-6);
  expect_reference<float>(GetParam(), AverageOver::inside, 2e-6);
}
TEST_P(Pooling, DoublesAreTheReference) {
  expect_reference<double>(GetParam(), AverageOver::kernel, 1e-14);
  expect_reference<double>(GetParam(), AverageOver::inside, 1e-14);
}
TEST_P(Pooling, SameBitsWithOneAndTwoThreads) {
  const PoolingShape& s = GetParam();
  const auto x = numbers<float>(s.planes * s.input_plane(), 1), dy = numbers<float>(s.planes * s.output_plane(), 2);
  std::vector<float> y[2], dx[2];
  const int before = threads();
  for (int count : {1, 2}) {
    set_threads(count);
    y[count - 1].resize(dy.size()), dx[count - 1].resize(x.size());
    average_pool(s, AverageOver::inside, x.data(), y[count - 1].data());
    average_pool_backward(s, AverageOver::inside, dy.data(), dx[count - 1].data());
  }
  set_threads(before);
  EXPECT_EQ(y[0], y[1]);
  EXPECT_EQ(dx[0], dx[1]);
}
INSTANTIATE_TEST_SUITE_P(Shapes, Pooling, ::testing::ValuesIn(kShapes));

TEST(MaxPool, InfinityAndNan) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {-infinity, -infinity, 1, nan, 2, 3};
  std::vector<float> y(3);
  std::vector<int64_t> indices(3);
  max_pool({1, {}, {6, 2, 2, 0, 1}}, x.data(), y.data(), indices.data());
  EXPECT_EQ(y[0], -infinity);
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(y[2], 3);
  EXPECT_EQ(indices, (std::vector<int64_t>{0, 3, 5}));
}

template <class T>
void expect_global(int64_t planes, int64_t size, double tolerance) {
  const PoolingShape s{planes, {}, {size, size, 1, 0, 1}};
  const auto x = numbers<T>(planes * size, 1), dy = numbers<T>(planes, 2);
  const Results want = reference(s, AverageOver::kernel, x, dy);
  std::vector<T> y(planes), dx(planes * size, T(NAN));
  std::vector<int64_t> indices(planes);
  global_max_pool(planes, size, x.data(), y.data(), indices.data());
  EXPECT_TRUE(close(y, want.largest, 0));
  EXPECT_EQ(indices, want.indices);
  global_max_pool_backward(planes, size, dy.data(), indices.data(), dx.data());
  EXPECT_TRUE(close(dx, want.dx_largest, 0));
  global_average_pool(planes, size, x.data(), y.data());
  EXPECT_TRUE(close(y, want.average, tolerance));
  global_average_pool_backward(planes, size, dy.data(), dx.data());
  EXPECT_TRUE(close(dx, want.dx_average, tolerance));
}

TEST(GlobalPool, IsTheReference) {
  for (int64_t size : {1, 7, 31, 32, 33, 100, 1000}) {
    expect_global<float>(5, size, 1e-6);
    expect_global<double>(5, size, 1e-14);
  }
}

TEST(GlobalPool, NanAndNothing) {
  const std::vector<float> x = {1, 5, std::nanf(""), 7};
  float y = 0;
  int64_t index = 0;
  global_max_pool(1, 4, x.data(), &y, &index);
  EXPECT_TRUE(std::isnan(y));
  EXPECT_EQ(index, 2);
  global_max_pool<float>(1, 0, nullptr, &y, &index);
  EXPECT_EQ(index, -1);
  global_average_pool<float>(1, 0, nullptr, &y);
  EXPECT_EQ(y, 0);
  max_pool<float>({0, {4, 2, 2, 0, 1}, {4, 2, 2, 0, 1}}, nullptr, nullptr, nullptr);
}

}  // namespace
}  // namespace heed::kernels
