#include "kernels/recurrent.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/philox.h"
#include "base/threads.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

using testing::close;

constexpr Cell kCells[] = {Cell::lstm, Cell::gru_reset_after, Cell::gru_reset_before, Cell::tanh, Cell::relu};

std::vector<double> uniform(int64_t n, uint64_t stream, double scale) {
  std::vector<double> values(n);
  for (int64_t i = 0; i < n; ++i) values[i] = scale * (philox(7, stream, i)[0] * 0x1p-31 - 1);
  return values;
}

struct Options {
  bool reverse = false, lengths = false, states = true, biases = true;
};

// One layer with everything it reads and, of its loss Σ dy y + Σ dh h + Σ dc c, everything it writes.
template <class Real>
struct Layer {
  using Values = std::vector<Real>;
  RecurrentShape shape;
  Options options;
  std::vector<int64_t> lengths;
  Values x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh, dy, dh, dc;
  Values y, h, c, dx, dh0, dc0, dweight_ih, dweight_hh, dbias_ih, dbias_hh, workspace;

  static Values draw(int64_t n, uint64_t stream, double scale) {
    const std::vector<double> values = uniform(n, stream, scale);
    return Values(values.begin(), values.end());
  }

  Layer(const RecurrentShape& s, const Options& o) : shape(s), options(o) {
    const int64_t states = s.B * s.H, rows = gate_count(s.cell) * s.H;
    const double scale = 1.5 / std::sqrt(s.H);
    shape.reverse = o.reverse;
    if (o.lengths)
      for (int64_t b = 0; b < s.B; ++b) lengths.push_back((b * 5 + s.T - 1) % (s.T + 1));
    x = draw(s.T * s.B * s.D, 1, 1), h0 = draw(states, 2, 1), c0 = draw(states, 3, 1);
    weight_ih = draw(rows * s.D, 4, scale), weight_hh = draw(rows * s.H, 5, scale);
    bias_ih = draw(rows, 6, 1), bias_hh = draw(rows, 7, 1);
    dy = draw(s.T * states, 8, 1), dh = draw(states, 9, 1), dc = draw(states, 10, 1);
    // What is written is not added to: start from rubbish.
    const Real rubbish = 77;
    y.assign(s.T * states, rubbish), h.assign(states, rubbish), c.assign(states, rubbish);
    dx.assign(x.size(), rubbish), dh0.assign(states, rubbish), dc0.assign(states, rubbish);
    dweight_ih.assign(weight_ih.size(), rubbish), dweight_hh.assign(weight_hh.size(), rubbish);
    dbias_ih.assign(rows, rubbish), dbias_hh.assign(rows, rubbish);
    workspace.assign(recurrent_workspace<Real>(shape), std::nan(""));
  }

  RecurrentInputs<Real> inputs() const {
    RecurrentInputs<Real> in{x.data()};
    in.weight_ih = weight_ih.data(), in.weight_hh = weight_hh.data();
    if (options.lengths) in.lengths = lengths.data();
    if (options.states) in.h0 = h0.data(), in.c0 = c0.data();
    if (options.biases) in.bias_ih = bias_ih.data(), in.bias_hh = bias_hh.data();
    return in;
  }
  void forward() { recurrent_forward<Real>(shape, inputs(), {y.data(), h.data(), c.data()}, workspace.data()); }
  void backward() {
    RecurrentGradients<Real> gradients{dy.data(), dh.data(), dc.data(), dx.data(), dh0.data(), dc0.data()};
    gradients.dweight_ih = dweight_ih.data(), gradients.dweight_hh = dweight_hh.data();
    gradients.dbias_ih = dbias_ih.data(), gradients.dbias_hh = dbias_hh.data();
    recurrent_backward<Real>(shape, inputs(), gradients, workspace.data());
  }
  bool lstm() const { return shape.cell == Cell::lstm; }
  double loss() {
    forward();
    double sum = 0;
    for (size_t i = 0; i < y.size(); ++i) sum += dy[i] * y[i];
    for (size_t i = 0; i < h.size(); ++i) sum += dh[i] * h[i] + (lstm() ? dc[i] * c[i] : 0);
    return sum;
  }
};

// ---- The forward formula, written once more: one sentence, one step, std::vector by std::vector. ----

using Vector = std::vector<double>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

Vector product(const Vector& weight, const Vector& bias, const Vector& x) {
  Vector out(bias);
  for (size_t i = 0; i < out.size(); ++i)
    for (size_t j = 0; j < x.size(); ++j) out[i] += weight[i * x.size() + j] * x[j];
  return out;
}

void step(Cell cell, const Vector& a, const Layer<double>& layer, const Vector& bias_hh, Vector& h, Vector& c) {
  const size_t H = h.size();
  const Vector before = h, u = product(layer.weight_hh, bias_hh, before);
  Vector reset(H);
  if (gate_count(cell) == 3)
    for (size_t k = 0; k < H; ++k) reset[k] = sigmoid(a[k] + u[k]) * before[k];
  const Vector after_reset = product(layer.weight_hh, bias_hh, reset);
  for (size_t k = 0; k < H; ++k) {
    if (cell == Cell::lstm) {
      c[k] = sigmoid(a[H + k] + u[H + k]) * c[k] + sigmoid(a[k] + u[k]) * std::tanh(a[2 * H + k] + u[2 * H + k]);
      h[k] = sigmoid(a[3 * H + k] + u[3 * H + k]) * std::tanh(c[k]);
    } else if (gate_count(cell) == 3) {
      const double r = sigmoid(a[k] + u[k]), z = sigmoid(a[H + k] + u[H + k]);
      const double inner = cell == Cell::gru_reset_after ? r * u[2 * H + k] : after_reset[2 * H + k];
      h[k] = (1 - z) * std::tanh(a[2 * H + k] + inner) + z * before[k];
    } else {
      h[k] = cell == Cell::tanh ? std::tanh(a[k] + u[k]) : std::max(0.0, a[k] + u[k]);
    }
  }
}

struct Expected {
  Vector y, h, c;
};

Expected formula(const Layer<double>& layer) {
  const auto [cell, reverse, T, B, D, H] = layer.shape;
  const Vector none(gate_count(cell) * H);
  Expected out{Vector(T * B * H), Vector(B * H), Vector(B * H)};
  for (int64_t b = 0; b < B; ++b) {
    Vector h(H), c(H);
    if (layer.options.states)
      h.assign(&layer.h0[b * H], &layer.h0[b * H] + H), c.assign(&layer.c0[b * H], &layer.c0[b * H] + H);
    const int64_t length = layer.options.lengths ? layer.lengths[b] : T;
    for (int64_t s = 0; s < length; ++s) {
      const int64_t t = reverse ? length - 1 - s : s;
      const Vector x(&layer.x[(t * B + b) * D], &layer.x[(t * B + b) * D] + D);
      step(cell, product(layer.weight_ih, layer.options.biases ? layer.bias_ih : none, x), layer,
           layer.options.biases ? layer.bias_hh : none, h, c);
      std::copy(h.begin(), h.end(), &out.y[(t * B + b) * H]);
    }
    std::copy(h.begin(), h.end(), &out.h[b * H]);
    std::copy(c.begin(), c.end(), &out.c[b * H]);
  }
  return out;
}

template <class Test>
void for_each_option(const Test& test) {
  for (const Cell cell : kCells)
    for (int bits = 0; bits < 16; ++bits) {
      SCOPED_TRACE(fmt::format("cell {}, options {:04b}", static_cast<int>(cell), bits));
      test(cell, Options{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0});
    }
}

TEST(Recurrent, ForwardIsTheFormula) {
  for_each_option([](Cell cell, const Options& options) {
    Layer<double> layer({cell, false, 7, 5, 4, 3}, options);
    layer.forward();
    const Expected want = formula(layer);
    EXPECT_TRUE(close(layer.y, want.y, 1e-13));
    EXPECT_TRUE(close(layer.h, want.h, 1e-13));
    if (layer.lstm()) {
      EXPECT_TRUE(close(layer.c, want.c, 1e-13));
    }
  });
}

// d loss / d values by central differences.
Vector differences(Layer<double>& layer, Vector& values) {
  const double epsilon = 1e-6;
  Vector out;
  for (double& value : values) {
    const double kept = value;
    value = kept + epsilon;
    const double above = layer.loss();
    value = kept - epsilon;
    const double below = layer.loss();
    value = kept;
    out.push_back((above - below) / (2 * epsilon));
  }
  return out;
}

TEST(Recurrent, BackwardIsTheDerivative) {
  for_each_option([](Cell cell, const Options& options) {
    Layer<double> layer({cell, false, 5, 4, 3, 5}, options);
    layer.forward();
    layer.backward();
    const Layer<double> got = layer;
    EXPECT_TRUE(close(got.dx, differences(layer, layer.x), 1e-7));
    EXPECT_TRUE(close(got.dweight_ih, differences(layer, layer.weight_ih), 1e-7));
    EXPECT_TRUE(close(got.dweight_hh, differences(layer, layer.weight_hh), 1e-7));
    if (options.biases) {
      EXPECT_TRUE(close(got.dbias_ih, differences(layer, layer.bias_ih), 1e-7));
    }
    if (options.biases) {
      EXPECT_TRUE(close(got.dbias_hh, differences(layer, layer.bias_hh), 1e-7));
    }
    if (options.states) {
      EXPECT_TRUE(close(got.dh0, differences(layer, layer.h0), 1e-7));
    }
    if (options.states && layer.lstm()) {
      EXPECT_TRUE(close(got.dc0, differences(layer, layer.c0), 1e-7));
    }
  });
}

// Odd sizes, whole and broken tiles in every direction.
constexpr int64_t kSizes[][4] = {{1, 1, 1, 1},     {3, 5, 7, 9},     {2, 6, 16, 16}, {4, 7, 70, 17}, {5, 33, 5, 64},
                                 {3, 13, 129, 80}, {2, 70, 33, 100}, {40, 2, 3, 31}, {6, 50, 40, 48}};

void compare_with_double(const RecurrentShape& shape, const Options& options) {
  Layer<float> got(shape, options);
  Layer<double> want(shape, options);
  got.forward(), want.forward();
  EXPECT_TRUE(close(got.y, want.y, 3e-6));
  EXPECT_TRUE(close(got.h, want.h, 3e-6));
  if (got.lstm()) {
    EXPECT_TRUE(close(got.c, want.c, 3e-6));
  }
  got.backward(), want.backward();
  EXPECT_TRUE(close(got.dx, want.dx, 2e-5));
  EXPECT_TRUE(close(got.dh0, want.dh0, 2e-5));
  if (got.lstm()) {
    EXPECT_TRUE(close(got.dc0, want.dc0, 2e-5));
  }
  EXPECT_TRUE(close(got.dweight_ih, want.dweight_ih, 1e-4));
  EXPECT_TRUE(close(got.dweight_hh, want.dweight_hh, 1e-4));
  EXPECT_TRUE(close(got.dbias_ih, want.dbias_ih, 1e-4));
  EXPECT_TRUE(close(got.dbias_hh, want.dbias_hh, 1e-4));
}

TEST(Recurrent, FloatAgreesWithDouble) {
  for_each_option([](Cell cell, const Options& options) {
    for (const auto& [T, B, D, H] : kSizes) {
      SCOPED_TRACE(fmt::format("T {} B {} D {} H {}", T, B, D, H));
      compare_with_double({cell, false, T, B, D, H}, options);
    }
  });
}

// Everything that a layer wrote.
std::vector<float> written(const Layer<float>& layer) {
  std::vector<float> all;
  for (const auto* part : {&layer.y, &layer.h, &layer.dx, &layer.dh0, &layer.dweight_ih, &layer.dweight_hh,
                           &layer.dbias_ih, &layer.dbias_hh, &layer.c, &layer.dc0})
    all.insert(all.end(), part->begin(), part->end());
  return all;
}

TEST(Recurrent, ThreadsDoNotChangeTheBits) {
  const int before = threads();
  for (const Cell cell : kCells)
    for (const int64_t B : {3, 20, 70}) {
      std::vector<float> results[2];
      for (const int count : {1, 2}) {
        set_threads(count);
        Layer<float> layer({cell, false, 6, B, 90, 75}, {.lengths = true});
        layer.forward(), layer.backward();
        results[count - 1] = written(layer);
      }
      EXPECT_EQ(results[0], results[1]) << "cell " << static_cast<int>(cell) << " B " << B;
    }
  set_threads(before);
}

// Changing what stands beyond a sentence's end changes nothing.
TEST(Recurrent, NothingBeyondTheEndMatters) {
  for (const Cell cell : kCells)
    for (const bool reverse : {false, true}) {
      Layer<float> one({cell, false, 6, 5, 7, 20}, {.reverse = reverse, .lengths = true}), other = one;
      for (int64_t t = 0; t < 6; ++t)
        for (int64_t b = 0; b < 5; ++b)
          if (t >= one.lengths[b]) {
            std::fill_n(&other.x[(t * 5 + b) * 7], 7, 1e6f);
            std::fill_n(&other.dy[(t * 5 + b) * 20], 20, 1e6f);
          }
      ASSERT_NE(one.x, other.x);
      one.forward(), one.backward(), other.forward(), other.backward();
      EXPECT_EQ(written(one), written(other));
    }
}

TEST(Recurrent, NoStepsLeaveTheStateAsItIs) {
  for (const Cell cell : kCells) {
    Layer<float> layer({cell, false, 0, 3, 4, 5}, {});
    layer.forward(), layer.backward();
    EXPECT_TRUE(close(layer.h, layer.h0, 0));
    EXPECT_TRUE(close(layer.dh0, layer.dh, 0));
    EXPECT_TRUE(close(layer.dweight_ih, std::vector<float>(layer.dweight_ih.size()), 0));
    EXPECT_TRUE(close(layer.dbias_hh, std::vector<float>(layer.dbias_hh.size()), 0));
  }
  Layer<float> nobody({Cell::lstm, false, 3, 0, 4, 5}, {});
  nobody.forward(), nobody.backward();
  EXPECT_TRUE(close(nobody.dweight_hh, std::vector<float>(nobody.dweight_hh.size()), 0));
}

// Gradients that nobody wants are not written, and missing ones count as 0.
TEST(Recurrent, NullMeansZeroOrNotWanted) {
  for (const Cell cell : kCells) {
    Layer<float> layer({cell, false, 3, 4, 5, 6}, {}), zero = layer;
    layer.forward(), zero.forward();
    std::fill(zero.dy.begin(), zero.dy.end(), 0.0f), std::fill(zero.dc.begin(), zero.dc.end(), 0.0f);
    zero.backward();
    RecurrentGradients<float> gradients;
    gradients.dh = layer.dh.data(), gradients.dx = layer.dx.data();
    recurrent_backward<float>(layer.shape, layer.inputs(), gradients, layer.workspace.data());
    EXPECT_TRUE(close(layer.dx, zero.dx, 0));
    Layer<float> silent({cell, false, 3, 4, 5, 6}, {});
    recurrent_forward<float>(silent.shape, silent.inputs(), {nullptr, silent.h.data(), nullptr},
                             silent.workspace.data());
    EXPECT_TRUE(close(silent.h, zero.h, 0));
  }
}

}  // namespace
}  // namespace heed::kernels
