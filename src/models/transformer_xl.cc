// Transformer-XL: a language model that remembers the text before.       Dai et al. 2019, arXiv:1901.02860
//
//   h̃ ← [SG(m); h];  h ← norm(h + attend(W_q h, W_k h̃, W_v h̃));  h ← norm(h + ff(h))
// m: what went into the same layer for the text before, to which no gradient flows back (SG). Distances, not places,
// are added to the scores, so that they mean the same across the seam.
#include <algorithm>

#include "base/check.h"
#include "models/model.h"
#include "models/transformer_layers.h"

namespace heed {
namespace {

struct TransformerXlConfig : LayerConfig {
  Count target_words = 0, layers = 4;
  Amount memory = 256;
  bool tied = true;

  TransformerXlConfig() { position = "transformer_xl"; }
  void visit(auto&& field) {
    field("target_words", target_words, "tokens"), field("layers", layers, "one above the other");
    field("memory", memory, "tokens of the text before that it remembers while it learns; 0: none");
    LayerConfig::visit(field);
    field("tied", tied, "the embeddings are the last layer's weights too");
  }
};

// The text before, its end at the end: texts that are shorter begin later.
struct Before {
  Tensor ids;  // (B,M)
  std::vector<int64_t> starts;

  explicit Before(const Sentences& text) : ids(text.ids.clone()) {
    const int64_t longest = ids.dim(1);
    for (int64_t b = 0; b < ids.dim(0); ++b) {
      const auto row = ids.span<int64_t>().subspan(static_cast<size_t>(b * longest), static_cast<size_t>(longest));
      const auto length = text.lengths.at<int64_t>({b});
      std::rotate(row.begin(), row.begin() + length, row.end());
      starts.push_back(longest - length);
    }
  }
};

struct TransformerXl {
  using Config = TransformerXlConfig;
  static constexpr ModelWords kWords = {"transformer-xl", "Dai et al. 2019, arXiv:1901.02860",
                                        "a language model that remembers the text before what it reads", false};
  struct State {
    TextRead read;  // the text before, too
    void visit_sentences(auto&&) {}
    void visit_rows(auto&& field) { field(read); }
  };

  Config config;
  PlacedEmbedding text;
  std::vector<CausalLayer> layers;
  LastNorm after;
  Tensor words;

  explicit TransformerXl(const Config& c) : config(c), text(c.target_words, c), after(c) {
    check(!placed_in_embedding(c) || c.position == "none", "transformer-xl",
          "position {}: places in the embedding begin anew with each piece of a text; wanted one of distances",
          c.position);
    for (int64_t n = 0; n < c.layers; ++n) layers.emplace_back(c);
    words = c.tied ? text.words.weight : Embedding(c.target_words, c.width).weight;
  }
  int64_t memory() const { return config.memory; }
  bool joins() const { return !layers[0].self.counts_from_first(); }

  Decoded forward(const Sentences& before, const Sentences& said, const Pass& pass) const {
    std::vector<Tensor> memories(layers.size());
    std::vector<int64_t> starts;
    if (before.ids.defined() && before.longest() > 0) {
      const Before remembered(before);
      memories = remember(remembered, {.training = pass.training}), starts = remembered.starts;
    }
    Tensor h = text(said.ids, {}, pass.in("text"));
    for (size_t n = 0; n < layers.size(); ++n) h = layers[n](h, nullptr, pass.in("decoder", n), {memories[n], starts});
    return {after(h), {}, {}};
  }
  // What went into each layer.
  std::vector<Tensor> remember(const Before& before, const Pass& pass) const {
    const NoGrad scope;
    std::vector<Tensor> memories = {text(before.ids, {}, pass)};
    for (size_t n = 0; n + 1 < layers.size(); ++n)
      memories.push_back(layers[n](memories[n], nullptr, pass, {{}, before.starts}));
    return memories;
  }

  State begin(const Sentences& before, const Pass&) const {
    State state{TextRead(before.count(), layers.size())};
    if (before.longest() == 0) return state;
    const Before remembered(before);
    state.read.places.starts = remembered.starts;
    step(state, remembered.ids, {});
    return state;
  }
  Decoded step(State& state, const Tensor& ids, const Pass& pass) const {
    Places& places = state.read.places;
    Tensor h = text(ids, places, pass.in("text"));
    for (size_t n = 0; n < layers.size(); ++n)
      h = layers[n](h, &state.read.caches[n], pass.in("decoder", n), {{}, places.starts});
    places.read += ids.dim(1);
    return {after(h), {}, {}};
  }
  OutputWords output() const { return {words, {}}; }

  void visit(auto&& field) {
    field("text", text), field("layers", layers), field("after", after);
    if (!config.tied) field("words", words);
  }
};

}  // namespace

sequence::ModelRow sequence::transformer_xl_row() { return row_of<TransformerXl>(); }

}  // namespace heed
