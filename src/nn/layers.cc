#include <heed/nn.h>

#include <cmath>
#include <map>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {

Tensor weight(const Shape& shape) { return Tensor::zeros(shape).requires_grad(true); }

static Tensor ones_weight(int64_t width) { return Tensor::full({width}, 1).requires_grad(true); }

Linear::Linear(int64_t in, int64_t out, Activation activation, bool with_bias)
    : weight(heed::weight({out, in})), activation(activation) {
  activation == Activation::relu ? initialize::he_uniform(weight) : initialize::glorot_uniform(weight);
  if (with_bias) bias = heed::weight({out});
}

FeedForward::FeedForward(int64_t width, int64_t inner, Activation activation, bool gated, bool bias)
    : in(width, inner, activation, bias), out(inner, width, Activation::none, bias) {
  if (gated) gate.emplace(width, inner, Activation::none, bias);
}

Embedding::Embedding(int64_t words, int64_t width) : weight(heed::weight({words, width})) {
  initialize::normal(weight, 0, 1 / std::sqrt(static_cast<double>(width)));
}

LayerNorm::LayerNorm(int64_t width) : weight(ones_weight(width)), bias(heed::weight({width})) {}

RmsNorm::RmsNorm(int64_t width) : weight(ones_weight(width)) {}

// Glorot for the input, orthogonal for the recurrence (as Keras has it); the LSTM's forget gate begins open.
Recurrent::Recurrent(Cell cell, int64_t in, int64_t out, bool bidirectional) : cell(cell) {
  const int64_t strips = gates(cell);
  for (int direction = 0; direction < (bidirectional ? 2 : 1); ++direction) {
    RecurrentWeights w{weight({strips * out, in}), weight({strips * out, out}), weight({strips * out}),
                       weight({strips * out})};
    initialize::glorot_uniform(w.input);
    for (int64_t gate = 0; gate < strips; ++gate)
      initialize::orthogonal(w.hidden.slice(0, gate * out, (gate + 1) * out));
    if (cell == Cell::lstm) w.input_bias.detach().slice(0, out, 2 * out).fill(1);
    directions.push_back(w);
  }
}

Conv2d::Conv2d(int64_t in, int64_t out, int64_t kernel, const ConvolutionOptions& options)
    : weight(heed::weight({out, in / options.groups, kernel, kernel})), bias(heed::weight({out})), options(options) {
  initialize::he_uniform(weight);
}

void zero_gradients(const std::vector<Tensor>& weights) {
  for (Tensor weight : weights) weight.zero_grad();
}

void save_weights(const NamedTensors& weights, const std::string& file) {
  save_safetensors(file, {.tensors = weights, .metadata = {}});
}

void load_weights(const NamedTensors& into, const std::string& file) {
  copy_weights(file, load_safetensors(file), into);
}

// All names and shapes are checked before the first weight changes.
void copy_weights(const std::string& where, const TensorFile& from, const NamedTensors& into) {
  std::map<std::string, Tensor> found;
  for (const auto& [name, tensor] : from.tensors) found[name] = tensor;
  for (const auto& [name, tensor] : into) {
    const auto at = found.find(name);
    check(at != found.end(), where, "weight {} is not in the file", name);
    check(at->second.shape() == tensor.shape(), where, "weight {} has shape {} in the file, but {} in the model", name,
          at->second.shape(), tensor.shape());
  }
  check(found.size() == into.size(), where, "the file holds {} weights, the model {}", found.size(), into.size());
  for (auto [name, tensor] : into) tensor.copy_from(found.at(name));
}

}  // namespace heed
