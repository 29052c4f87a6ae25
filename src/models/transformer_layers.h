// What the models of Transformer layers share: options, embeddings with their places, and what stands around a
// sublayer.
#pragma once

#include <heed/models.h>

#include <array>

#include "models/model.h"
#include "nn/mechanism_heads.h"

namespace heed {

enum class Inner { relu, gelu, gelu_tanh, silu, swiglu };
constexpr std::array<std::pair<const char*, Inner>, 5> names_of(Inner) {
  return {{{"relu", Inner::relu},
           {"gelu", Inner::gelu},
           {"gelu_tanh", Inner::gelu_tanh},
           {"silu", Inner::silu},
           {"swiglu", Inner::swiglu}}};
}
enum class NormKind { layer, rms };
constexpr std::array<std::pair<const char*, NormKind>, 2> names_of(NormKind) {
  return {{{"layer", NormKind::layer}, {"rms", NormKind::rms}}};
}

enum class RopeStretch { none, linear, yarn, llama3 };
constexpr std::array<std::pair<const char*, RopeStretch>, 4> names_of(RopeStretch) {
  return {{{"none", RopeStretch::none},
           {"linear", RopeStretch::linear},
           {"yarn", RopeStretch::yarn},
           {"llama3", RopeStretch::llama3}}};
}

struct LayerConfig {
  Count width = 256, heads = 4, longest = 256;
  Amount groups = 0, head_width = 0, inner = 0;
  Inner activation = Inner::relu;
  bool pre_norm = false;
  NormKind norm = NormKind::layer;
  Strength norm_epsilon = 1e-5;
  bool bias = true, scale_embedding = true;
  std::string attention = "scaled_dot", position = "sinusoidal_halves";
  Strength rope_base = 10000;
  RopeStretch rope_stretch = RopeStretch::none;
  Strength rope_factor = 1, rope_slow = 1, rope_fast = 0;
  Count rope_trained = 2048;
  Share dropout = 0.1, attention_dropout = 0;

  void visit(auto&& field) {
    field("width", width, "of embeddings and layers"),
        field("heads", heads, "of attention; they divide the width, or have a width of their own");
    field("groups", groups, "of heads that share keys and values; 0: none share");
    field("head_width", head_width, "of each head; 0: the heads share the width");
    field("inner", inner, "width within the feed-forward layers; 0: four times the width");
    field("activation", activation, "of the feed-forward layers: relu, gelu, gelu_tanh, silu or swiglu");
    field("pre_norm", pre_norm, "norms before the sublayers in place of after them: trains more easily");
    field("norm", norm, "layer or rms"), field("norm_epsilon", norm_epsilon, "added to the variance within norms");
    field("bias", bias, "in the linear layers");
    field("scale_embedding", scale_embedding, "embeddings times the root of the width");
    field("attention", attention, "of a text to itself, a mechanism of heed mechanisms");
    field("position", position,
          "sinusoidal_halves (sines, then cosines), sinusoidal (by turns), learned, none, or a position of heed "
          "mechanisms (rope, alibi, t5 …)");
    field("rope_base", rope_base, "of the angles of rope");
    field("rope_stretch", rope_stretch, "of rope, to longer texts than those trained on: none, linear, yarn or llama3");
    field("rope_factor", rope_factor, "so many times as long"),
        field("rope_trained", rope_trained, "tokens of the texts trained on, of yarn and llama3");
    field("rope_slow", rope_slow, "pairs of columns that turn so often in a text trained on, or less, are stretched"),
        field("rope_fast", rope_fast, "those that turn so often or more are kept; 0: 32 with yarn, 4 with llama3");
    field("longest", longest, "tokens that positions are learned for");
    field("dropout", dropout, "of embeddings and sublayers"),
        field("attention_dropout", attention_dropout, "of weights");
  }
};

inline bool is_sinusoidal(const LayerConfig& c) {
  return c.position == "sinusoidal" || c.position == "sinusoidal_halves";
}
inline bool placed_in_embedding(const LayerConfig& c) {
  return is_sinusoidal(c) || c.position == "learned" || c.position == "none";
}
inline float attention_dropout(const LayerConfig& c, const Pass& pass) {
  return pass.training ? static_cast<float>(c.attention_dropout) : 0.0f;
}
inline MultiHeadOptions head_options(const LayerConfig& c) {
  return {.heads = c.heads, .groups = c.groups, .head_width = c.head_width, .bias = c.bias};
}
inline RopeScaling rope_scaling(const LayerConfig& c) {
  const auto fast = [&](double usual) { return c.rope_fast > 0 ? double{c.rope_fast} : usual; };
  switch (c.rope_stretch) {
    case RopeStretch::none: break;
    case RopeStretch::linear: return RopeLinear{c.rope_factor};
    case RopeStretch::yarn: return RopeYarn{c.rope_factor, c.rope_trained, fast(32), c.rope_slow};
    case RopeStretch::llama3: return RopeLlama3{c.rope_factor, c.rope_trained, fast(4), c.rope_slow};
  }
  return {};
}
inline Position rope_of(const LayerConfig& c) { return rope({.base = c.rope_base, .scaling = rope_scaling(c)}); }
inline MechanismHeads self_heads(const LayerConfig& c) {
  check(c.position == "rope" || c.rope_stretch == RopeStretch::none, "rope_stretch", "position is {}, wanted rope",
        c.position);
  if (c.position == "rope") rope_of(c);  // refuses what makes no sense before anything is learned
  return {c.width, head_options(c), c.attention, placed_in_embedding(c) ? "" : c.position, c.longest};
}
// What a text's attention to itself is, in this pass.
inline AttendOptions self_options(const MechanismHeads& self, const LayerConfig& c, const Pass& pass) {
  AttendOptions options = self.options();
  if (c.position == "rope") options.position = rope_of(c);
  options.dropout = attention_dropout(c, pass), options.watch = pass.watch("self");
  return options;
}
inline Activation activation_of(Inner inner) {
  switch (inner) {
    case Inner::relu: return Activation::relu;
    case Inner::gelu: return Activation::gelu;
    case Inner::gelu_tanh: return Activation::gelu_tanh;
    case Inner::silu:
    case Inner::swiglu: return Activation::silu;
  }
  return Activation::none;
}
inline FeedForward feed_forward(const LayerConfig& c) {
  return {c.width, c.inner.or_else(4 * c.width), activation_of(c.activation), c.activation == Inner::swiglu, c.bias};
}

// Either norm.
struct Norm {
  Tensor weight, bias;
  double epsilon;
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
  // What the sublayer sees of x.
  Tensor before(const Tensor& x) const { return config.pre_norm ? norm(x) : x; }
  void visit(auto&& field) { field("norm", norm); }
};

// The same for whoever looks on: its gates have a name.
inline auto watched(const FeedForward& forward, const Pass& pass) {
  return [&forward, watch = pass.watch("gates")](const Tensor& x) { return forward(x, watch); };
}

// Self-attention and feed-forward.
struct SelfLayer {
  MechanismHeads self;
  Sublayer after_self;
  FeedForward forward;
  Sublayer after_forward;

  explicit SelfLayer(const LayerConfig& c)
      : self(self_heads(c)), after_self(c), forward(feed_forward(c)), after_forward(c) {}
  AttendOptions options(const Pass& pass) const { return self_options(self, after_self.config, pass); }
  // attend(y): what y sees of its text.
  template <class Attend>
  Tensor run(const Tensor& x, const Pass& pass, const Attend& attend) const {
    return pass.shown("hidden", after_forward(after_self(x, pass, attend), pass, watched(forward, pass)));
  }
  void visit(auto&& field) {
    field("self", self), field("after_self", after_self), field("forward", forward);
    field("after_forward", after_forward);
  }
};

struct EncoderLayer : SelfLayer {
  using SelfLayer::SelfLayer;
  Tensor operator()(const Tensor& x, const Tensor& lengths, const Pass& pass) const {
    AttendOptions look = options(pass);
    look.key_lengths = lengths;
    return run(x, pass, [&](const Tensor& y) { return self.heads(y, look).out; });
  }
};

// What stands around a text: what a layer remembers of the text before, the places where texts begin that end together,
// or which of the texts that share its row each place belongs to.
struct TextAround {
  Tensor states = {};
  std::vector<int64_t> starts = {};
  Tensor documents = {};
  Span span() const {
    Span span = causal();
    if (!starts.empty()) span = span & heed::starts(starts);
    if (documents.defined()) span = span & heed::documents(documents);
    return span;
  }
};
// A text that sees what stands before each place.
struct CausalLayer : SelfLayer {
  using SelfLayer::SelfLayer;
  // x is the whole text; or, with a cache, what comes next.
  Tensor operator()(const Tensor& x, KeyValueCache* cache, const Pass& pass, const TextAround& around = {}) const {
    AttendOptions look = options(pass);
    look.span = look.span & around.span();
    return run(x, pass, [&](const Tensor& y) {
      if (cache) return self.heads.step(y, *cache, look).out;
      const Tensor& memory = around.states;
      return self.heads(y, with_memory(memory.defined() ? after_self.before(memory) : memory, y), look).out;
    });
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

// E x, or √D·E x, with places added where they belong to the embedding.
struct PlacedEmbedding {
  Embedding words;
  Tensor places;  // (longest, D): learned, or sinusoids
  LayerConfig config;

  PlacedEmbedding(int64_t count, const LayerConfig& c);
  int64_t most() const { return config.position == "learned" ? config.longest.value : INT64_MAX; }
  // ids (B,T), which are read next; of texts that share a row, each from 0. Error for more than a learned table.
  Tensor operator()(const Tensor& ids, const Places& read, const Pass& pass, const Tensor& documents = {}) const;
  void visit(auto&& field) {
    field("words", words);
    if (config.position == "learned") field("places", places);
  }
};

}  // namespace heed
