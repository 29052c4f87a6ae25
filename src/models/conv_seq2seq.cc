// Convolutions in place of recurrent layers.                                   Gehring et al. 2017, arXiv:1705.03122
//
//   e_j = E x_j + P_j              words and learned places
//   encoder: x ← (x + gate(conv(x)))·√½, from W e to z = W' x
//   g_t = E y_{t−1} + P_t          likewise; each layer of the decoder sees no word to come:
//   h = gate(conv(x)),  d = (W h + g)·√½
//   c = √m·Σ_j a_j (z_j + e_j)·√½  attention from d to the z of the m words of the source
//   x ← ((h + V c)·√½ + x)·√½
//   p(y_t) = softmax(W_o W'' x)
//
// Where decoding stands are the last kernel − 1 inputs of each layer.
#include <cmath>

#include "models/options.h"
#include "nn/gated_convolution.h"
#include "nn/places.h"
#include "nn/source_attention.h"

namespace heed {
namespace {

struct ConvConfig {
  Vocabularies vocabularies;
  Count width = 256, layers = 4, kernel = 3, longest = 256;
  std::string attention = "dot";
  Dropouts dropouts;
  AlignmentLosses alignment;

  void visit(auto&& field) {
    vocabularies.visit(field);
    field("width", width, "of embeddings and layers");
    field("layers", layers, "of encoder and decoder"), field("kernel", kernel, "words that a layer sees at once");
    field("attention", attention, "a mechanism of heed mechanisms");
    field("longest", longest, "source and target: each place is learned");
    dropouts.visit(field), alignment.visit(field);
  }
};

const double kHalf = std::sqrt(0.5);  // keeps the variance of a sum of two

// Words with their places.
struct PlacedWords {
  Embedding words, places;

  PlacedWords(int64_t words, int64_t longest, int64_t width) : words(words, width), places(longest, width) {}
  Tensor operator()(const Tensor& ids, const Places& read, const Dropouts& dropouts, const Pass& pass) const {
    const int64_t last = read.furthest(ids.dim(1)), longest = places.weight.dim(0);
    check(last <= longest, "conv-seq2seq", "a sentence of {} words, but it has learned {} places", last, longest);
    return dropouts(dropouts.words(words, ids, pass) + read.rows_of(places.weight, ids.dim(1)), pass);
  }
  void visit(auto&& field) { field("words", words), field("places", places); }
};

struct ConvDecoderLayer {
  GatedConvolution convolution;
  Linear query, context;
  SourceAttention attention;

  explicit ConvDecoderLayer(const ConvConfig& c)
      : convolution(c.width, c.kernel, c.dropouts.dropout),
        query(c.width, c.width),
        context(c.width, c.width),
        attention(c.width, {.mechanism = c.attention, .longest = c.longest}) {}
  void visit(auto&& field) {
    field("convolution", convolution), field("query", query), field("context", context), field("attention", attention);
  }
};

struct ConvSeq2Seq {
  using Config = ConvConfig;
  static constexpr ModelWords kWords = {"conv-seq2seq", "Gehring et al. 2017, arXiv:1705.03122",
                                        "gated convolutions, attention in each layer of the decoder"};
  struct State {
    std::vector<Memory> memories;  // of each layer
    std::vector<Tensor> before;    // its last inputs (R,kernel−1,width)
    Places places;
    void visit_sentences(auto&& field) { field(memories); }
    void visit_rows(auto&& field) { field(before), field(places); }
  };

  Dropouts dropouts;
  AlignmentLosses alignment;
  int64_t kernel;
  PlacedWords source, target;
  Linear source_in, source_out, target_in, target_out;
  std::vector<GatedConvolution> encoder;
  std::vector<ConvDecoderLayer> decoder;
  Linear words;

  explicit ConvSeq2Seq(const Config& c)
      : dropouts(c.dropouts),
        alignment(c.alignment),
        kernel(c.kernel),
        source(c.vocabularies.source_words, c.longest, c.width),
        target(c.vocabularies.target_words, c.longest, c.width),
        source_in(c.width, c.width),
        source_out(c.width, c.width),
        target_in(c.width, c.width),
        target_out(c.width, c.width),
        words(c.width, c.vocabularies.target_words) {
    for (int64_t n = 0; n < c.layers; ++n)
      encoder.emplace_back(c.width, c.kernel, c.dropouts.dropout), decoder.emplace_back(c);
  }

  State encode(const Sentences& text, const Pass& pass) const {
    const Tensor embedded = source(text.ids, {}, dropouts, pass.in("source"));
    const Tensor inside = unsqueeze(heed::places(text.lengths, text.longest()), 2);
    Tensor x = source_in(embedded);
    for (size_t n = 0; n < encoder.size(); ++n) {
      const Pass within = pass.in("encoder", n);
      const Tensor seen = pad(dropouts(x, pass) * inside, {{(kernel - 1) / 2, kernel / 2}, {0, 0}});
      x = within.shown("hidden", (x + encoder[n](seen, within.watch("gates"))) * kHalf);
    }
    const Tensor keys = source_out(x);
    const Tensor scale = reshape(sqrt(to(text.lengths, Dtype::f32)), {-1, 1, 1});
    State state{{}, {}, Places(text.count())};
    for (const ConvDecoderLayer& layer : decoder) {
      state.memories.push_back(layer.attention.read(keys, (keys + embedded) * kHalf * scale, text.lengths));
      state.before.push_back(zeros({text.count(), kernel - 1, x.dim(-1)}));
    }
    return state;
  }
  State begin(const Sentences& text, const Pass& pass) const { return encode(text, pass); }

  Decoded forward(const Sentences& text, const Sentences& said, const Pass& pass) const {
    State state = encode(text, pass);
    return alignment(step(state, said.ids, alignment.seeing(pass)), said, pass);
  }
  Decoded step(State& state, const Tensor& ids, const Pass& pass) const {
    const Tensor embedded = target(ids, state.places, dropouts, pass.in("target"));
    Tensor x = target_in(embedded), weights;
    for (size_t n = 0; n < decoder.size(); ++n) {
      const ConvDecoderLayer& layer = decoder[n];
      const Pass within = pass.in("decoder", n);
      const Tensor seen = concat({state.before[n], dropouts(x, pass)}, 1);
      state.before[n] = slice(seen, 1, ids.dim(1), seen.dim(1));
      const Tensor h = layer.convolution(seen, within.watch("gates"));
      const Attended context = layer.attention((layer.query(h) + embedded) * kHalf, state.memories[n],
                                               state.places.read, pass.weights, within.watch("cross"));
      x = within.shown("hidden", ((h + layer.context(context.out)) * kHalf + x) * kHalf);
      if (pass.weights) weights = n > 0 ? weights + context.weights : context.weights;
    }
    state.places.read += ids.dim(1);
    if (pass.weights) weights = weights / static_cast<double>(decoder.size());
    return {dropouts(target_out(x), pass), weights, {}};
  }
  int64_t places() const { return target.places.weight.dim(0); }
  OutputWords output() const { return {words.weight, words.bias}; }

  void visit(auto&& field) {
    field("source", source), field("target", target), field("source_in", source_in), field("encoder", encoder);
    field("source_out", source_out), field("target_in", target_in), field("decoder", decoder);
    field("target_out", target_out), field("words", words);
  }
};

}  // namespace

sequence::ModelRow sequence::conv_seq2seq_row() { return row_of<ConvSeq2Seq>(); }

}  // namespace heed
