// The Transformer.                                        Vaswani et al. 2017, arXiv:1706.03762
//
//   encoder layer   x ← norm(x + self(x));  x ← norm(x + ff(x))                    post-norm, as published
//   decoder layer   y ← norm(y + causal self(y));  y ← norm(y + cross(y, x));  y ← norm(y + ff(y))
//   pre-norm        x ← x + self(norm(x)); …; a last norm at the end               Xiong et al. 2020, arXiv:2002.04745
// Where a place looked is a mean over the heads of the last layer. Embeddings are multiplied by √D, unless told
// otherwise. Sinusoids or a learned table are added to them; other positions act in self-attention.
#include <cmath>

#include "base/check.h"
#include "models/choices.h"
#include "models/model.h"
#include "models/options.h"
#include "models/transformer_layers.h"

namespace heed {
namespace {

struct TransformerConfig : LayerConfig {
  Count source_words = 0, target_words = 0, layers = 3;
  Amount decoder_layers = 0;
  bool tied = true, shared = false;
  AlignmentLosses alignment;

  void visit(auto&& field) {
    field("source_words", source_words, "tokens of the source"), field("target_words", target_words, "of the target");
    field("layers", layers, "of the encoder, and of the decoder");
    field("decoder_layers", decoder_layers, "where they are not as many; 0: as many");
    LayerConfig::visit(field);
    field("tied", tied, "the target's embeddings are the last layer's weights too");
    field("shared", shared, "one table of embeddings for source and target, of one vocabulary");
    alignment.visit(field);
  }
};

// Keys and values of the source as a layer sees them.
struct Read {
  Tensor keys, values;
  void visit(auto&& field) { field("keys", keys), field("values", values); }
};

struct DecoderLayer {
  MechanismHeads self;
  Sublayer after_self;
  MultiHead cross;
  Sublayer after_cross;
  FeedForward forward;
  Sublayer after_forward;

  explicit DecoderLayer(const LayerConfig& c)
      : self(self_heads(c)),
        after_self(c),
        cross(c.width, head_options(c)),
        after_cross(c),
        forward(feed_forward(c)),
        after_forward(c) {}
  // Without a cache x is the whole text; with one, what comes next of texts that begin there.
  Tensor operator()(Tensor x, const Read& source, KeyValueCache* cache, const TextAround& around,
                    const AttendOptions& looks, Tensor* weights, const Pass& pass) const {
    AttendOptions options = self_options(self, after_self.config, pass);
    options.span = options.span & around.span();
    x = after_self(x, pass, [&](const Tensor& y) {
      return cache ? self.heads.step(y, *cache, options).out : self.heads(y, options).out;
    });
    x = after_cross(x, pass, [&](const Tensor& y) {
      const Attended seen = cross.look(y, source.keys, source.values, looks);
      if (weights) *weights = mean(seen.weights, 1);
      return seen.out;
    });
    return pass.shown("hidden", after_forward(x, pass, watched(forward, pass)));
  }
  void visit(auto&& field) {
    field("self", self), field("after_self", after_self), field("cross", cross), field("after_cross", after_cross);
    field("forward", forward), field("after_forward", after_forward);
  }
};

struct Transformer {
  using Config = TransformerConfig;
  static constexpr ModelWords kWords = {"transformer", "Vaswani et al. 2017, arXiv:1706.03762",
                                        "encoder and decoder of nothing but attention"};
  struct State {
    std::vector<Read> source;  // a layer each
    Tensor lengths;
    TextRead read;
    void visit_sentences(auto&& field) { field(source), field(lengths); }
    void visit_rows(auto&& field) { field(read); }
  };

  Config config;
  PlacedEmbedding source, target;
  std::vector<EncoderLayer> encoder;
  std::vector<DecoderLayer> decoder;
  LastNorm after_encoder, after_decoder;
  Tensor words, word_bias;

  explicit Transformer(const Config& c)
      : config(c), source(c.source_words, c), target(c.target_words, c), after_encoder(c), after_decoder(c) {
    for (int64_t n = 0; n < c.layers; ++n) encoder.emplace_back(c);
    for (int64_t n = 0; n < c.decoder_layers.or_else(c.layers); ++n) decoder.emplace_back(c);
    if (c.shared) {
      check(c.source_words == c.target_words, "transformer",
            "source and target have {} and {} tokens: one table wants one vocabulary", c.source_words.value,
            c.target_words.value);
      source.words = target.words;
    }
    words = c.tied ? target.words.weight : Embedding(c.target_words, c.width).weight;
    word_bias = weight({c.target_words});
  }

  Tensor encode(const Sentences& text, const Pass& pass) const {
    Tensor x = source(text.ids, {}, pass.in("source"));
    for (size_t n = 0; n < encoder.size(); ++n) x = encoder[n](x, text.lengths, pass.in("encoder", n));
    return after_encoder(x);
  }
  State begin(const Sentences& text, const Pass& pass) const { return read(encode(text, pass), text.lengths); }
  State read(const Tensor& x, const Tensor& lengths) const {
    State state{{}, lengths, TextRead(x.dim(0), decoder.size())};
    for (const DecoderLayer& layer : decoder) {
      auto [keys, values] = layer.cross.read(x, x);
      state.source.push_back({keys, values});
    }
    return state;
  }

  Decoded forward(const Sentences& text, const Sentences& said, const Pass& pass) const {
    State state = read(encode(text, pass), text.lengths);
    return config.alignment(decode(state, said.ids, false, config.alignment.seeing(pass)), said, pass);
  }
  Decoded step(State& state, const Tensor& ids, const Pass& pass) const {
    Decoded next = decode(state, ids, true, pass);
    state.read.places.read += ids.dim(1);
    return next;
  }
  bool joins() const { return !decoder[0].self.counts_from_first(); }

  Decoded decode(State& state, const Tensor& ids, bool cached, const Pass& pass) const {
    Tensor y = target(ids, state.read.places, pass.in("target")), weights;
    const AttendOptions looks{
        .key_lengths = state.lengths, .dropout = attention_dropout(config, pass), .return_weights = pass.weights};
    for (size_t n = 0; n < decoder.size(); ++n) {
      const bool last = n + 1 == decoder.size();
      const Pass within = pass.in("decoder", n);
      AttendOptions of_layer = looks;
      of_layer.return_weights = pass.weights && last, of_layer.watch = within.watch("cross");
      y = decoder[n](y, state.source[n], cached ? &state.read.caches[n] : nullptr, {.starts = state.read.places.starts},
                     of_layer, of_layer.return_weights ? &weights : nullptr, within);
    }
    return {after_decoder(y), weights, {}};
  }
  int64_t places() const { return target.most(); }
  OutputWords output() const { return {words, word_bias}; }

  void visit(auto&& field) {
    if (!config.shared) field("source", source);
    field("target", target), field("encoder", encoder), field("after_encoder", after_encoder);
    field("decoder", decoder), field("after_decoder", after_decoder);
    if (!config.tied) field("words", words);
    field("word_bias", word_bias);
  }
};

}  // namespace

sequence::ModelRow sequence::transformer_row() { return row_of<Transformer>(); }

}  // namespace heed
