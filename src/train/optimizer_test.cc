// Ten steps of each optimiser against PyTorch and Keras.
#include <gtest/gtest.h>
#include <heed/io.h>
#include <heed/train.h>

#include <cmath>
#include <functional>
#include <map>

#include "support/close.h"

namespace heed {
namespace {

using Make = std::function<std::unique_ptr<Optimizer>(std::vector<Tensor>)>;

template <class Kind, class Options>
Make make(const Options& options) {
  return [options](std::vector<Tensor> weights) { return std::make_unique<Kind>(std::move(weights), options); };
}

const std::map<std::string, Make>& makers() {
  constexpr Convention keras = Convention::keras;
  static const std::map<std::string, Make> table{
      {"sgd", make<Sgd>(SgdOptions{.learning_rate = 0.1})},
      {"sgd_momentum",
       make<Sgd>(SgdOptions{.learning_rate = 0.1, .momentum = 0.9, .dampening = 0.1, .weight_decay = 0.01})},
      {"sgd_nesterov", make<Sgd>(SgdOptions{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true})},
      {"rmsprop", make<Rmsprop>(RmspropOptions{.learning_rate = 0.01, .decay = 0.9})},
      {"rmsprop_centered",
       make<Rmsprop>(RmspropOptions{
           .learning_rate = 0.01, .decay = 0.9, .momentum = 0.5, .centered = true, .weight_decay = 0.01})},
      {"adagrad",
       make<Adagrad>(AdagradOptions{.learning_rate = 0.1, .initial = 0.1, .rate_decay = 0.01, .weight_decay = 0.01})},
      {"adam", make<Adam>(AdamOptions{.learning_rate = 0.01, .weight_decay = 0.01})},
      {"adam_amsgrad", make<Adam>(AdamOptions{.learning_rate = 0.01, .amsgrad = true})},
      {"adamw", make<AdamW>(AdamOptions{.learning_rate = 0.01, .weight_decay = 0.1})},
      {"keras_sgd_momentum", make<Sgd>(SgdOptions{.learning_rate = 0.1, .momentum = 0.9, .convention = keras})},
      {"keras_sgd_nesterov",
       make<Sgd>(SgdOptions{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .convention = keras})},
      {"keras_rmsprop",
       make<Rmsprop>(RmspropOptions{.learning_rate = 0.01, .decay = 0.9, .epsilon = 1e-7, .convention = keras})},
      {"keras_rmsprop_centered", make<Rmsprop>(RmspropOptions{.learning_rate = 0.01,
                                                              .decay = 0.9,
                                                              .momentum = 0.5,
                                                              .centered = true,
                                                              .epsilon = 1e-7,
                                                              .convention = keras})},
      {"keras_adagrad",
       make<Adagrad>(AdagradOptions{.learning_rate = 0.1, .initial = 0.1, .epsilon = 1e-7, .convention = keras})},
      {"keras_adam", make<Adam>(AdamOptions{.learning_rate = 0.01, .epsilon = 1e-7, .convention = keras})},
      {"keras_adam_amsgrad",
       make<Adam>(AdamOptions{.learning_rate = 0.01, .epsilon = 1e-7, .amsgrad = true, .convention = keras})},
      {"keras_adamw",
       make<AdamW>(AdamOptions{.learning_rate = 0.01, .epsilon = 1e-7, .weight_decay = 0.1, .convention = keras})},
  };
  return table;
}

std::map<std::string, Tensor> golden() {
  std::map<std::string, Tensor> all;
  for (const auto& [name, tensor] : load_npz(HEED_GOLDEN "/optimizers.npz").tensors) all[name] = tensor;
  return all;
}

void set_gradient(Tensor& weight, const Tensor& gradient) {
  backward(weight * weight.detach(), {.seed = gradient / weight.detach()});
}

TEST(Optimizers, TenStepsEqualPyTorchAndKeras) {
  const auto values = golden();
  ASSERT_EQ(values.size(), makers().size() + 2);
  for (const auto& [name, make] : makers())
    for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
      SCOPED_TRACE(name);
      Tensor weight = values.at("start").clone().to(dtype).requires_grad(true);
      const auto optimizer = make({weight});
      for (int64_t step = 0; step < 10; ++step) {
        set_gradient(weight, values.at("gradients")[step].to(dtype));
        optimizer->step();
        EXPECT_FALSE(weight.grad().defined());
        ASSERT_TRUE(testing::close(weight.values(), values.at(name)[step].values(), 2e-6)) << "step " << step;
      }
    }
}

TEST(Optimizers, AWeightWithoutAGradientStaysAndItsStateGoesOn) {
  Tensor still = tensor({1, 2}).requires_grad(true), moved = tensor({3}).requires_grad(true);
  Adam optimizer({still, moved});
  set_gradient(moved, tensor({1}));
  optimizer.step(true);
  EXPECT_TRUE(testing::close(still.values(), std::vector<double>{1, 2}, 0));
  EXPECT_NE(moved.item(), 3);
  EXPECT_TRUE(moved.grad().defined());
}

TEST(Optimizers, StateGoesOnWhereItWas) {
  const auto run = [](int first, bool restart) {
    Tensor weight = tensor({1, -2, 3}).requires_grad(true);
    auto optimizer = std::make_unique<Adam>(std::vector{weight}, AdamOptions{.learning_rate = 0.1});
    for (int step = 0; step < 6; ++step) {
      if (restart && step == first) {
        NamedTensors saved;
        for (auto& [name, tensor] : optimizer->state()) saved.emplace_back(name, tensor.clone());
        const int64_t steps = optimizer->steps();
        optimizer = std::make_unique<Adam>(std::vector{weight}, AdamOptions{.learning_rate = 0.1});
        optimizer->set_state(saved, steps);
      }
      backward(sum(square(weight)));
      optimizer->step();
    }
    return weight.values();
  };
  EXPECT_TRUE(testing::close(run(3, true), run(3, false), 0));
}

TEST(Optimizers, ClippingKeepsTheDirection) {
  Tensor a = tensor({3, 0}).requires_grad(true), b = tensor({4}, Dtype::f64).requires_grad(true);
  backward(sum(square(a)) * 0.5);
  backward(sum(square(b)) * 0.5);
  EXPECT_NEAR(clip_gradients({a, b}, 1), 5, 1e-6);
  EXPECT_TRUE(testing::close(a.grad().values(), std::vector<double>{0.6, 0}, 1e-6));
  EXPECT_NEAR(b.grad().item(), 0.8, 1e-6);
  EXPECT_NEAR(clip_gradients({a, b}, 10), 1, 1e-6);
  EXPECT_NEAR(b.grad().item(), 0.8, 1e-6);
}

TEST(Optimizers, WhatIsNoWeightIsRefused) {
  const Tensor plain = tensor({1}), strided = Tensor::zeros({2, 3}).transpose(0, 1);
  EXPECT_THROW(Sgd({plain}), Error);
  EXPECT_THROW(Sgd({Tensor()}), Error);
  EXPECT_THROW(Sgd({Tensor(strided).requires_grad(true)}), Error);
}

}  // namespace
}  // namespace heed
