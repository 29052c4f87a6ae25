// Small problems that are only learnt when every gradient on the way is right.
#include <gtest/gtest.h>
#include <heed/base.h>
#include <heed/train.h>

#include <cmath>

#include "support/close.h"

namespace heed {
namespace {

// y = x W + noise: gradient descent meets the solution of the normal equations, here by Gaussian elimination.
TEST(Learning, LinearRegressionMeetsItsClosedForm) {
  seed(11);
  const int64_t n = 200, width = 3;
  const Tensor x = randn({n, width}, random(), Dtype::f64);
  const Tensor y = matmul(x, tensor({1.5, -2, 0.5}, Dtype::f64)) + randn({n}, random(), Dtype::f64) * 0.3;
  double a[3][4] = {};
  for (int64_t i = 0; i < width; ++i) {
    for (int64_t j = 0; j < width; ++j) a[i][j] = sum(select(x, 1, i) * select(x, 1, j)).item();
    a[i][3] = sum(select(x, 1, i) * y).item();
  }
  for (int i = 0; i < 3; ++i)
    for (int r = 0; r < 3; ++r) {
      if (r == i) continue;
      const double factor = a[r][i] / a[i][i];
      for (int c = 0; c < 4; ++c) a[r][c] -= factor * a[i][c];
    }
  Tensor w = Tensor::zeros({width}, Dtype::f64).requires_grad(true);
  Sgd optimizer({w}, {.learning_rate = 0.1, .momentum = 0.5});
  for (int step = 0; step < 300; ++step) {
    backward(mse_loss(matmul(x, w), y));
    optimizer.step();
  }
  EXPECT_TRUE(
      testing::close(w.values(), std::vector<double>{a[0][3] / a[0][0], a[1][3] / a[1][1], a[2][3] / a[2][2]}, 1e-9));
}

struct Spirals {
  Tensor points, labels;
};
Spirals two_spirals(int64_t n) {
  std::vector<float> points;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < n; ++i) {
    const double angle = 3.0 * std::sqrt(static_cast<double>(i / 2 + 1) / static_cast<double>(n / 2)) * M_PI;
    const double sign = i % 2 ? 1 : -1;
    points.push_back(static_cast<float>(sign * angle / 9 * std::cos(angle)));
    points.push_back(static_cast<float>(sign * angle / 9 * std::sin(angle)));
    labels.push_back(i % 2);
  }
  return {tensor_from(points, {n, 2}), tensor_from(labels, {n})};
}

struct Classifier {
  Linear first{2, 32, Activation::tanh}, second{32, 32, Activation::tanh}, out{32, 2};
  Tensor operator()(const Tensor& x) const { return out(second(first(x))); }
  void visit(auto&& field) { field("first", first), field("second", second), field("out", out); }
};

TEST(Learning, TwoSpiralsAreToldApart) {
  seed(5);
  const Spirals data = two_spirals(200);
  Classifier model;
  AdamW optimizer(weights(model), {.learning_rate = 0.01, .weight_decay = 1e-4});
  for (int step = 0; step < 2500; ++step) {
    backward(cross_entropy(model(data.points), data.labels));
    optimizer.step();
  }
  const double right = mean(to(equal(argmax(model(data.points), 1), data.labels), Dtype::f32)).item();
  EXPECT_GT(right, 0.98);
}

// The sign of the first number must be carried over fifty steps of noise.
struct Rememberer {
  Recurrent memory;
  Linear out{16, 2};
  // Both cells begin with the gate open that keeps the state: f of the LSTM (as Recurrent does it), z of the GRU.
  explicit Rememberer(Cell cell) : memory(cell, 1, 16) {
    if (cell == Cell::gru) memory.directions[0].input_bias.detach().slice(0, 16, 32).fill(2);
  }
  Tensor operator()(const Tensor& x) const { return out(select(memory(x).h, 0, 0)); }
  void visit(auto&& field) { field("memory", memory), field("out", out); }
};

double accuracy_of_remembering(Cell cell) {
  seed(7);
  Rememberer model(cell);
  Adam optimizer(weights(model), {.learning_rate = 0.01});
  double right = 0;
  const int steps = 400;
  for (int step = 0; step < steps; ++step) {
    const Tensor x = randn({50, 32, 1}) * 0.2;
    Tensor first = x.select(0, 0);
    std::vector<int64_t> signs;
    for (int64_t b = 0; b < 32; ++b) {
      signs.push_back(b % 2);
      first.at<float>({b, 0}) = b % 2 ? 1.0f : -1.0f;
    }
    const Tensor labels = tensor_from(signs, {32}), logits = model(x);
    backward(cross_entropy(logits, labels));
    clip_gradients(weights(model), 1);
    optimizer.step();
    if (step >= steps - 20) right += mean(to(equal(argmax(logits, 1), labels), Dtype::f32)).item() / 20;
  }
  return right;
}

TEST(Learning, AnLstmRemembersOverFiftySteps) { EXPECT_GT(accuracy_of_remembering(Cell::lstm), 0.98); }
TEST(Learning, AGruRemembersOverFiftySteps) { EXPECT_GT(accuracy_of_remembering(Cell::gru), 0.98); }

// The same weights, to the bit, after ten steps on one thread and on two.
std::vector<double> trained(int threads_wanted) {
  const int before = threads();
  set_threads(threads_wanted);
  seed(9);
  Classifier model;
  Adam optimizer(weights(model));
  for (int step = 0; step < 10; ++step) {
    backward(cross_entropy(model(randn({257, 2})), Tensor::zeros({257}, Dtype::i64)));
    optimizer.step();
  }
  set_threads(before);
  std::vector<double> all;
  for (const Tensor& weight : weights(model))
    for (double value : weight.values()) all.push_back(value);
  return all;
}

TEST(Learning, TheBitsDoNotDependOnThreads) { EXPECT_TRUE(testing::close(trained(2), trained(1), 0)); }

}  // namespace
}  // namespace heed
