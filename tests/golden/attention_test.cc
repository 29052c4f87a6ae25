// attend against PyTorch, Keras, x-transformers and entmax: outputs and gradients. Each line of the table is a case of
// golden/make_attention.py.
#include <gtest/gtest.h>
#include <heed/attention.h>

#include <map>

#include "support/golden.h"

namespace heed {
namespace {

using testing::GoldenFile;
using testing::Outputs;
using Inputs = std::vector<Tensor>;
using Case = testing::GoldenCase;

Case with(const AttendOptions& options) {
  return [options](const Inputs& in) { return Outputs{attend(in[0], in[1], in[2], options).out}; };
}

// (B,T,H·D) -> (B,H,T,D), and back.
Tensor split_heads(const Tensor& x, int64_t heads) {
  return permute(reshape(x, {x.dim(0), x.dim(1), heads, x.dim(2) / heads}), {0, 2, 1, 3});
}
Tensor joined(const Tensor& x) { return reshape(permute(x, {0, 2, 1, 3}), {x.dim(0), x.dim(2), x.dim(1) * x.dim(3)}); }

// in: x, key, value, their weights (8, in), one bias of 24, the output's weight and bias.
Outputs multi_head(const Inputs& in) {
  Tensor parts[3];
  for (int i = 0; i < 3; ++i)
    parts[i] = split_heads(
        linear(in[static_cast<size_t>(i)], in[static_cast<size_t>(3 + i)], slice(in[6], 0, 8 * i, 8 * i + 8)), 2);
  return {linear(joined(attend(parts[0], parts[1], parts[2]).out), in[7], in[8])};
}

// in: q, k, v, then kernel (in, heads, width) and bias (heads, width) of query, key and value, kernel (heads, width,
// out) and bias of the output.
Outputs keras_multi_head(const Inputs& in) {
  const auto projected = [&](size_t x, size_t kernel) {
    return permute(einsum("bti,ihd->bthd", {in[x], in[kernel]}) + in[kernel + 1], {0, 2, 1, 3});
  };
  const Tensor out = attend(projected(0, 3), projected(1, 5), projected(2, 7)).out;
  return {einsum("bhtd,hdo->bto", {out, in[9]}) + in[10]};
}

const std::map<std::string, Case>& cases() {
  static const std::map<std::string, Case> table{
      {"sdpa", with({})},
      {"sdpa_causal", with({.span = causal()})},
      {"sdpa_mask", [](const Inputs& in) { return Outputs{attend(in[0], in[1], in[2], {.mask = in[3]}).out}; }},
      {"sdpa_bias", [](const Inputs& in) { return Outputs{attend(in[0], in[1], in[2], {.bias = in[3]}).out}; }},
      {"sdpa_grouped", with({})},
      {"sdpa_scale", with({.scores = scaled_dot(0.3)})},
      {"multi_head", multi_head},
      {"keras_attention", with({.scores = dot()})},
      {"keras_attention_scale",
       [](const Inputs& in) { return Outputs{attend(in[0], in[1], in[2], {.scores = scaled_dot(in[3])}).out}; }},
      {"keras_additive",
       [](const Inputs& in) { return Outputs{attend(in[0], in[1], in[2], {.scores = keras_additive(in[3])}).out}; }},
      {"keras_multi_head", keras_multi_head},
      {"x_softcap", with({.scores = scaled_dot(0.5), .soft_cap = 1.5})},
      {"x_top_k", with({.scores = scaled_dot(0.5), .normalizer = top_k(3)})},
      {"x_sigmoid", with({.scores = scaled_dot(0.5), .normalizer = sigmoid()})},
      {"x_causal_longer_keys", with({.scores = scaled_dot(0.5), .span = causal()})},
      {"sparsemax", with({.normalizer = sparsemax()})},
      {"entmax15", with({.normalizer = entmax15()})},
  };
  return table;
}

const GoldenFile& golden() {
  static const GoldenFile file("attention.npz");
  return file;
}

TEST(GoldenAttention, EveryCaseOfTheFileIsInTheTable) {
  std::set<std::string> table;
  for (const auto& [name, run] : cases()) table.insert(name);
  EXPECT_EQ(golden().names(), table);
}

// x-transformers and Keras take their softmax in f32.
TEST(GoldenAttention, F64EqualsTheOthers) {
  for (const auto& [name, run] : cases())
    golden().check(name, run, Dtype::f64, name.starts_with("x_") || name.starts_with("keras_") ? 2e-5 : 1e-10);
}

TEST(GoldenAttention, F32EqualsTheOthers) {
  for (const auto& [name, run] : cases()) golden().check(name, run, Dtype::f32, 3e-5);
}

}  // namespace
}  // namespace heed
