#include "kernels/convolution.h"

#include <gtest/gtest.h>
#include <heed/base.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/philox.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

using testing::close;

struct Problem {
  ConvolutionShape shape;
  std::vector<double> x, weight, bias, dy;
};

std::vector<double> numbers(int64_t count, uint64_t stream) {
  std::vector<double> values(count);
  // Rounded to floats, so that both types see the same.
  for (int64_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(static_cast<int32_t>(philox(7, stream, i)[0]) / 2147483648.0);
  return values;
}

Problem problem(const ConvolutionShape& s) {
  return {s, numbers(s.batch * s.input_image(), 1), numbers(s.weights(), 2), numbers(s.filters, 3),
          numbers(s.batch * s.output_image(), 4)};
}

// The definition, and nothing else: visit(x index, weight index, y index) for every product.
template <class Visit>
void visit_products(const ConvolutionShape& s, const Visit& visit) {
  const int64_t channels = s.channels / s.groups, filters = s.filters / s.groups;
  const ConvolutionAxis &h = s.height, &w = s.width;
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t o = 0; o < s.filters; ++o)
      for (int64_t i = 0; i < h.output(); ++i)
        for (int64_t j = 0; j < w.output(); ++j)
          for (int64_t c = 0; c < channels; ++c)
            for (int64_t u = 0; u < h.kernel; ++u)
              for (int64_t v = 0; v < w.kernel; ++v) {
                const int64_t row = i * h.stride - h.padding + u * h.dilation;
                const int64_t column = j * w.stride - w.padding + v * w.dilation;
                if (row < 0 || row >= h.input || column < 0 || column >= w.input) continue;
                visit(((b * s.channels + o / filters * channels + c) * h.input + row) * w.input + column,
                      ((o * channels + c) * h.kernel + u) * w.kernel + v,
                      ((b * s.filters + o) * h.output() + i) * w.output() + j);
              }
}

struct Results {
  std::vector<double> y, dx, dweight, dbias;
};

Results reference(const Problem& p) {
  const ConvolutionShape& s = p.shape;
  const int64_t plane = s.height.output() * s.width.output();
  Results r{std::vector<double>(p.dy.size()), std::vector<double>(p.x.size()), std::vector<double>(p.weight.size()),
            std::vector<double>(p.bias.size())};
  for (size_t i = 0; i < p.dy.size(); ++i) {
    r.y[i] = p.bias[i / plane % s.filters];
    r.dbias[i / plane % s.filters] += p.dy[i];
  }
  visit_products(s, [&](int64_t x, int64_t weight, int64_t y) {
    r.y[y] += p.x[x] * p.weight[weight];
    r.dx[x] += p.dy[y] * p.weight[weight];
    r.dweight[weight] += p.dy[y] * p.x[x];
  });
  return r;
}

template <class T>
struct Computed {
  std::vector<T> y, dx, dweight, dbias;
};

template <class T>
Computed<T> compute(const Problem& p) {
  const auto as = [](const std::vector<double>& v) { return std::vector<T>(v.begin(), v.end()); };
  const auto x = as(p.x), weight = as(p.weight), bias = as(p.bias), dy = as(p.dy);
  // Filled with what must not be left there.
  Computed<T> c{std::vector<T>(dy.size(), T(NAN)), std::vector<T>(x.size(), T(NAN)),
                std::vector<T>(weight.size(), T(NAN)), std::vector<T>(bias.size(), T(NAN))};
  convolution(p.shape, x.data(), weight.data(), bias.data(), c.y.data());
  convolution_backward(p.shape, ConvolutionGradient<T>{x.data(), weight.data(), dy.data(), c.dx.data(),
                                                       c.dweight.data(), c.dbias.data()});
  return c;
}

template <class T>
void expect_reference(const Problem& p, double tolerance) {
  const Results want = reference(p);
  const Computed<T> got = compute<T>(p);
  EXPECT_TRUE(close(got.y, want.y, tolerance));
  EXPECT_TRUE(close(got.dx, want.dx, tolerance));
  EXPECT_TRUE(close(got.dweight, want.dweight, tolerance));
  EXPECT_TRUE(close(got.dbias, want.dbias, tolerance));
}

const ConvolutionShape kShapes[] = {
    {1, 1, 1, 1, {}, {}},
    {2, 3, 5, 1, {7, 3, 1, 1, 1}, {9, 3, 1, 1, 1}},
    {3, 16, 32, 1, {8, 3, 2, 1, 1}, {6, 3, 2, 1, 1}},
    {2, 17, 33, 1, {9, 2, 1, 0, 2}, {8, 3, 3, 2, 1}},   // odd everything, kernel 2 × 3, dilated
    {5, 8, 12, 4, {6, 3, 1, 1, 1}, {5, 3, 1, 1, 1}},    // groups
    {2, 16, 16, 16, {9, 3, 2, 1, 1}, {9, 3, 1, 1, 1}},  // one channel a group
    {4, 6, 10, 1, {}, {23, 5, 1, 2, 1}},                // one axis
    {3, 4, 4, 2, {}, {31, 3, 2, 4, 4}},                 // one axis, dilated, strided, grouped
    {7, 20, 9, 1, {4, 1, 1, 0, 1}, {5, 1, 1, 0, 1}},    // 1 × 1
    {24, 5, 4, 1, {4, 3, 1, 1, 1}, {4, 3, 1, 1, 1}},    // several images at a time
    {37, 3, 4, 1, {7, 3, 1, 1, 1}, {6, 3, 1, 1, 1}},    // more groups of images than partial sums
    {2, 3, 4, 1, {3, 3, 1, 0, 1}, {5, 5, 1, 0, 1}},     // one output
    {2, 2, 3, 1, {3, 2, 5, 0, 1}, {2, 1, 3, 2, 1}},     // stride longer than the input; some outputs see padding only
};

class Convolutions : public ::testing::TestWithParam<ConvolutionShape> {};
TEST_P(Convolutions, FloatsAreTheReference) { expect_reference<float>(problem(GetParam()), 2e-5); }
TEST_P(Convolutions, DoublesAreTheReference) { expect_reference<double>(problem(GetParam()), 1e-13); }
TEST_P(Convolutions, SameBitsWithOneAndTwoThreads) {
  const Problem p = problem(GetParam());
  const int before = threads();
  set_threads(1);
  const Computed<float> one = compute<float>(p);
  set_threads(2);
  const Computed<float> two = compute<float>(p);
  set_threads(before);
  EXPECT_EQ(one.y, two.y);
  EXPECT_EQ(one.dx, two.dx);
  EXPECT_EQ(one.dweight, two.dweight);
  EXPECT_EQ(one.dbias, two.dbias);
}
INSTANTIATE_TEST_SUITE_P(Shapes, Convolutions, ::testing::ValuesIn(kShapes));

TEST(Convolution, ResultsThatAreNotWantedAreLeftOut) {
  const Problem p = problem(kShapes[1]);
  const Results want = reference(p);
  const std::vector<float> x(p.x.begin(), p.x.end()), weight(p.weight.begin(), p.weight.end()),
      dy(p.dy.begin(), p.dy.end());
  std::vector<float> dx(x.size()), dweight(weight.size()), dbias(p.bias.size());
  convolution_backward(p.shape, ConvolutionGradient<float>{.weight = weight.data(), .dy = dy.data(), .dx = dx.data()});
  EXPECT_TRUE(close(dx, want.dx, 2e-5));
  convolution_backward(p.shape, ConvolutionGradient<float>{.x = x.data(), .dy = dy.data(), .dweight = dweight.data()});
  EXPECT_TRUE(close(dweight, want.dweight, 2e-5));
  convolution_backward(p.shape, ConvolutionGradient<float>{.dy = dy.data(), .dbias = dbias.data()});
  EXPECT_TRUE(close(dbias, want.dbias, 2e-5));
}

TEST(Convolution, WithoutBias) {
  Problem p = problem(kShapes[2]);
  p.bias.assign(p.bias.size(), 0);
  const std::vector<float> x(p.x.begin(), p.x.end()), weight(p.weight.begin(), p.weight.end());
  std::vector<float> y(p.dy.size());
  convolution(p.shape, x.data(), weight.data(), nullptr, y.data());
  EXPECT_TRUE(close(y, reference(p).y, 2e-5));
}

TEST(Convolution, NothingToSumOver) {
  ConvolutionShape s{2, 0, 3, 1, {4, 3, 1, 1, 1}, {4, 3, 1, 1, 1}};
  const std::vector<float> bias = {1, 2, 3};
  std::vector<float> y(s.batch * s.output_image(), NAN), dy(y.size(), 1), dbias(3);
  convolution(s, nullptr, nullptr, bias.data(), y.data());
  for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i], bias[i / 16 % 3]);
  convolution_backward(s, ConvolutionGradient<float>{.dy = dy.data(), .dbias = dbias.data()});
  EXPECT_EQ(dbias, std::vector<float>(3, 32.0f));
  s.batch = 0;
  s.channels = 3;
  std::vector<float> weight(s.weights()), dweight(s.weights(), NAN);
  convolution(s, nullptr, weight.data(), bias.data(), nullptr);
  convolution_backward(s, ConvolutionGradient<float>{.dweight = dweight.data()});
  EXPECT_EQ(dweight, std::vector<float>(dweight.size(), 0.0f));
}

// More shapes than plans are kept, twice over: evicted plans are made again.
TEST(Convolution, ManyShapes) {
  for (int round = 0; round < 2; ++round)
    for (int64_t width = 1; width <= 80; ++width) {
      const Problem p = problem({1, 1, 1, 1, {}, {width, 1, 1, 0, 1}});
      EXPECT_TRUE(close(compute<float>(p).y, reference(p).y, 1e-6)) << width;
    }
}

}  // namespace
}  // namespace heed::kernels
