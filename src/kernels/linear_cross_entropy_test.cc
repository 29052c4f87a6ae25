#include "kernels/linear_cross_entropy.h"

#include <gtest/gtest.h>
#include <heed/base.h>

#include <cmath>
#include <vector>

#include "base/philox.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

using testing::close;

struct Options {
  int64_t rows, width, classes;
  bool bias = true, class_weights = false, row_weights = false;
  double smoothing = 0;
  double scale = 1;  // of the logits
  bool some_ignored = false;
};

template <class T>
struct Case {
  Options options;
  std::vector<T> x, weight, bias, class_weights, row_weights;
  std::vector<int64_t> targets;

  LinearCrossEntropy<T> problem() const {
    const Options& o = options;
    return {o.rows,
            o.width,
            o.classes,
            x.data(),
            weight.data(),
            o.bias ? bias.data() : nullptr,
            targets.data(),
            o.class_weights ? class_weights.data() : nullptr,
            o.row_weights ? row_weights.data() : nullptr,
            -100,
            o.smoothing};
  }
};

// In [low, high), the same for both types.
template <class T>
std::vector<T> numbers(int64_t count, uint64_t stream, double low, double high) {
  std::vector<T> values(count);
  for (int64_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(low + (high - low) * (philox(11, stream, i)[0] / 4294967296.0));
  return values;
}

template <class T>
Case<T> make(const Options& o) {
  const double spread = o.scale * std::sqrt(3.0 / o.width);
  Case<T> c{o,
            numbers<T>(o.rows * o.width, 1, -1.5, 1.5),
            numbers<T>(o.classes * o.width, 2, -spread, spread),
            numbers<T>(o.classes, 3, -1, 1),
            numbers<T>(o.classes, 4, 0.2, 2),
            numbers<T>(o.rows, 5, 0, 2),
            {}};
  for (int64_t i = 0; i < o.rows; ++i) {
    const uint32_t random = philox(11, 6, i)[0];
    c.targets.push_back(o.some_ignored && random % 3 == 0 ? -100 : random / 3 % o.classes);
  }
  return c;
}

template <class T>
struct Results {
  double loss = 0;
  std::vector<T> dx, dweight, dbias;
};

// PyTorch's definition, a formula at a time, with the gradient from dz.
Results<double> reference(const Case<double>& c) {
  const LinearCrossEntropy<double> q = c.problem();
  Results<double> r{0, std::vector<double>(c.x.size()), std::vector<double>(c.weight.size()),
                    std::vector<double>(c.bias.size())};
  for (int64_t i = 0; i < q.rows; ++i) {
    if (q.targets[i] == q.ignored) continue;
    std::vector<double> z(q.classes), p(q.classes);
    double largest = -INFINITY, sum = 0;
    for (int64_t v = 0; v < q.classes; ++v) {
      z[v] = q.bias ? q.bias[v] : 0;
      for (int64_t d = 0; d < q.width; ++d) z[v] += q.weight[v * q.width + d] * q.x[i * q.width + d];
      largest = std::max(largest, z[v]);
    }
    for (const double value : z) sum += std::exp(value - largest);
    const double row = q.row_weights ? q.row_weights[i] : 1;
    for (int64_t v = 0; v < q.classes; ++v) p[v] = std::exp(z[v] - largest) / sum;
    std::vector<double> dz(q.classes, 0.0);
    // weight_v is the share of the row's loss that -log p[v] has: its gradient is weight_v (p - one-hot(v)).
    double total = 0;
    for (int64_t v = 0; v < q.classes; ++v) {
      const double c_v = q.class_weights ? q.class_weights[v] : 1;
      const double weight_v = row * c_v * ((v == q.targets[i] ? 1 - q.smoothing : 0) + q.smoothing / q.classes);
      r.loss += weight_v * (largest + std::log(sum) - z[v]);
      dz[v] -= weight_v;
      total += weight_v;
    }
    for (int64_t v = 0; v < q.classes; ++v) {
      dz[v] += total * p[v];
      r.dbias[v] += dz[v];
      for (int64_t d = 0; d < q.width; ++d) {
        r.dx[i * q.width + d] += dz[v] * q.weight[v * q.width + d];
        r.dweight[v * q.width + d] += dz[v] * q.x[i * q.width + d];
      }
    }
  }
  return r;
}

template <class T>
Results<T> compute(const Case<T>& c) {
  Results<T> r{0, std::vector<T>(c.x.size(), T(NAN)), std::vector<T>(c.weight.size(), T(NAN)),
               std::vector<T>(c.bias.size(), T(NAN))};
  r.loss = linear_cross_entropy(c.problem(), {r.dx.data(), r.dweight.data(), r.dbias.data()});
  return r;
}

void expect_reference(const Options& options, double tolerance) {
  const Results<double> want = reference(make<double>(options));
  const Case<float> c = make<float>(options);
  const Results<float> got = compute(c);
  EXPECT_NEAR(got.loss, want.loss, tolerance * (1 + std::abs(want.loss)));
  EXPECT_TRUE(close(got.dx, want.dx, tolerance));
  EXPECT_TRUE(close(got.dweight, want.dweight, tolerance));
  EXPECT_TRUE(close(got.dbias, want.dbias, tolerance));
  EXPECT_NEAR(linear_cross_entropy(c.problem()), got.loss, 1e-6 * (1 + std::abs(got.loss)));
}

const Options kCases[] = {
    {.rows = 1, .width = 1, .classes = 1},
    {.rows = 5, .width = 3, .classes = 2, .bias = false},
    {.rows = 64, .width = 16, .classes = 48},
    {.rows = 65, .width = 17, .classes = 49, .class_weights = true, .row_weights = true},
    {.rows = 130, .width = 70, .classes = 301, .class_weights = true, .row_weights = true, .smoothing = 0.1},
    {.rows = 300, .width = 33, .classes = 100, .smoothing = 0.2, .some_ignored = true},
    {.rows = 150, .width = 64, .classes = 2100, .class_weights = true, .smoothing = 0.1, .some_ignored = true},
    {.rows = 20, .width = 8, .classes = 41000},
};

class LinearCrossEntropies : public ::testing::TestWithParam<Options> {};
TEST_P(LinearCrossEntropies, FloatsAreTheReference) { expect_reference(GetParam(), 2e-5); }
TEST_P(LinearCrossEntropies, DoublesAreTheReference) {
  const Case<double> c = make<double>(GetParam());
  const Results<double> want = reference(c), got = compute(c);
  EXPECT_NEAR(got.loss, want.loss, 1e-10 * (1 + std::abs(want.loss)));
  EXPECT_TRUE(close(got.dx, want.dx, 1e-11));
  EXPECT_TRUE(close(got.dweight, want.dweight, 1e-11));
  EXPECT_TRUE(close(got.dbias, want.dbias, 1e-11));
}
TEST_P(LinearCrossEntropies, SameBitsWithOneAndTwoThreads) {
  const Case<float> c = make<float>(GetParam());
  const int before = threads();
  set_threads(1);
  const Results<float> one = compute(c);
  set_threads(2);
  const Results<float> two = compute(c);
  set_threads(before);
  EXPECT_EQ(one.loss, two.loss);
  EXPECT_EQ(one.dx, two.dx);
  EXPECT_EQ(one.dweight, two.dweight);
  EXPECT_EQ(one.dbias, two.dbias);
}
INSTANTIATE_TEST_SUITE_P(Cases, LinearCrossEntropies, ::testing::ValuesIn(kCases));

// Logits in the hundreds: far above the reference that is taken from the first classes. (In f32 they are off by 1e-5
// already, and the weights that dx sums are a hundred times larger.)
TEST(LinearCrossEntropy, LogitsFarApart) {
  expect_reference({.rows = 70, .width = 64, .classes = 1500, .smoothing = 0.1, .scale = 100}, 1e-3);
  Case<float> c = make<float>({.rows = 3, .width = 4, .classes = 200});
  std::fill(c.weight.begin(), c.weight.end(), 0.0f);
  c.bias[150] = 5000;
  c.targets = {150, 150, 3};
  const Results<float> got = compute(c);
  EXPECT_NEAR(got.loss, 5000 - c.bias[3], 1e-3);
  EXPECT_NEAR(got.dbias[150], 1, 1e-6);
  EXPECT_NEAR(got.dbias[3], -1, 1e-6);
}

// Classes that a bias of -infinity rules out, the first ones too.
TEST(LinearCrossEntropy, ClassesThatAreRuledOut) {
  Case<float> c = make<float>({.rows = 3, .width = 4, .classes = 100});
  Case<double> d = make<double>({.rows = 3, .width = 4, .classes = 100});
  for (int64_t v = 0; v < 60; ++v) c.bias[v] = d.bias[v] = -INFINITY;
  c.targets = d.targets = {70, 80, 99};
  const Results<float> got = compute(c);
  const Results<double> want = compute(d);
  EXPECT_NEAR(got.loss, want.loss, 1e-5);
  EXPECT_TRUE(close(got.dx, want.dx, 1e-5));
  EXPECT_TRUE(close(got.dweight, want.dweight, 1e-5));
}

TEST(LinearCrossEntropy, FiniteDifferences) {
  Case<double> c =
      make<double>({.rows = 5, .width = 3, .classes = 7, .class_weights = true, .row_weights = true, .smoothing = 0.1});
  const Results<double> gradient = compute(c);
  const auto expect_slope = [&](std::vector<double>& values, const std::vector<double>& slopes) {
    for (size_t i = 0; i < values.size(); ++i) {
      const double value = values[i], step = 1e-5;
      values[i] = value + step;
      const double above = linear_cross_entropy(c.problem());
      values[i] = value - step;
      const double below = linear_cross_entropy(c.problem());
      values[i] = value;
      EXPECT_NEAR((above - below) / (2 * step), slopes[i], 1e-8);
    }
  };
  expect_slope(c.x, gradient.dx);
  expect_slope(c.weight, gradient.dweight);
  expect_slope(c.bias, gradient.dbias);
}

TEST(LinearCrossEntropy, EachGradientAlone) {
  const Case<float> c = make<float>({.rows = 70, .width = 20, .classes = 600, .smoothing = 0.1});
  const Results<float> want = compute(c);
  std::vector<float> dx(want.dx.size()), dweight(want.dweight.size()), dbias(want.dbias.size());
  linear_cross_entropy(c.problem(), {.dx = dx.data()});
  linear_cross_entropy(c.problem(), {.dweight = dweight.data()});
  linear_cross_entropy(c.problem(), {.dbias = dbias.data()});
  EXPECT_EQ(dx, want.dx);
  EXPECT_EQ(dweight, want.dweight);
  EXPECT_EQ(dbias, want.dbias);
}

TEST(LinearCrossEntropy, NothingCounts) {
  Case<float> c = make<float>({.rows = 3, .width = 2, .classes = 5});
  c.targets = {-100, -100, -100};
  const Results<float> got = compute(c);
  EXPECT_EQ(got.loss, 0);
  EXPECT_EQ(got.dx, std::vector<float>(6, 0.0f));
  EXPECT_EQ(got.dweight, std::vector<float>(10, 0.0f));
  EXPECT_EQ(got.dbias, std::vector<float>(5, 0.0f));
  const Results<float> empty = compute(make<float>({.rows = 0, .width = 2, .classes = 5}));
  EXPECT_EQ(empty.loss, 0);
  EXPECT_EQ(empty.dweight, std::vector<float>(10, 0.0f));
}

TEST(LinearCrossEntropy, HoldsFewLogits) {
  EXPECT_LE(linear_cross_entropy_memory(1024, 256, 8000), 5'000'000);
  EXPECT_LE(linear_cross_entropy_memory(1024, 256, 32000), 20'000'000);
}

}  // namespace
}  // namespace heed::kernels
