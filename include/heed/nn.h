// Layers: structs with their weights, a call operator and one visit that names them.
//
//   struct Classifier {
//     heed::Linear hidden{2, 64}, out{64, 2};
//     heed::Tensor operator()(const heed::Tensor& x) const { return out(heed::relu(hidden(x))); }
//     void visit(auto&& field) { field("hidden", hidden), field("out", out); }
//   };
//   int main() {
//     Classifier model;
//     std::cout << heed::count_weights(model) << '\n';           // 322
//     heed::save_weights(model, "classifier.safetensors");        // hidden.weight, hidden.bias, out.weight, out.bias
//     heed::load_weights(model, "classifier.safetensors");
//   }
#pragma once

#include <heed/attention.h>
#include <heed/base.h>
#include <heed/io.h>
#include <heed/ops.h>
#include <heed/tensor.h>

#include <optional>

namespace heed {

// Initial values: written into a weight in place. A weight of shape (out, in, …) has in·… inputs and out·… outputs.
namespace initialize {

void uniform(Tensor weight, double low, double high, Random& from = random());
void normal(Tensor weight, double mean, double deviation, Random& from = random());
void truncated_normal(Tensor weight, double mean, double deviation, Random& from = random());  // within two deviations
void glorot_uniform(Tensor weight, double gain = 1, Random& from = random());                  // Glorot & Bengio 2010
void glorot_normal(Tensor weight, double gain = 1, Random& from = random());
void he_uniform(Tensor weight, Random& from = random());  // He, Zhang, Ren & Sun 2015, for relu
void he_normal(Tensor weight, Random& from = random());
void orthogonal(Tensor weight, double gain = 1, Random& from = random());  // Saxe, McClelland & Ganguli 2013

}  // namespace initialize

// A tensor that is trained.
Tensor weight(const Shape& shape);

struct Linear {
  Tensor weight, bias;  // (out, in), (out)
  Activation activation = Activation::none;

  Linear(int64_t in, int64_t out, Activation activation = Activation::none, bool with_bias = true);
  Tensor operator()(const Tensor& x) const { return linear(x, weight, bias, activation); }
  void visit(auto&& field) {
    field("weight", weight);
    if (bias.defined()) field("bias", bias);
  }
};

// Attention with projections of its own: heads are split off, attended and joined. Vaswani et al. 2017,
// arXiv:1706.03762. Fewer groups than heads share keys and values: Ainslie et al. 2023, arXiv:2305.13245.
struct MultiHeadOptions {
  int64_t heads = 8, groups = 0;                 // groups 0: as many as heads
  int64_t key_width = 0, value_width = 0;        // of what keys and values are made from; 0: as the queries
  int64_t head_width = 0, value_head_width = 0;  // 0: width / heads
  bool bias = true;
};
struct MultiHead {
  int64_t heads, groups;
  Linear query, key, value, output;

  explicit MultiHead(int64_t width, const MultiHeadOptions& options = {});
  // x (B,T,width); out (B,T,width), weights (B,H,T,S).
  Attended operator()(const Tensor& x, const AttendOptions& options = {}) const { return (*this)(x, x, x, options); }
  Attended operator()(const Tensor& x, const Tensor& memory, const AttendOptions& options = {}) const {
    return (*this)(x, memory, memory, options);
  }
  Attended operator()(const Tensor& x, const Tensor& keys, const Tensor& values, const AttendOptions& options) const;
  // Keys and values of what is looked at again and again: (B,G,S,D), (B,G,S,E).
  std::pair<Tensor, Tensor> read(const Tensor& keys, const Tensor& values) const;
  // The same attention over what was read. Sentences may have several rows of x each, side by side.
  Attended look(const Tensor& x, const Tensor& keys, const Tensor& values, const AttendOptions& options = {}) const;
  // One more piece of a text: its keys and values go into the cache, its queries look at all of it.
  Attended step(const Tensor& x, KeyValueCache& cache, const AttendOptions& options = {.span = causal()}) const;
  void visit(auto&& field) { field("query", query), field("key", key), field("value", value), field("output", output); }
};
// The weighted sum added to the input.
inline Tensor residual(const Tensor& x, const Attended& y) { return x + y.out; }

// act(x W₁) W₂, or (silu(x W₁) ∘ x W₃) W₂: Shazeer 2020, arXiv:2002.05202
struct FeedForward {
  Linear in, out;
  std::optional<Linear> gate;

  FeedForward(int64_t width, int64_t inner, Activation activation, bool gated = false, bool bias = true);
  Tensor operator()(const Tensor& x) const { return (*this)(x, {}); }
  // watch sees silu(x W₁), where there is a gate.
  Tensor operator()(const Tensor& x, const Watch& watch) const {
    return gate ? out(watch.shown(in(x)) * (*gate)(x)) : out(in(x));
  }
  void visit(auto&& field) {
    field("in", in), field("out", out);
    if (gate) field("gate", *gate);
  }
};

struct Embedding {
  Tensor weight;  // (words, width)

  Embedding(int64_t words, int64_t width);
  Tensor operator()(const Tensor& ids) const { return embedding(weight, ids); }
  void visit(auto&& field) { field("weight", weight); }
};

struct LayerNorm {
  Tensor weight, bias;  // (width)
  double epsilon = 1e-5;

  explicit LayerNorm(int64_t width);
  Tensor operator()(const Tensor& x) const { return layer_norm(x, weight, bias, epsilon); }
  void visit(auto&& field) { field("weight", weight), field("bias", bias); }
};

struct RmsNorm {
  Tensor weight;  // (width)
  double epsilon = 1e-6;

  explicit RmsNorm(int64_t width);
  Tensor operator()(const Tensor& x) const { return rms_norm(x, weight, epsilon); }
  void visit(auto&& field) { field("weight", weight); }
};

// Where a recurrent layer stands: (B, H); c of the LSTM alone. Undefined: at zero.
struct RecurrentState {
  Tensor h, c;
  void visit(auto&& field) { field("h", h), field("c", c); }
};
// A recurrent layer over (T, B, in) -> (T, B, out): one direction, or two whose outputs stand side by side.
struct Recurrent {
  std::vector<RecurrentWeights> directions;  // one or two
  Cell cell;

  Recurrent(Cell cell, int64_t in, int64_t out, bool bidirectional = false);
  RecurrentOutput operator()(const Tensor& x, const RecurrentOptions& options = {}) const {
    return recurrent(cell, x, directions, options);
  }
  // One step of one direction, x (B, in): the new state, whose h is the output.
  RecurrentState step(const Tensor& x, const RecurrentState& before) const;
  void visit(auto&& field) { field("directions", directions); }
};

struct Conv2d {
  Tensor weight, bias;  // (out, in / groups, height, width), (out)
  ConvolutionOptions options;

  Conv2d(int64_t in, int64_t out, int64_t kernel, const ConvolutionOptions& options = {});
  Tensor operator()(const Tensor& x) const { return conv2d(x, weight, bias, options); }
  void visit(auto&& field) { field("weight", weight), field("bias", bias); }
};

// What follows from visit.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

template <class Model>
NamedTensors named_weights(Model& model) {
  NamedTensors found;
  visit_leaves(model, "", [&](const std::string& name, auto& value) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, Tensor>)
      if (value.defined()) found.emplace_back(name, value);
  });
  return found;
}

template <class Model>
std::vector<Tensor> weights(Model& model) {
  std::vector<Tensor> found;
  for (auto& [name, tensor] : named_weights(model)) found.push_back(tensor);
  return found;
}

template <class Model>
int64_t count_weights(Model& model) {
  int64_t count = 0;
  for (const Tensor& tensor : weights(model)) count += tensor.numel();
  return count;
}

void zero_gradients(const std::vector<Tensor>& weights);

// Copies from a file into the weights: every name and shape must be there, and no others.
void load_weights(const NamedTensors& into, const std::string& file);
void save_weights(const NamedTensors& weights, const std::string& file);
// The same from tensors that were read; `where` names their file in errors.
void copy_weights(const std::string& where, const TensorFile& from, const NamedTensors& into);

template <class Model>
void load_weights(Model& model, const std::string& file) requires Visitable<Model> {
  load_weights(named_weights(model), file);
}
template <class Model>
void save_weights(Model& model, const std::string& file) requires Visitable<Model> {
  save_weights(named_weights(model), file);
}

}  // namespace heed
