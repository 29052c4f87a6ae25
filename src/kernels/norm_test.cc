#include "kernels/norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "base/runtime.h"
#include "kernels/streaming.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

using heed::testing::close;

struct Problem {
  RowNormKind kind;
  int64_t rows, width;
  bool affine, residual;
  std::vector<double> x, r, w, b, dy, ds;

  Problem(RowNormKind kind, int64_t rows, int64_t width, bool affine, bool residual)
      : kind(kind), rows(rows), width(width), affine(affine), residual(residual) {
    std::mt19937 random(21);
    std::normal_distribution<float> normal;
    const auto fill = [&](std::vector<double>& values, int64_t n, double shift) {
      for (int64_t i = 0; i < n; ++i) values.push_back(shift + static_cast<double>(normal(random)));
    };
    fill(x, rows * width, 3);
    fill(r, rows * width, 0);
    fill(w, width, 1);
    fill(b, width, 0);
    fill(dy, rows * width, 0);
    fill(ds, rows * width, 0);
  }

  // The formula of the header, one row at a time.
  std::vector<double> forward() const {
    std::vector<double> y;
    for (int64_t row = 0; row < rows; ++row) {
      double mean = 0, variance = 0;
      const auto s = [&](int64_t i) { return x[row * width + i] + (residual ? r[row * width + i] : 0); };
      for (int64_t i = 0; i < width && kind == RowNormKind::layer; ++i) mean += s(i) / static_cast<double>(width);
      for (int64_t i = 0; i < width; ++i) variance += std::pow(s(i) - mean, 2) / static_cast<double>(width);
      for (int64_t i = 0; i < width; ++i)
        y.push_back((s(i) - mean) / std::sqrt(variance + 1e-5) * (affine ? w[i] : 1) + (affine ? b[i] : 0));
    }
    return y;
  }
  double loss() const {
    const std::vector<double> y = forward();
    double sum = 0;
    for (size_t i = 0; i < y.size(); ++i) sum += y[i] * dy[i] + (residual ? (x[i] + r[i]) * ds[i] : 0);
    return sum;
  }
  // dloss/d(one of its inputs)
  std::vector<double> differences(std::vector<double> Problem::*input) const {
    Problem moved = *this;
    std::vector<double> result;
    for (double& value : moved.*input) {
      const double kept = value, h = 1e-5;
      value = kept + h;
      const double above = moved.loss();
      value = kept - h;
      result.push_back((above - moved.loss()) / (2 * h));
      value = kept;
    }
    return result;
  }
};

template <class T>
struct Result {
  std::vector<T> out, sum, mean, rstd, dx, dw, db;

  explicit Result(const Problem& p) {
    const auto narrow = [](const std::vector<double>& v) { return std::vector<T>(v.begin(), v.end()); };
    const std::vector<T> x = narrow(p.x), r = narrow(p.r), w = narrow(p.w), b = narrow(p.b), dy = narrow(p.dy),
                         ds = narrow(p.ds);
    for (auto* v : {&out, &sum, &dx}) v->resize(x.size());
    for (auto* v : {&mean, &rstd}) v->resize(static_cast<size_t>(p.rows));
    for (auto* v : {&dw, &db}) v->assign(w.size(), T{9});
    row_norm(p.kind, RowNorm<T>{x.data(), p.residual ? r.data() : nullptr, p.affine ? w.data() : nullptr,
                                p.affine ? b.data() : nullptr, out.data(), sum.data(), mean.data(), rstd.data(), p.rows,
                                p.width, 1e-5});
    if (!p.residual) sum = x;
    row_norm_backward(p.kind,
                      RowNormBackward<T>{sum.data(), p.affine ? w.data() : nullptr, mean.data(), rstd.data(), dy.data(),
                                         p.residual ? ds.data() : nullptr, dx.data(), p.affine ? dw.data() : nullptr,
                                         p.affine ? db.data() : nullptr, p.rows, p.width});
  }
};

template <class Check>
void for_problems(int64_t rows, std::initializer_list<int64_t> widths, const Check& check) {
  for (const RowNormKind kind : {RowNormKind::layer, RowNormKind::rms})
    for (const int64_t width : widths)
      for (const bool affine : {false, true})
        for (const bool residual : {false, true}) check(Problem(kind, rows, width, affine, residual));
}

TEST(RowNorm, Forward) {
  for_problems(5, {1, 2, 7, 16, 17, 33, 100, 1000}, [](const Problem& p) {
    const Result<double> r64(p);
    const Result<float> r32(p);
    EXPECT_TRUE(close(r64.out, p.forward(), 1e-11));
    EXPECT_TRUE(close(r32.out, p.forward(), p.width == 1 ? 1e-3 : 5e-6)) << p.width;
    EXPECT_TRUE(close(r32.rstd, r64.rstd, 1e-5));
    EXPECT_TRUE(close(r32.sum, r64.sum, 1e-6));
    if (p.kind == RowNormKind::layer) {
      EXPECT_TRUE(close(r32.mean, r64.mean, 1e-6));
    }
  });
}

TEST(RowNorm, BackwardByFiniteDifferences) {
  for_problems(3, {2, 5, 18}, [](const Problem& p) {
    const Result<double> got(p);
    EXPECT_TRUE(close(got.dx, p.differences(&Problem::x), 1e-6));
    if (!p.affine) return;
    EXPECT_TRUE(close(got.dw, p.differences(&Problem::w), 1e-6));
    EXPECT_TRUE(close(got.db, p.differences(&Problem::b), 1e-6));
  });
}

TEST(RowNorm, FloatBackwardMeetsDouble) {
  for_problems(100, {3, 16, 45, 257}, [](const Problem& p) {
    const Result<double> want(p);
    const Result<float> got(p);
    // Three values may be so close to each other that rstd magnifies their rounding.
    EXPECT_TRUE(close(got.dx, want.dx, p.width == 3 ? 1e-3 : 2e-5)) << p.width;
    if (!p.affine) return;
    EXPECT_TRUE(close(got.dw, want.dw, 1e-5));
    EXPECT_TRUE(close(got.db, want.db, 1e-5));
  });
}

TEST(RowNorm, StreamedSameBitsForAnyThreads) {
  for_problems(kStreamingBytes / 4 / 1001 + 1, {1001}, [](const Problem& p) {
    set_threads(1);
    const Result<float> one(p);
    set_threads(2);
    const Result<float> two(p);
    EXPECT_EQ(one.out, two.out);
    EXPECT_EQ(one.sum, two.sum);
    EXPECT_EQ(one.dx, two.dx);
    EXPECT_EQ(one.dw, two.dw);
    EXPECT_EQ(one.db, two.db);
    if (p.residual) {
      EXPECT_TRUE(close(two.out, p.forward(), 1e-5));
    }
  });
}

TEST(RowNorm, InPlace) {
  const Problem p(RowNormKind::layer, 40, 50, true, true);
  const Result<float> want(p);
  std::vector<float> x(p.x.begin(), p.x.end()), r(p.r.begin(), p.r.end()), w(p.w.begin(), p.w.end()),
      b(p.b.begin(), p.b.end()), out(x.size()), mean(40), rstd(40);
  layer_norm(RowNorm<float>{x.data(), r.data(), w.data(), b.data(), out.data(), r.data(), mean.data(), rstd.data(), 40,
                            50, 1e-5});
  EXPECT_EQ(out, want.out);
  EXPECT_EQ(r, want.sum);
  std::vector<float> gradient(p.dy.begin(), p.dy.end()), ds(p.ds.begin(), p.ds.end());
  layer_norm_backward(RowNormBackward<float>{r.data(), w.data(), mean.data(), rstd.data(), gradient.data(), ds.data(),
                                             gradient.data(), nullptr, nullptr, 40, 50});
  EXPECT_EQ(gradient, want.dx);
}

TEST(RowNorm, NoRows) {
  float dw[2] = {9, 9}, db[2] = {9, 9};
  row_norm(RowNormKind::layer, RowNorm<float>{.rows = 0, .width = 2});
  row_norm(RowNormKind::layer, RowNorm<float>{.rows = 2, .width = 0});
  layer_norm_backward(RowNormBackward<float>{.weight_gradient = dw, .bias_gradient = db, .rows = 0, .width = 2});
  for (const float value : {dw[0], dw[1], db[0], db[1]}) EXPECT_EQ(value, 0);
}

}  // namespace
}  // namespace heed::kernels
