// What the models of Transformer layers share: options, embeddings with their places, and what stands around a
// sublayer.
#pragma once

#include <heed/models.h>

#include <array>

#include "models/model.h"
#include "nn/mechanism_heads.h"

namespace heed {

enum class Inner { relu, gelu, swiglu };
constexpr std::array<std::pair<const char*, Inner>, 3> names_of(Inner) {
  return {{{"relu", Inner::relu}, {"gelu", Inner::gelu}, {"swiglu", Inner::swiglu}}};
}
enum class NormKind { layer, rms };
constexpr std::array<std::pair<const char*, NormKind>, 2> names_of(NormKind) {
  return {{{"layer", NormKind::layer}, {"rms", NormKind::rms}}};
}

struct LayerConfig {
  Count width = 256, heads = 4, longest = 256;
  int64_t groups = 0, inner = 0;
  Inner activation = Inner::relu;
  bool pre_norm = false;
  NormKind norm = NormKind::layer;
  std::string attention = "scaled_dot", position = "sinusoidal";
  Share dropout = 0.1, attention_dropout = 0;

  void visit(auto&& field) {
    field("width", width, "of embeddings and layers"), field("heads", heads, "of attention; they divide the width");
    field("groups", groups, "of heads that share keys and values; 0: none share");
    field("inner", inner, "width within the feed-forward layers; 0: four times the width");
    field("activation", activation, "of the feed-forward layers: relu, gelu or swiglu");
    field("pre_norm", pre_norm, "norms before the sublayers in place of after them: trains more easily");
    field("norm", norm, "layer or rms");
    field("attention", attention, "of a text to itself, a mechanism of heed mechanisms");
    field("position", position, "sinusoidal, learned, none, or a position of heed mechanisms (rope, alibi, t5 …)");
    field("longest", longest, "tokens that positions are learned for");
    field("dropout", dropout, "of embeddings and sublayers"),
        field("attention_dropout", attention_dropout, "of weights");
  }
};

inline bool placed_in_embedding(const LayerConfig& c) {
  return c.position == "sinusoidal" || c.position == "learned" || c.position == "none";
}
inline float attention_dropout(const LayerConfig& c, const Pass& pass) {
  return pass.training ? static_cast<float>(c.attention_dropout) : 0.0f;
}
inline MultiHeadOptions head_options(const LayerConfig& c) { return {.heads = c.heads, .groups = c.groups}; }
inline MechanismHeads self_heads(const LayerConfig& c) {
  return {c.width, head_options(c), c.attention, placed_in_embedding(c) ? "" : c.position, c.longest};
}
inline FeedForward feed_forward(const LayerConfig& c) {
  const bool gated = c.activation == Inner::swiglu;
  const Activation activation = gated                         ? Activation::silu
                                : c.activation == Inner::gelu ? Activation::gelu
                                                              : Activation::relu;
  return {c.width, c.inner > 0 ? c.inner : 4 * c.width, activation, gated};
}

// Either norm.
struct Norm {
  Tensor weight, bias;
  explicit Norm(const LayerConfig& c);
  Tensor operator()(const Tensor& x) const;
  Tensor of_sum(const Tensor& x, const Tensor& residual) const;
  void visit(auto&& field) {
    field("weight", weight);
    if (bias.defined()) field("bias", bias);
  }
};

// x + f(x) with its norm and dropout.
struct Sublayer {
  LayerConfig config;
  Norm norm;
  explicit Sublayer(const LayerConfig& c) : config(c), norm(c) {}
  template <class F>
  Tensor operator()(const Tensor& x, const Pass& pass, const F& f) const {
    if (config.pre_norm) return x + dropped(f(norm(x)), config.dropout, pass);
    return norm.of_sum(x, dropped(f(x), config.dropout, pass));
  }
  void visit(auto&& field) { field("norm", norm); }
};

// Self-attention and feed-forward.
struct EncoderLayer {
  MechanismHeads self;
  Sublayer after_self;
  FeedForward forward;
  Sublayer after_forward;

  explicit EncoderLayer(const LayerConfig& c)
      : self(self_heads(c)), after_self(c), forward(feed_forward(c)), after_forward(c) {}
  Tensor operator()(Tensor x, const Tensor& lengths, const Pass& pass) const {
    AttendOptions options = self.options();
    options.key_lengths = lengths, options.dropout = attention_dropout(after_self.config, pass);
    x = after_self(x, pass, [&](const Tensor& y) { return self.heads(y, options).out; });
    return after_forward(x, pass, forward);
  }
  void visit(auto&& field) {
    field("self", self), field("after_self", after_self), field("forward", forward);
    field("after_forward", after_forward);
  }
};

// The norm at the end of pre-norm layers; nothing after post-norm ones.
struct LastNorm {
  std::optional<Norm> norm;
  explicit LastNorm(const LayerConfig& c) {
    if (c.pre_norm) norm.emplace(c);
  }
  Tensor operator()(const Tensor& x) const { return norm ? (*norm)(x) : x; }
  void visit(auto&& field) {
    if (norm) field("norm", *norm);
  }
};

// √D·E x, with places added where they belong to the embedding.
struct PlacedEmbedding {
  Embedding words;
  Tensor places;  // (longest, D): learned, or sinusoids
  LayerConfig config;

  PlacedEmbedding(int64_t count, const LayerConfig& c);
  // ids (B,T), the first at place `first`. Error for a text longer than a learned table.
  Tensor operator()(const Tensor& ids, int64_t first, const Pass& pass) const;
  void visit(auto&& field) {
    field("words", words);
    if (config.position == "learned") field("places", places);
  }
};

}  // namespace heed
