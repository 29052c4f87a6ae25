#include "kernels/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "base/runtime.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

using heed::testing::close;
constexpr int kSteps = 10;

// One weight value with its states, stepped by a method written as its documentation writes it.
struct Scalar {
  double w, g = 0, a = 0, b = 0, c = 0;
};
using Method = std::function<void(Scalar&, int step)>;

// Weights of several tensors, one of them longer than a block and one empty.
template <class T>
struct Model {
  std::vector<std::vector<T>> w, g, a, b, c;
  std::vector<WeightState<T>> states;

  explicit Model(double initial_state) {
    std::mt19937 random(7);
    std::normal_distribution<double> normal;
    for (const size_t n : {1, 17, 0, 8192 + 5, 100}) {
      for (auto* part : {&w, &g, &a, &b, &c}) part->emplace_back(n);
      for (T& value : w.back()) value = static_cast<T>(normal(random));
      for (T& value : a.back()) value = static_cast<T>(initial_state);
    }
    for (size_t k = 0; k < w.size(); ++k)
      states.push_back({w[k].data(), g[k].data(), {a[k].data(), b[k].data(), c[k].data()}, std::ssize(w[k])});
  }

  void new_gradients(int step) {
    std::mt19937 random(static_cast<unsigned>(100 + step));
    std::normal_distribution<double> normal;
    for (auto& part : g)
      for (T& value : part) value = static_cast<T>(normal(random));
  }

  std::vector<T> all() const {
    std::vector<T> values;
    for (const auto& part : w) values.insert(values.end(), part.begin(), part.end());
    return values;
  }
};

template <class T>
void follows(const Method& method, const std::function<void(WeightStates<T>, int)>& step, double tolerance,
             double initial_state = 0, double scale = 1) {
  Model<T> model(initial_state);
  std::vector<Scalar> want;
  for (const T value : model.all()) want.push_back({static_cast<double>(value), 0, initial_state});
  for (int t = 1; t <= kSteps; ++t) {
    model.new_gradients(t);
    size_t i = 0;
    for (const auto& part : model.g)
      for (const T value : part) {
        want[i].g = scale * static_cast<double>(value);
        method(want[i++], t);
      }
    step(model.states, t);
  }
  std::vector<double> weights;
  for (const Scalar& s : want) weights.push_back(s.w);
  EXPECT_TRUE(close(model.all(), weights, tolerance));
}

// f64 to rounding, f32 to what ten steps add up to; the same bits for one and for two threads.
template <class StepOf>
void check_method(const Method& method, const StepOf& step, double initial_state = 0, double scale = 1) {
  follows<double>(
      method, [&](auto w, int t) { step(w, t); }, 1e-12, initial_state, scale);
  follows<float>(
      method, [&](auto w, int t) { step(w, t); }, 2e-5, initial_state, scale);
  std::vector<std::vector<float>> results;
  for (const int count : {1, 2}) {
    set_threads(count);
    Model<float> model(initial_state);
    model.new_gradients(1);
    step(WeightStates<float>(model.states), 1);
    results.push_back(model.all());
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(Sgd, PyTorch) {
  for (const bool nesterov : {false, true}) {
    const double dampening = nesterov ? 0 : 0.3;
    const SgdOptions options{
        .learning_rate = 0.1, .momentum = 0.9, .dampening = dampening, .weight_decay = 0.01, .nesterov = nesterov};
    check_method(
        [&](Scalar& s, int t) {
          double g = s.g + 0.01 * s.w;
          s.a = t == 1 ? g : 0.9 * s.a + (1 - dampening) * g;
          g = nesterov ? g + 0.9 * s.a : s.a;
          s.w -= 0.1 * g;
        },
        [&]<class T>(WeightStates<T> w, int t) { sgd_step(w, options, t); });
  }
}

TEST(Sgd, PlainWithScaledGradient) {
  const SgdOptions options{.learning_rate = 0.1, .weight_decay = 0.01};
  check_method([](Scalar& s, int) { s.w -= 0.1 * (s.g + 0.01 * s.w); },
               [&]<class T>(WeightStates<T> w, int t) { sgd_step(w, options, t, 0.25); }, 0, 0.25);
}

TEST(Sgd, Keras) {
  for (const bool nesterov : {false, true}) {
    const SgdOptions options{.learning_rate = 0.1,
                             .momentum = 0.9,
                             .weight_decay = 0.01,
                             .nesterov = nesterov,
                             .convention = Convention::keras};
    check_method(
        [&](Scalar& s, int) {
          s.w -= s.w * 0.01 * 0.1;
          s.a = s.a * 0.9 - s.g * 0.1;
          s.w += nesterov ? s.a * 0.9 - s.g * 0.1 : s.a;
        },
        [&]<class T>(WeightStates<T> w, int t) { sgd_step(w, options, t); });
  }
}

TEST(Rmsprop, PyTorch) {
  for (const bool centered : {false, true})
    for (const double momentum : {0.0, 0.9}) {
      const RmspropOptions options{.learning_rate = 0.01,
                                   .decay = 0.9,
                                   .momentum = momentum,
                                   .epsilon = 1e-2,
                                   .weight_decay = 0.01,
                                   .centered = centered};
      check_method(
          [&](Scalar& s, int) {
            const double g = s.g + 0.01 * s.w;
            s.a = 0.9 * s.a + 0.1 * g * g;
            s.b = s.b + 0.1 * (g - s.b);
            const double average = std::sqrt(centered ? s.a - s.b * s.b : s.a) + 1e-2;
            s.c = momentum * s.c + g / average;
            s.w -= 0.01 * s.c;
          },
          [&]<class T>(WeightStates<T> w, int) { rmsprop_step(w, options); });
    }
}

TEST(Rmsprop, Keras) {
  for (const bool centered : {false, true})
    for (const double momentum : {0.0, 0.9}) {
      const RmspropOptions options{.learning_rate = 0.01,
                                   .decay = 0.9,
                                   .momentum = momentum,
                                   .epsilon = 1e-2,
                                   .weight_decay = 0.01,
                                   .centered = centered,
                                   .convention = Convention::keras};
      check_method(
          [&](Scalar& s, int) {
            s.w -= s.w * 0.01 * 0.01;
            s.a = 0.9 * s.a + 0.1 * s.g * s.g;
            s.b = 0.9 * s.b + 0.1 * s.g;
            const double increment = 0.01 * s.g / std::sqrt((centered ? s.a - s.b * s.b : s.a) + 1e-2);
            s.c = momentum * s.c + increment;
            s.w -= momentum > 0 ? s.c : increment;
          },
          [&]<class T>(WeightStates<T> w, int) { rmsprop_step(w, options); });
    }
}

TEST(Adagrad, BothConventions) {
  for (const Convention convention : {Convention::pytorch, Convention::keras}) {
    const bool keras = convention == Convention::keras;
    const AdagradOptions options{.learning_rate = 0.1, .epsilon = 1e-2, .convention = convention};
    check_method(
        [&](Scalar& s, int) {
          s.a += s.g * s.g;
          s.w -= 0.1 * s.g / (keras ? std::sqrt(s.a + 1e-2) : std::sqrt(s.a) + 1e-2);
        },
        [&]<class T>(WeightStates<T> w, int) { adagrad_step(w, options); }, keras ? 0.1 : 0.0);
  }
}

TEST(Adam, PyTorch) {
  for (const bool decoupled : {false, true})
    for (const bool amsgrad : {false, true}) {
      const AdamOptions options{.learning_rate = 0.01,
                                .beta2 = 0.99,
                                .epsilon = 1e-2,
                                .weight_decay = 0.1,
                                .decoupled = decoupled,
                                .amsgrad = amsgrad};
      check_method(
          [&](Scalar& s, int t) {
            if (decoupled) s.w *= 1 - 0.01 * 0.1;
            const double g = decoupled ? s.g : s.g + 0.1 * s.w;
            s.a = 0.9 * s.a + 0.1 * g;
            s.b = 0.99 * s.b + 0.01 * g * g;
            s.c = std::max(s.c, s.b);
            const double c1 = 1 - std::pow(0.9, t), c2 = 1 - std::pow(0.99, t);
            s.w -= 0.01 / c1 * s.a / (std::sqrt(amsgrad ? s.c : s.b) / std::sqrt(c2) + 1e-2);
          },
          [&]<class T>(WeightStates<T> w, int t) { adam_step(w, options, t); });
    }
}

TEST(Adam, Keras) {
  for (const bool amsgrad : {false, true}) {
    const AdamOptions options{.learning_rate = 0.01,
                              .beta2 = 0.99,
                              .epsilon = 1e-2,
                              .weight_decay = 0.1,
                              .amsgrad = amsgrad,
                              .convention = Convention::keras};
    check_method(
        [&](Scalar& s, int t) {
          s.w -= s.w * 0.1 * 0.01;
          const double alpha = 0.01 * std::sqrt(1 - std::pow(0.99, t)) / (1 - std::pow(0.9, t));
          s.a += (s.g - s.a) * (1 - 0.9);
          s.b += (s.g * s.g - s.b) * (1 - 0.99);
          s.c = std::max(s.c, s.b);
          s.w -= s.a * alpha / (std::sqrt(amsgrad ? s.c : s.b) + 1e-2);
        },
        [&]<class T>(WeightStates<T> w, int t) { adam_step(w, options, t); });
  }
}

TEST(GradientNorm, AllWeightsTogetherTheSameBitsForAnyThreads) {
  Model<float> model(0);
  model.new_gradients(3);
  double want = 0;
  for (const auto& part : model.g)
    for (const float value : part) want += static_cast<double>(value) * value;
  set_threads(1);
  const double one = gradient_norm(WeightStates<float>(model.states));
  set_threads(2);
  const double two = gradient_norm(WeightStates<float>(model.states));
  EXPECT_EQ(one, two);
  EXPECT_NEAR(one, std::sqrt(want), 1e-10 * std::sqrt(want));
  scale_gradients(WeightStates<float>(model.states), 0.5);
  EXPECT_NEAR(gradient_norm(WeightStates<float>(model.states)), 0.5 * one, 1e-10 * one);
  EXPECT_EQ(gradient_norm(WeightStates<double>{}), 0);
}

TEST(GradientNorm, DoesNotOverflow) {
  std::vector<float> g(40, 1e30f);
  const WeightState<float> state{nullptr, g.data(), {}, std::ssize(g)};
  EXPECT_NEAR(gradient_norm(WeightStates<float>(&state, 1)), 1e30 * std::sqrt(40.0), 1e24);
}

TEST(ClipScale, BothConventions) {
  EXPECT_EQ(clip_scale(0.5, 1), 1);
  EXPECT_DOUBLE_EQ(clip_scale(4, 1), 1 / (4 + 1e-6));
  EXPECT_EQ(clip_scale(0.5, 1, Convention::keras), 1);
  EXPECT_EQ(clip_scale(4, 1, Convention::keras), 0.25);
  EXPECT_TRUE(std::isnan(clip_scale(INFINITY, 1, Convention::keras)));
}

}  // namespace
}  // namespace heed::kernels
