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
  int64_t memory = 256;
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
  Tensor ids, lengths;  // (B,M), (B)

  explicit Before(const Sentences& text) : ids(text.ids.clone()), lengths(text.lengths) {
    const int64_t longest = ids.dim(1);
    for (int64_t b = 0; b < ids.dim(0); ++b) {
      const auto row = ids.span<int64_t>().subspan(static_cast<size_t>(b * longest), static_cast<size_t>(longest));
      std::rotate(row.begin(), row.begin() + lengths.at<int64_t>({b}), row.end());
    }
  }
};

// Which of `all` places there are, the first `remembered` of them of the texts before: (B,1,1,all).
Tensor there(const Tensor& lengths, int64_t remembered, int64_t all) {
  Tensor mask({lengths.dim(0), 1, 1, all}, Dtype::boolean);
  for (int64_t b = 0; b < lengths.dim(0); ++b)
    for (int64_t j = 0; j < all; ++j) mask.at<bool>({b, 0, 0, j}) = j >= remembered - lengths.at<int64_t>({b});
  return mask;
}

struct TransformerXl {
  using Config = TransformerXlConfig;
  static constexpr ModelWords kWords = {"transformer-xl", "Dai et al. 2019, arXiv:1901.02860",
                                        "a language model that remembers the text before what it reads", false};
  struct State {
    std::vector<KeyValueCache> caches;
    Tensor lengths;          // of the texts before
    int64_t remembered = 0;  // the longest of them
    void visit_sentences(auto&&) {}
    void visit_rows(auto&& field) { field(caches), field(lengths); }
  };

  Config config;
  PlacedEmbedding text;
  std::vector<CausalLayer> layers;
  LastNorm after;
  Tensor words;

  explicit TransformerXl(const Config& c) : config(c), text(c.target_words, c), after(c) {
    check(c.memory >= 0, "memory", "got {}, wanted 0 or more", c.memory);
    check(!placed_in_embedding(c) || c.position == "none", "transformer-xl",
          "position {}: places in the embedding begin anew with each piece of a text; wanted one of distances",
          c.position);
    for (int64_t n = 0; n < c.layers; ++n) layers.emplace_back(c);
    words = c.tied ? text.words.weight : Embedding(c.target_words, c.width).weight;
  }
  int64_t memory() const { return config.memory; }

  Decoded forward(const Sentences& before, const Sentences& said, const Pass& pass) const {
    const int64_t remembered = before.ids.defined() ? before.longest() : 0;
    const std::vector<Tensor> memories =
        remembered > 0 ? remember(Before(before), {.training = pass.training}) : std::vector<Tensor>(layers.size());
    const Tensor mask = remembered > 0 ? there(before.lengths, remembered, remembered + said.longest()) : Tensor();
    Tensor h = text(said.ids, 0, pass.in("text"));
    for (size_t n = 0; n < layers.size(); ++n) h = layers[n](h, nullptr, pass.in("decoder", n), {memories[n], mask});
    return {after(h), {}, {}};
  }
  // What went into each layer.
  std::vector<Tensor> remember(const Before& before, const Pass& pass) const {
    const NoGrad scope;
    const Tensor mask = there(before.lengths, before.ids.dim(1), before.ids.dim(1));
    std::vector<Tensor> memories = {text(before.ids, 0, pass)};
    for (size_t n = 0; n + 1 < layers.size(); ++n)
      memories.push_back(layers[n](memories[n], nullptr, pass, {{}, mask}));
    return memories;
  }

  State begin(const Sentences& before, const Pass&) const {
    State state{std::vector<KeyValueCache>(layers.size()), before.lengths, before.longest()};
    if (state.remembered > 0) step(state, Before(before).ids, {});
    return state;
  }
  Decoded step(State& state, const Tensor& ids, const Pass& pass) const {
    const int64_t all = state.caches[0].size() + ids.dim(1);
    const Tensor mask = state.remembered > 0 ? there(state.lengths, state.remembered, all) : Tensor();
    Tensor h = text(ids, 0, pass.in("text"));
    for (size_t n = 0; n < layers.size(); ++n) h = layers[n](h, &state.caches[n], pass.in("decoder", n), {{}, mask});
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
