#include <gtest/gtest.h>
#include <heed/nn.h>

#include <cmath>
#include <cstdio>
#include <filesystem>

#include "nn/uninitialized.h"
#include "support/close.h"

namespace heed {
namespace {

using testing::close;

struct Moments {
  double mean = 0, deviation = 0, largest = 0;
};
Moments moments(const Tensor& x) {
  Moments m;
  for (double v : x.values()) m.mean += v / static_cast<double>(x.numel());
  for (double v : x.values()) {
    m.deviation += (v - m.mean) * (v - m.mean) / static_cast<double>(x.numel());
    m.largest = std::max(m.largest, std::abs(v));
  }
  m.deviation = std::sqrt(m.deviation);
  return m;
}

// A weight of 300 outputs and 200 inputs.
Tensor initialized(void (*rule)(Tensor, Random&), uint64_t seed = 3) {
  Random from{.seed = seed};
  Tensor w = weight({300, 200});
  rule(w, from);
  return w;
}

TEST(Initialize, DeviationsAreThoseOfThePapers) {
  const auto glorot_u = initialized([](Tensor w, Random& r) { initialize::glorot_uniform(w, 1, r); });
  EXPECT_NEAR(moments(glorot_u).deviation, std::sqrt(2.0 / 500), 6e-4);
  EXPECT_LE(moments(glorot_u).largest, std::sqrt(6.0 / 500));
  EXPECT_NEAR(moments(initialized([](Tensor w, Random& r) { initialize::glorot_normal(w, 2, r); })).deviation,
              2 * std::sqrt(2.0 / 500), 1e-3);
  EXPECT_NEAR(moments(initialized([](Tensor w, Random& r) { initialize::he_normal(w, r); })).deviation,
              std::sqrt(2.0 / 200), 8e-4);
  EXPECT_NEAR(moments(initialized([](Tensor w, Random& r) { initialize::he_uniform(w, r); })).deviation,
              std::sqrt(2.0 / 200), 4e-4);
  const auto truncated = moments(initialized([](Tensor w, Random& r) { initialize::truncated_normal(w, 1, 0.5, r); }));
  EXPECT_NEAR(truncated.mean, 1, 0.01);
  EXPECT_NEAR(truncated.deviation, 0.5 * 0.8796, 0.005);  // of a normal cut at two deviations
  EXPECT_LE(truncated.largest, 2);
}

TEST(Initialize, ConvolutionsCountTheirKernel) {
  Random from{.seed = 1};
  Tensor w = weight({64, 32, 3, 3});
  initialize::he_normal(w, from);
  EXPECT_NEAR(moments(w).deviation, std::sqrt(2.0 / (32 * 9)), 2e-3);
}

TEST(Initialize, OrthogonalIsOrthogonal) {
  for (const Shape& shape : {Shape{5, 8}, Shape{8, 5}, Shape{6, 6}}) {
    Random from{.seed = 2};
    Tensor w = Tensor::zeros(shape, Dtype::f64);
    initialize::orthogonal(w, 2, from);
    const Tensor wide = shape[0] <= shape[1] ? w : w.transpose(0, 1);
    EXPECT_TRUE(
        close(matmul(wide, wide.transpose(0, 1)).values(), (eye(wide.dim(0), {}, Dtype::f64) * 4).values(), 1e-14));
  }
}

TEST(Initialize, TheSameSeedGivesTheSameBits) {
  const auto rule = [](Tensor w, Random& r) { initialize::orthogonal(w, 1, r); };
  EXPECT_TRUE(close(initialized(rule).values(), initialized(rule).values(), 0));
  EXPECT_FALSE(close(initialized(rule).values(), initialized(rule, 4).values(), 0));
}

TEST(Initialize, WhatIsReadNextIsNotDrawn) {
  Random from{1, 2, 3};
  const auto drawn = [&] {
    Tensor a = weight({4, 4}), b = weight({4, 4}), c = weight({4, 4});
    initialize::orthogonal(a, 1, from), initialize::glorot_uniform(b, 1, from);
    initialize::truncated_normal(c, 0, 1, from);
    return norm(a).item() * norm(b).item() * norm(c).item();
  };
  {
    const initialize::Skip scope;
    EXPECT_EQ(norm(Recurrent(Cell::lstm, 3, 3).directions.at(0).hidden).item(), 0);
    EXPECT_EQ(drawn(), 0);
  }
  EXPECT_GT(drawn(), 0);
}

TEST(Initialize, AVectorHasNoInputs) { EXPECT_THROW(initialize::glorot_uniform(weight({3})), Error); }

struct Model {
  Embedding words{10, 4};
  Recurrent memory{Cell::lstm, 4, 6, true};
  LayerNorm norm{12};
  Linear out{12, 3, Activation::gelu};
  std::vector<Linear> more{Linear(3, 2), Linear(2, 1, Activation::none, false)};
  Tensor operator()(const Tensor& ids) const {
    const Tensor last = norm(select(memory(words(ids)).y, 0, -1));
    return more[1](more[0](out(last)));
  }
  void visit(auto&& field) {
    field("words", words), field("memory", memory), field("norm", norm), field("out", out), field("more", more);
  }
};

TEST(Layers, VisitNamesEveryWeight) {
  Model model;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : named_weights(model)) names.push_back(name);
  EXPECT_EQ(names.size(), 1u + 8 + 2 + 2 + 3);
  EXPECT_EQ(names[0], "words.weight");
  EXPECT_EQ(names[1], "memory.directions.0.input");
  EXPECT_EQ(names.back(), "more.1.weight");
  EXPECT_EQ(count_weights(model), 40 + 2 * (24 * 4 + 24 * 6 + 48) + 24 + 39 + 8 + 2);
}

TEST(Layers, EveryWeightGetsAGradient) {
  seed(1);
  Model model;
  const Tensor ids = randint(0, 10, {5, 3});
  backward(sum(model(ids)));
  for (const auto& [name, tensor] : named_weights(model)) EXPECT_TRUE(tensor.grad().defined()) << name;
  zero_gradients(weights(model));
  for (const auto& [name, tensor] : named_weights(model)) EXPECT_FALSE(tensor.grad().defined()) << name;
}

TEST(Layers, SavedWeightsComeBack) {
  const std::string file =
      (std::filesystem::temp_directory_path() / ("heed_nn_test_" + std::to_string(getpid()))).string();
  seed(1);
  Model saved;
  save_weights(saved, file);
  seed(2);
  Model loaded;
  load_weights(loaded, file);
  const Tensor ids = tensor_from(std::vector<int64_t>{1, 2, 3, 4}, {4, 1});
  EXPECT_TRUE(close(loaded(ids).values(), saved(ids).values(), 0));
  Linear other(3, 3);
  EXPECT_THROW(load_weights(other, file), Error);
  std::filesystem::remove(file);
}

TEST(Layers, TheForgetGateBeginsOpen) {
  const Recurrent lstm(Cell::lstm, 2, 3);
  EXPECT_TRUE(
      close(lstm.directions[0].input_bias.values(), std::vector<double>{0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0}, 0));
}

}  // namespace
}  // namespace heed
