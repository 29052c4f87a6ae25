// The decoder-only language model: layers of causal self-attention.
//     Radford et al. 2019 (GPT-2): norms before the sublayers, learned places, gelu, one table for words in and out
//     Touvron et al. 2023, arXiv:2302.13971 (Llama): --norm rms --position rope --activation swiglu --bias=false …
//
//   x ← E w;  x ← x + self(norm(x));  x ← x + ff(norm(x));  p(next) = softmax(E norm(x))
#include "base/check.h"
#include "models/model.h"
#include "models/transformer_layers.h"

namespace heed {
namespace {

struct DecoderLmConfig : LayerConfig {
  Count target_words = 0, layers = 4;
  bool tied = true;

  DecoderLmConfig() { pre_norm = true, activation = Inner::gelu, position = "learned", scale_embedding = false; }
  void visit(auto&& field) {
    field("target_words", target_words, "tokens"), field("layers", layers, "one above the other");
    LayerConfig::visit(field);
    field("tied", tied, "the embeddings are the last layer's weights too");
  }
};

struct DecoderLm {
  using Config = DecoderLmConfig;
  static constexpr ModelWords kWords = {"decoder-lm", "Radford et al. 2019; Touvron et al. 2023, arXiv:2302.13971",
                                        "the language model of GPT-2 and, with other options, of Llama", false};
  static constexpr bool kReadsPacked = true;
  struct State {
    TextRead read;
    void visit_sentences(auto&&) {}
    void visit_rows(auto&& field) { field(read); }
  };

  Config config;
  PlacedEmbedding text;
  std::vector<CausalLayer> layers;
  LastNorm after;
  Tensor words;

  explicit DecoderLm(const Config& c) : config(c), text(c.target_words, c), after(c) {
    for (int64_t n = 0; n < c.layers; ++n) layers.emplace_back(c);
    words = c.tied ? text.words.weight : Embedding(c.target_words, c.width).weight;
  }

  State begin(const Sentences& none, const Pass&) const { return {TextRead(none.count(), layers.size())}; }
  Decoded forward(const Sentences&, const Sentences& said, const Pass& pass) const {
    return run(nullptr, said.ids, pass, said.documents);
  }
  Decoded step(State& state, const Tensor& ids, const Pass& pass) const {
    Decoded next = run(&state.read, ids, pass);
    state.read.places.read += ids.dim(1);
    return next;
  }
  bool joins() const { return !layers[0].self.counts_from_first(); }

  Decoded run(TextRead* read, const Tensor& ids, const Pass& pass, const Tensor& documents = {}) const {
    const Places places = read ? read->places : Places();
    Tensor x = text(ids, places, pass.in("text"), documents);
    for (size_t n = 0; n < layers.size(); ++n)
      x = layers[n](x, read ? &read->caches[n] : nullptr, pass.in("decoder", n),
                    {.starts = places.starts, .documents = documents});
    return {after(x), {}, {}};
  }
  int64_t places() const { return text.most(); }
  OutputWords output() const { return {words, {}}; }

  void visit(auto&& field) {
    field("text", text), field("layers", layers), field("after", after);
    if (!config.tied) field("words", words);
  }
};

}  // namespace

sequence::ModelRow sequence::decoder_lm_row() { return row_of<DecoderLm>(); }

}  // namespace heed
