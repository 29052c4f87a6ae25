// Every op against PyTorch: outputs and gradients, f64 and f32. Each line of the table is a case of golden/make_ops.py.
#include <gtest/gtest.h>
#include <heed/ops.h>

#include <functional>
#include <map>
#include <set>

#include "support/golden.h"

namespace heed {
namespace {

using testing::GoldenFile;
using testing::Outputs;
using Inputs = std::vector<Tensor>;
using Case = testing::GoldenCase;

Case unary(Tensor (*op)(const Tensor&)) {
  return [op](const Inputs& in) { return Outputs{op(in[0])}; };
}

// Weights as PyTorch stores them: (input, hidden, input bias, hidden bias) for each direction, then h0 (and c0).
Case rnn(Cell cell, size_t directions, Tensor lengths = {}) {
  return [=](const Inputs& in) {
    std::vector<RecurrentWeights> weights;
    for (size_t i = 0; i < directions; ++i)
      weights.push_back({in[1 + 4 * i], in[2 + 4 * i], in[3 + 4 * i], in[4 + 4 * i]});
    RecurrentOptions options{.lengths = lengths, .h0 = in[1 + 4 * directions]};
    if (cell == Cell::lstm) options.c0 = in[2 + 4 * directions];
    const RecurrentOutput out = recurrent(cell, in[0], weights, options);
    return cell == Cell::lstm ? Outputs{out.y, out.h, out.c} : Outputs{out.y, out.h};
  };
}

Tensor lengths(std::vector<int64_t> values) { return tensor_from(values, {static_cast<int64_t>(values.size())}); }

const std::map<std::string, Case>& cases() {
  static const std::map<std::string, Case> table{
      {"add", [](const Inputs& in) { return Outputs{in[0] + in[1]}; }},
      {"subtract", [](const Inputs& in) { return Outputs{in[0] - in[1]}; }},
      {"multiply", [](const Inputs& in) { return Outputs{in[0] * in[1]}; }},
      {"divide", [](const Inputs& in) { return Outputs{in[0] / in[1]}; }},
      {"power", [](const Inputs& in) { return Outputs{pow(in[0], in[1])}; }},
      {"minimum", [](const Inputs& in) { return Outputs{minimum(in[0], in[1])}; }},
      {"maximum", [](const Inputs& in) { return Outputs{maximum(in[0], in[1])}; }},
      {"where", [](const Inputs& in) { return Outputs{where(greater(in[0], in[1]), in[0], in[1] * 2)}; }},
      {"masked_fill", [](const Inputs& in) { return Outputs{masked_fill(in[0], greater(in[0], 0.5), -7)}; }},
      {"clamp", [](const Inputs& in) { return Outputs{clamp(in[0], -0.5, 1)}; }},
      {"exp", unary(exp)},
      {"exp2", unary(exp2)},
      {"tanh", unary(tanh)},
      {"sigmoid", unary(sigmoid)},
      {"erf", unary(erf)},
      {"sin", unary(sin)},
      {"cos", unary(cos)},
      {"gelu", unary(gelu)},
      {"gelu_tanh", unary(gelu_tanh)},
      {"silu", unary(silu)},
      {"softplus", unary(softplus)},
      {"relu", unary(relu)},
      {"abs", unary(abs)},
      {"square", unary(square)},
      {"leaky_relu", [](const Inputs& in) { return Outputs{leaky_relu(in[0], 0.1)}; }},
      {"elu", [](const Inputs& in) { return Outputs{elu(in[0], 0.7)}; }},
      {"log", unary(log)},
      {"sqrt", unary(sqrt)},
      {"rsqrt", unary(rsqrt)},
      {"reciprocal", unary(reciprocal)},
      {"sum", [](const Inputs& in) { return Outputs{sum(in[0], 1)}; }},
      {"mean",
       [](const Inputs& in) {
         return Outputs{mean(in[0], {0, 2}, true)};
       }},
      {"max", [](const Inputs& in) { return Outputs{max(in[0], 2)}; }},
      {"min", [](const Inputs& in) { return Outputs{min(in[0], {0})}; }},
      {"variance", [](const Inputs& in) { return Outputs{variance(in[0], 2)}; }},
      {"norm", [](const Inputs& in) { return Outputs{norm(in[0], 2, 1)}; }},
      {"norm_p3", [](const Inputs& in) { return Outputs{norm(in[0], 3, 2)}; }},
      {"log_sum_exp",
       [](const Inputs& in) {
         return Outputs{log_sum_exp(in[0], {0, 1})};
       }},
      {"cumulative_sum", [](const Inputs& in) { return Outputs{cumulative_sum(in[0], 1)}; }},
      {"argmax", [](const Inputs& in) { return Outputs{argmax(in[0], 1)}; }},
      {"argmin", [](const Inputs& in) { return Outputs{argmin(in[0], 2)}; }},
      {"sort",
       [](const Inputs& in) {
         auto o = sort(in[0]);
         return Outputs{o.values, o.indices};
       }},
      {"sort_down",
       [](const Inputs& in) {
         auto o = sort(in[0], 1, true);
         return Outputs{o.values, o.indices};
       }},
      {"topk",
       [](const Inputs& in) {
         auto o = topk(in[0], 2);
         return Outputs{o.values, o.indices};
       }},
      {"reshape",
       [](const Inputs& in) {
         return Outputs{reshape(in[0], {4, -1})};
       }},
      {"transpose", [](const Inputs& in) { return Outputs{transpose(in[0], 0, 2)}; }},
      {"permute",
       [](const Inputs& in) {
         return Outputs{permute(in[0], {2, 0, 1})};
       }},
      {"slice", [](const Inputs& in) { return Outputs{slice(slice(in[0], 1, 1, 3), 2, 0, 4, 2)}; }},
      {"concat", [](const Inputs& in) { return Outputs{concat(in, 1)}; }},
      {"stack", [](const Inputs& in) { return Outputs{stack(in, 1)}; }},
      {"pad",
       [](const Inputs& in) {
         return Outputs{pad(in[0], {{0, 1}, {1, 2}}, PadMode::constant, 0.5)};
       }},
      {"repeat",
       [](const Inputs& in) {
         return Outputs{repeat(in[0], {2, 1, 3})};
       }},
      {"expand",
       [](const Inputs& in) {
         return Outputs{expand(in[0], {4, 3, 5})};
       }},
      {"flip",
       [](const Inputs& in) {
         return Outputs{flip(in[0], {0, 2})};
       }},
      {"roll", [](const Inputs& in) { return Outputs{roll(in[0], 1, 2)}; }},
      {"tril", [](const Inputs& in) { return Outputs{lower_triangle(in[0], -1)}; }},
      {"triu", [](const Inputs& in) { return Outputs{upper_triangle(in[0], 1)}; }},
      {"gather", [](const Inputs& in) { return Outputs{gather(in[0], 1, in[1])}; }},
      {"scatter_add", [](const Inputs& in) { return Outputs{scatter_add(in[0], 1, in[1], in[2])}; }},
      {"index_select", [](const Inputs& in) { return Outputs{index_select(in[0], 0, in[1])}; }},
      {"one_hot", [](const Inputs& in) { return Outputs{one_hot(in[0], 4, Dtype::f64)}; }},
      {"matmul", [](const Inputs& in) { return Outputs{matmul(in[0], in[1])}; }},
      {"matmul_batched", [](const Inputs& in) { return Outputs{matmul(in[0], in[1])}; }},
      {"matmul_vector", [](const Inputs& in) { return Outputs{matmul(in[0], in[1])}; }},
      {"linear", [](const Inputs& in) { return Outputs{linear(in[0], in[1], in[2])}; }},
      {"linear_gelu", [](const Inputs& in) { return Outputs{linear(in[0], in[1], in[2], Activation::gelu)}; }},
      {"einsum", [](const Inputs& in) { return Outputs{einsum("bthd,bshd->bhts", in)}; }},
      {"einsum_diagonal", [](const Inputs& in) { return Outputs{einsum("iij, j -> i", in)}; }},
      {"layer_norm", [](const Inputs& in) { return Outputs{layer_norm(in[0], in[1], in[2])}; }},
      {"rms_norm", [](const Inputs& in) { return Outputs{rms_norm(in[0], in[1])}; }},
      {"group_norm", [](const Inputs& in) { return Outputs{group_norm(in[0], 2, in[1], in[2])}; }},
      {"batch_norm", [](const Inputs& in) { return Outputs{batch_norm(in[0], in[1], in[2], Tensor(), Tensor())}; }},
      {"batch_norm_inference",
       [](const Inputs& in) {
         return Outputs{batch_norm(in[0], in[1], in[2], in[3].detach(), in[4].detach(), {.training = false})};
       }},
      {"softmax", [](const Inputs& in) { return Outputs{softmax(in[0], 1)}; }},
      {"log_softmax", [](const Inputs& in) { return Outputs{log_softmax(in[0])}; }},
      {"embedding", [](const Inputs& in) { return Outputs{embedding(in[0], in[1])}; }},
      {"conv2d",
       [](const Inputs& in) {
         return Outputs{
             conv2d(in[0], in[1], in[2], {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2})};
       }},
      {"conv1d",
       [](const Inputs& in) {
         return Outputs{conv1d(in[0], in[1], in[2], {.stride = {2, 1}, .padding = {1, 0}})};
       }},
      {"max_pool2d",
       [](const Inputs& in) {
         return Outputs{max_pool2d(in[0], {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}})};
       }},
      {"max_pool1d",
       [](const Inputs& in) {
         return Outputs{max_pool1d(in[0], {.kernel = {2, 1}})};
       }},
      {"average_pool2d",
       [](const Inputs& in) {
         return Outputs{average_pool2d(in[0], {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}})};
       }},
      {"average_pool2d_inside",
       [](const Inputs& in) {
         return Outputs{
             average_pool2d(in[0], {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .count_padding = false})};
       }},
      {"average_pool1d",
       [](const Inputs& in) {
         return Outputs{average_pool1d(in[0], {.kernel = {3, 1}})};
       }},
      {"cross_entropy", [](const Inputs& in) { return Outputs{cross_entropy(in[0], in[1])}; }},
      {"cross_entropy_smooth",
       [](const Inputs& in) {
         return Outputs{cross_entropy(in[0], in[1], {.smoothing = 0.1, .reduction = Reduction::sum})};
       }},
      {"cross_entropy_weights",
       [](const Inputs& in) {
         return Outputs{cross_entropy(in[0], in[1], {.smoothing = 0.2, .class_weights = in[2].detach()})};
       }},
      {"cross_entropy_each",
       [](const Inputs& in) { return Outputs{cross_entropy(in[0], in[1], {.reduction = Reduction::none})}; }},
      {"linear_cross_entropy",
       [](const Inputs& in) { return Outputs{linear_cross_entropy(in[0], in[1], in[2], in[3], {.smoothing = 0.1})}; }},
      {"binary_cross_entropy", [](const Inputs& in) { return Outputs{binary_cross_entropy(in[0], in[1].detach())}; }},
      {"mse_loss", [](const Inputs& in) { return Outputs{mse_loss(in[0], in[1])}; }},
      {"l1_loss", [](const Inputs& in) { return Outputs{l1_loss(in[0], in[1])}; }},
      {"huber_loss", [](const Inputs& in) { return Outputs{huber_loss(in[0], in[1], 0.7)}; }},
      {"kl_divergence", [](const Inputs& in) { return Outputs{kl_divergence(log_softmax(in[0]), in[1])}; }},
      {"cosine_similarity", [](const Inputs& in) { return Outputs{cosine_similarity(in[0], in[1])}; }},
      {"lstm", rnn(Cell::lstm, 1)},
      {"lstm_both", rnn(Cell::lstm, 2, lengths({4, 2, 3}))},
      {"gru", rnn(Cell::gru, 1)},
      {"gru_both", rnn(Cell::gru, 2, lengths({1, 4, 3}))},
      {"rnn_tanh", rnn(Cell::tanh, 1)},
      {"rnn_relu", rnn(Cell::relu, 1)},
  };
  return table;
}

const GoldenFile& golden() {
  static const GoldenFile file("ops.npz");
  return file;
}

TEST(Golden, EveryCaseOfTheFileIsInTheTable) {
  std::set<std::string> table;
  for (const auto& [name, run] : cases()) table.insert(name);
  EXPECT_EQ(golden().names(), table);
}

TEST(Golden, F64EqualsPyTorch) {
  for (const auto& [name, run] : cases()) golden().check(name, run, Dtype::f64, 1e-10);
}

TEST(Golden, F32EqualsPyTorch) {
  for (const auto& [name, run] : cases()) golden().check(name, run, Dtype::f32, 3e-5);
}

}  // namespace
}  // namespace heed
