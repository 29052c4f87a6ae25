// Gradients of the larger ops by finite differences, over odd sizes and strides; what they refuse.
#include <gtest/gtest.h>
#include <heed/base.h>
#include <heed/io.h>
#include <heed/ops.h>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;
using testing::f32_agrees;
using testing::gradcheck;
using testing::Inputs;
using testing::layouts;
using testing::sample;

void expect_right(const testing::Function& f, const Inputs& inputs) {
  EXPECT_TRUE(gradcheck(f, inputs));
  EXPECT_TRUE(f32_agrees(f, inputs, 3e-5));
}

TEST(Products, EveryShapeAndStride) {
  const auto product = [](const Inputs& in) { return matmul(in[0], in[1]); };
  for (const Tensor& a : layouts({3, 5}))
    for (const Tensor& b : layouts({5, 7})) expect_right(product, {a, b});
  expect_right(product, {sample({2, 3, 5}), sample({5, 4})});
  expect_right(product, {sample({3, 5}), sample({2, 5, 4})});
  expect_right(product, {sample({2, 1, 3, 5}), sample({4, 5, 2})});
  expect_right(product, {sample({5}), sample({5})});
  expect_right(product, {sample({2, 3, 5}), sample({5})});
  expect_right(product, {sample({5}), sample({2, 5, 3})});
  expect_right(product, {sample({1, 1}), sample({1, 1})});
  expect_right(product, {sample({4, 3, 2, 5}).transpose(0, 1), sample({3, 4, 5, 2}).permute({0, 1, 2, 3})});
  EXPECT_TRUE(testing::runs_empty(product, {Tensor({0, 3}, Dtype::f64), sample({3, 2})}));
  EXPECT_EQ(sum(matmul(Tensor(Shape{2, 0}), Tensor(Shape{0, 3}))).item(), 0);
}

TEST(Products, LinearWithEveryActivation) {
  for (Activation activation : {Activation::none, Activation::relu, Activation::gelu, Activation::gelu_tanh,
                                Activation::silu, Activation::tanh, Activation::sigmoid}) {
    const auto layer = [=](const Inputs& in) { return linear(in[0], in[1], in[2], activation); };
    expect_right(layer, {sample({2, 3, 5}), sample({4, 5}, -1, 1, 2), sample({4}, -1, 1, 3)});
    expect_right(layer, {sample({5}), sample({4, 5}, -1, 1, 2), sample({4}, -1, 1, 3)});
    const Inputs in{sample({70, 33}), sample({65, 33}, -1, 1, 2), sample({65}, -1, 1, 3)};
    NoGrad off;
    EXPECT_TRUE(close(linear(in[0].to(Dtype::f32), in[1].to(Dtype::f32), in[2].to(Dtype::f32), activation).values(),
                      layer(in).values(), 2e-5));
  }
  for (const Tensor& weight : layouts({4, 5}))
    expect_right([](const Inputs& in) { return linear(in[0], in[1]); }, {sample({3, 5}), weight});
}

TEST(Products, WhatDoesNotFitIsNamed) {
  EXPECT_TRUE(complains([] { matmul(Tensor({2, 3}), Tensor({4, 5})); }, {"matmul", "(2, 3)", "(4, 5)"}));
  EXPECT_TRUE(complains([] { matmul(Tensor({2, 3}), Tensor({3, 5}, Dtype::f64)); }, {"f32", "f64"}));
  EXPECT_TRUE(complains([] { matmul(Tensor({2, 3}, Dtype::i64), Tensor({3, 5}, Dtype::i64)); }, {"i64"}));
  EXPECT_TRUE(complains([] { matmul(Tensor({2, 2, 3}), Tensor({3, 3, 5})); }, {"broadcast"}));
  EXPECT_TRUE(complains([] { linear(Tensor({2, 3}), Tensor({4, 5})); }, {"linear", "(4, 5)"}));
  EXPECT_TRUE(complains([] { linear(Tensor({2, 3}), Tensor({4, 3}), Tensor({5})); }, {"bias"}));
}

TEST(Einsum, EqualsWhatItMeans) {
  const auto run = [](const char* equation) { return [=](const Inputs& in) { return einsum(equation, in); }; };
  expect_right(run("ij,jk->ik"), {sample({2, 3}), sample({3, 4})});
  expect_right(run("ij,jk"), {sample({2, 3}), sample({3, 4})});
  expect_right(run("bij,bjk,kl->bil"), {sample({2, 2, 3}), sample({2, 3, 2}), sample({2, 3})});
  expect_right(run("i,j->ij"), {sample({2}), sample({3})});
  expect_right(run("ii->i"), {sample({3, 3})});
  expect_right(run("ii"), {sample({3, 3})});
  expect_right(run("ijk->kji"), {sample({2, 3, 4})});
  expect_right(run("ij->"), {sample({2, 3})});
  expect_right(run("ij,ij->i"), {sample({2, 3}), sample({2, 3}, -1, 1, 2)});
  EXPECT_TRUE(close(einsum("ij,kj->ik", {sample({2, 3}), sample({4, 3})}).values(),
                    matmul(sample({2, 3}), sample({4, 3}).transpose(0, 1)).values(), 1e-14));
  for (const char* bad : {"ij,jk->iz", "i1->i", "ij->ii", "ij,jk,kl->il", "ijk,jk->i", "ij,ik->i?", "->"})
    EXPECT_TRUE(complains([&] { einsum(bad, {sample({2, 3}), sample({3, 4})}); }, {"einsum"})) << bad;
  EXPECT_TRUE(complains([] { einsum("ij,jk->ik", {sample({2, 3}), sample({4, 4})}); }, {"letter j", "3", "4"}));
}

TEST(Norms, EveryNormAndStride) {
  const Tensor w = sample({5}, 0.5, 2, 2), b = sample({5}, -1, 1, 3);
  for (const Tensor& x : layouts({3, 5})) {
    expect_right([](const Inputs& in) { return layer_norm(in[0], in[1], in[2]); }, {x, w, b});
    expect_right([](const Inputs& in) { return rms_norm(in[0], in[1]); }, {x, w});
  }
  expect_right([](const Inputs& in) { return layer_norm(in[0]); }, {sample({2, 3, 5})});
  const auto both = [](const NormAndSum& r) { return concat({r.norm, r.sum}, 0); };
  expect_right([&](const Inputs& in) { return both(layer_norm_residual(in[0], in[1], in[2], in[3])); },
               {sample({3, 5}), sample({3, 5}, -1, 1, 4), w, b});
  expect_right([&](const Inputs& in) { return both(rms_norm_residual(in[0], in[1], in[2])); },
               {sample({3, 5}), sample({3, 5}, -1, 1, 4), w});
  const Tensor c = sample({4}, 0.5, 2, 2), e = sample({4}, -1, 1, 3);
  for (const Tensor& x : layouts({2, 4, 3}))
    expect_right([](const Inputs& in) { return group_norm(in[0], 2, in[1], in[2]); }, {x, c, e});
  expect_right([](const Inputs& in) { return batch_norm(in[0], in[1], in[2], {}, {}); }, {sample({3, 4, 2}), c, e});
  expect_right([](const Inputs& in) { return batch_norm(in[0], in[1], in[2], {}, {}); }, {sample({6, 4}), c, e});
}

TEST(Norms, BatchNormKeepsRunningStatistics) {
  const Tensor x = sample({6, 2}, -2, 2), ones = Tensor::full({2}, 1, Dtype::f64),
               none = Tensor::zeros({2}, Dtype::f64);
  Tensor mean_now = none.clone(), variance_now = ones.clone();
  batch_norm(x, ones, none, mean_now, variance_now, {.momentum = 0.25});
  EXPECT_TRUE(close(mean_now.values(), (mean(x, 0) * 0.25).values(), 1e-14));
  EXPECT_TRUE(close(variance_now.values(), (variance(x, 0) * 0.25 + 0.75).values(), 1e-14));
  const Tensor y = batch_norm(x, ones, none, mean_now, variance_now, {.training = false, .epsilon = 0});
  EXPECT_TRUE(close(y.values(), ((x - mean_now) / sqrt(variance_now)).values(), 1e-14));
}

TEST(Softmax, AnyDimensionAndStride) {
  for (int dim : {0, 1, -1})
    for (const Tensor& x : layouts({3, 4, 5})) {
      expect_right([=](const Inputs& in) { return softmax(in[0], dim); }, {x});
      expect_right([=](const Inputs& in) { return log_softmax(in[0], dim); }, {x});
    }
  EXPECT_TRUE(complains([] { softmax(scalar(1)); }, {"softmax", "scalar"}));
}

TEST(Dropout, GradientRepeatsTheDecisions) {
  const Random place{.seed = 3, .stream = 1};
  const auto drop = [&](const Inputs& in) {
    Random from = place;
    return dropout(in[0], 0.4, from);
  };
  for (const Tensor& x : layouts({7, 9}, 0.5, 2)) expect_right(drop, {x});
  Random from = place;
  const Tensor first = dropout(Tensor::full({1000}, 1), 0.4, from),
               second = dropout(Tensor::full({1000}, 1), 0.4, from);
  EXPECT_FALSE(close(first.values(), second.values(), 0));
  EXPECT_NEAR(mean(first).item(), 1, 0.15);
  EXPECT_TRUE(complains([] { dropout(Tensor({2}), 1.0); }, {"dropout", "1"}));
  EXPECT_TRUE(complains([] { dropout(Tensor({2}), -0.1); }, {"dropout"}));
}

TEST(Dropout, CheckpointRepeatsTheDecisions) {
  seed(4);
  Tensor x = sample({50}).requires_grad(true);
  const auto block = [](const std::vector<Tensor>& in) { return dropout(in[0], 0.5) * in[0]; };
  const Tensor y = checkpoint(block, {x});
  backward(sum(y));
  EXPECT_TRUE(close(x.grad().values(), (y.detach() / x.detach() * 2).values(), 1e-12));
}

TEST(Embedding, GradientsAddUpInTheirRows) {
  const Tensor ids = tensor_from(std::vector<int64_t>{2, 0, 2, 2, 1, 0}, {2, 3});
  for (const Tensor& table : layouts({4, 3}))
    expect_right([&](const Inputs& in) { return embedding(in[0], ids); }, {table});
  EXPECT_TRUE(complains([&] { embedding(Tensor({2, 3}), ids); }, {"embedding", "id 2", "2 words"}));
  EXPECT_TRUE(complains([] { embedding(Tensor({2, 3}), Tensor({2})); }, {"f32", "i64"}));
}

std::vector<RecurrentWeights> two_directions(Cell cell, const Inputs& in) {
  (void)cell;
  return {{in[1], in[2], in[3], in[4]}, {in[5], in[6], in[7], in[8]}};
}

TEST(Recurrent, EveryCellBothWaysWithLengths) {
  const Tensor lengths = tensor_from(std::vector<int64_t>{4, 0, 2}, {3});
  for (Cell cell : {Cell::lstm, Cell::gru, Cell::gru_reset_before, Cell::tanh, Cell::relu}) {
    const int64_t strips = gates(cell);
    Inputs in{sample({4, 3, 2})};
    for (uint64_t way = 0; way < 2; ++way)
      for (const Shape& shape : {Shape{strips * 5, 2}, Shape{strips * 5, 5}, Shape{strips * 5}, Shape{strips * 5}})
        in.push_back(sample(shape, -0.7, 0.7, 10 * way + in.size()));
    in.push_back(sample({2, 3, 5}, -1, 1, 30));
    if (cell == Cell::lstm) in.push_back(sample({2, 3, 5}, -1, 1, 31));
    expect_right(
        [&](const Inputs& now) {
          RecurrentOptions options{.lengths = lengths, .h0 = now[9]};
          if (cell == Cell::lstm) options.c0 = now[10];
          const RecurrentOutput out = recurrent(cell, now[0], two_directions(cell, now), options);
          std::vector<Tensor> parts{reshape(out.y, {-1}), reshape(out.h, {-1})};
          if (out.c.defined()) parts.push_back(reshape(out.c, {-1}));
          return concat(parts, 0);
        },
        in);
  }
}

TEST(Recurrent, OnlyATapeThatIsKeptCopiesWhatWasSaved) {
  constexpr int64_t kSteps = 30, kBatch = 8, kWidth = 64, kGates = kSteps * kBatch * 4 * kWidth * 4;
  const Tensor x = sample({kSteps, kBatch, kWidth}).to(Dtype::f32);
  const Tensor w = sample({4 * kWidth, kWidth}).to(Dtype::f32);
  RecurrentWeights weights{w.clone(), w, {}, {}};
  weights.input.requires_grad(true);
  const Tensor y = sum(lstm(x, weights).y);
  const auto peak = [&](bool keep) {
    reset_memory_peak();
    const int64_t before = memory_use().in_use;
    weights.input.zero_grad();
    backward(y, {.keep = keep});
    return memory_use().peak - before;
  };
  const int64_t kept = peak(true);
  const std::vector<double> want = weights.input.grad().values();
  EXPECT_LE(peak(false), kept - kGates);
  EXPECT_TRUE(close(weights.input.grad().values(), want, 0));
  EXPECT_THROW(backward(y), Error);
}

TEST(Recurrent, WhatDoesNotFitIsNamed) {
  const RecurrentWeights w{Tensor({20, 3}), Tensor({20, 5}), Tensor({20}), Tensor({20})};
  EXPECT_TRUE(complains([&] { lstm(Tensor({4, 2}), w); }, {"lstm", "(T, B, D)"}));
  EXPECT_TRUE(complains([&] { lstm(Tensor({4, 2, 7}), w); }, {"(20, 3)", "(20, 7)"}));
  EXPECT_TRUE(complains([&] { gru(Tensor({4, 2, 3}), w); }, {"gru", "(15, 3)"}));
  const Tensor beyond = tensor_from(std::vector<int64_t>{4, 5}, {2});
  EXPECT_TRUE(complains([&] { lstm(Tensor({4, 2, 3}), w, {.lengths = beyond}); }, {"length 5", "sentence 1"}));
}

// Keras' gates are i f c o and z r h; its z means the same as PyTorch's: h' = z h + (1 - z) n.
Tensor reordered(const Tensor& kernel, const std::vector<int64_t>& order) {
  std::vector<Tensor> parts = chunk(kernel, static_cast<int64_t>(order.size()), kernel.rank() - 1), moved;
  for (int64_t i : order) moved.push_back(parts[static_cast<size_t>(i)]);
  const Tensor all = concat(moved, kernel.rank() - 1);
  return kernel.rank() == 2 ? transpose(all) : all;
}

TEST(Recurrent, EqualsKeras) {
  const TensorFile file = load_npz(HEED_GOLDEN "/recurrent_keras.npz");
  struct Row {
    const char* name;
    Cell cell;
    std::vector<int64_t> order;
  };
  for (const auto& [name, cell, order] :
       {Row{"lstm", Cell::lstm, {0, 1, 2, 3}}, Row{"gru", Cell::gru, {1, 0, 2}},
        Row{"gru_reset_before", Cell::gru_reset_before, {1, 0, 2}}, Row{"rnn_tanh", Cell::tanh, {0}}}) {
    SCOPED_TRACE(name);
    const auto get = [&, prefix = std::string(name)](const char* what) { return file[prefix + "/" + what].clone(); };
    Tensor x = get("x").requires_grad(true), kernel = get("kernel").requires_grad(true);
    Tensor recurrent_kernel = get("recurrent_kernel").requires_grad(true), bias = get("bias").requires_grad(true);
    RecurrentWeights weights{reordered(kernel, order), reordered(recurrent_kernel, order), {}, {}};
    weights.input_bias = reordered(bias.rank() == 2 ? select(bias, 0, 0) : bias, order);
    if (bias.rank() == 2) weights.hidden_bias = reordered(select(bias, 0, 1), order);
    // Keras computes some of this in f32, whatever the dtype of its weights.
    const Tensor y = transpose(recurrent(cell, transpose(x, 0, 1), {weights}).y, 0, 1);
    EXPECT_TRUE(close(y.values(), get("out").values(), 1e-6));
    backward(y, {.seed = get("dout")});
    EXPECT_TRUE(close(x.grad().values(), get("dx").values(), 1e-6));
    EXPECT_TRUE(close(kernel.grad().values(), get("dkernel").values(), 1e-6));
    EXPECT_TRUE(close(recurrent_kernel.grad().values(), get("drecurrent_kernel").values(), 1e-6));
    EXPECT_TRUE(close(bias.grad().values(), get("dbias").values(), 1e-6));
  }
}

TEST(Convolution, GroupsStridesPaddingAndDilation) {
  for (const Tensor& x : layouts({2, 4, 5, 6}))
    expect_right(
        [](const Inputs& in) {
          return conv2d(in[0], in[1], in[2], {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2});
        },
        {x, sample({6, 2, 3, 2}, -1, 1, 2), sample({6}, -1, 1, 3)});
  expect_right([](const Inputs& in) { return conv1d(in[0], in[1]); }, {sample({2, 3, 7}), sample({2, 3, 4}, -1, 1, 2)});
  EXPECT_TRUE(complains([] { conv2d(Tensor({1, 3, 5, 5}), Tensor({4, 2, 3, 3})); }, {"conv2d", "(4, 2, 3, 3)"}));
  EXPECT_TRUE(complains([] { conv2d(Tensor({1, 3, 2, 2}), Tensor({4, 3, 3, 3})); }, {"does not fit"}));
}

TEST(Pooling, EveryKind) {
  const PoolingOptions options{.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 1}};
  for (const Tensor& x : layouts({2, 3, 5, 4})) {
    expect_right([&](const Inputs& in) { return max_pool2d(in[0], options); }, {x});
    expect_right([&](const Inputs& in) { return average_pool2d(in[0], options); }, {x});
    expect_right([](const Inputs& in) { return global_max_pool(in[0]); }, {x});
    expect_right([](const Inputs& in) { return global_average_pool(in[0]); }, {x});
  }
  EXPECT_TRUE(complains(
      [] {
        max_pool2d(Tensor({1, 1, 4, 4}), {.kernel = {2, 2}, .padding = {2, 2}});
      },
      {"max_pool2d", "padding"}));
}

TEST(Losses, GradientsOfAll) {
  const Tensor targets = tensor_from(std::vector<int64_t>{1, -100, 4, 0}, {4}), weights = sample({5}, 0.3, 2, 9);
  for (Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
    const CrossEntropyOptions plain{.reduction = reduction},
        full{.smoothing = 0.1, .class_weights = weights, .reduction = reduction};
    for (const Tensor& x : layouts({4, 5})) {
      EXPECT_TRUE(gradcheck([&](const Inputs& in) { return cross_entropy(in[0], targets, plain); }, {x}));
      EXPECT_TRUE(gradcheck([&](const Inputs& in) { return cross_entropy(in[0], targets, full); }, {x}));
    }
    const Tensor y = sample({4, 5}, -1, 1, 4);
    expect_right([&](const Inputs& in) { return mse_loss(in[0], in[1], reduction); }, {sample({4, 5}), y});
    expect_right([&](const Inputs& in) { return l1_loss(in[0], in[1], reduction); }, {sample({4, 5}), y});
    expect_right([&](const Inputs& in) { return huber_loss(in[0], in[1], 0.6, reduction); }, {sample({4, 5}), y});
    expect_right([&](const Inputs& in) { return binary_cross_entropy(in[0], sigmoid(in[1]), reduction); },
                 {sample({4, 5}), y});
    expect_right([&](const Inputs& in) { return kl_divergence(log_softmax(in[0]), softmax(in[1]), reduction); },
                 {sample({4, 5}), y});
    expect_right([&](const Inputs& in) { return cosine_loss(in[0], in[1], reduction); }, {sample({4, 5}), y});
  }
}

TEST(Losses, LinearCrossEntropyEqualsItsParts) {
  const Tensor targets = tensor_from(std::vector<int64_t>{1, -100, 4, 0}, {4});
  for (Reduction reduction : {Reduction::mean, Reduction::sum}) {
    const CrossEntropyOptions options{.smoothing = 0.1, .reduction = reduction};
    const Inputs in{sample({4, 3}), sample({5, 3}, -1, 1, 2), sample({5}, -1, 1, 3)};
    expect_right([&](const Inputs& now) { return linear_cross_entropy(now[0], now[1], now[2], targets, options); }, in);
    EXPECT_NEAR(linear_cross_entropy(in[0], in[1], in[2], targets, options).item(),
                cross_entropy(linear(in[0], in[1], in[2]), targets, options).item(), 1e-12);
  }
  EXPECT_TRUE(complains(
      [&] {
        linear_cross_entropy(Tensor({4, 3}), Tensor({4, 3}), {}, targets);
      },
      {"target 4", "row 2"}));
}

TEST(Losses, NothingToLearnFromIsZero) {
  Tensor x = sample({2, 3}).requires_grad(true);
  const Tensor loss = cross_entropy(x, Tensor::full({2}, -100, Dtype::i64));
  backward(loss);
  EXPECT_EQ(loss.item(), 0);
  EXPECT_TRUE(close(x.grad().values(), std::vector<double>(6, 0), 0));
}

}  // namespace
}  // namespace heed
