// Google's neural machine translation.                                                Wu et al. 2016, arXiv:1609.08144
//
//   encoder: layer 1 in both directions, the others upwards; from the third on residual, x ← x + layer(x)
//   c_t = Σ_s a_ts x_s             attention from the bottom decoder layer's state before the step
//   h¹_t = layer([E y_{t−1}; c_t], h¹_{t−1})
//   hⁿ_t = layer([x; c_t], hⁿ_{t−1}), x of the layer below; from the third on residual
//   p(y_t) = softmax(W x), x of the top
//
// Only the bottom layer waits for attention: the others go over the whole target at once.
#include "models/choices.h"
#include "models/options.h"
#include "nn/recurrent_gates.h"
#include "nn/recurrent_step.h"
#include "nn/source_attention.h"

namespace heed {
namespace {

struct GnmtConfig {
  Vocabularies vocabularies;
  Count width = 256, layers = 8, longest = 256;
  Cell cell = Cell::lstm;
  std::string attention = "additive";
  RecurrentDropouts dropouts;
  AlignmentLosses alignment;

  void visit(auto&& field) {
    vocabularies.visit(field);
    field("width", width, "of embeddings and states");
    field("layers", layers, "of encoder and decoder, two or more");
    field("cell", cell, "lstm, the paper's, gru or another");
    field("attention", attention, "a mechanism of heed mechanisms");
    field("longest", longest, "source, for mechanisms that learn something for each place");
    dropouts.visit(field), alignment.visit(field);
  }
};

struct Gnmt {
  using Config = GnmtConfig;
  static constexpr ModelWords kWords = {"gnmt", "Wu et al. 2016, arXiv:1609.08144",
                                        "deep residual recurrent layers that all see what the lowest looked at"};
  static constexpr size_t kFirstResidual = 2;  // the third layer
  struct State {
    Memory memory;
    RecurrentStack::States decoder;
    int64_t place = 0;
    void visit_sentences(auto&& field) { field(memory); }
    void visit_rows(auto&& field) { field(decoder); }
  };

  RecurrentDropouts dropouts;
  AlignmentLosses alignment;
  Embedding source, target;
  std::vector<Recurrent> encoder, decoder;
  SourceAttention attention;
  Linear words;

  explicit Gnmt(const Config& c)
      : dropouts(c.dropouts),
        alignment(c.alignment),
        source(c.vocabularies.source_words, c.width),
        target(c.vocabularies.target_words, c.width),
        attention(c.width, {.mechanism = c.attention, .longest = c.longest}),
        words(c.width, c.vocabularies.target_words) {
    check(c.layers >= 2, "layers", "got {}, wanted two or more: one in both directions, one above it", c.layers.value);
    for (int64_t n = 0; n < c.layers; ++n) {
      encoder.emplace_back(c.cell, (n == 1 ? 2 : 1) * c.width, c.width, n == 0);
      decoder.emplace_back(c.cell, 2 * c.width, c.width);
    }
  }

  Tensor above(size_t layer, const Tensor& x, const Tensor& y) const { return layer >= kFirstResidual ? x + y : y; }

  State encode(const Sentences& text, const Pass& pass) const {
    Tensor x = dropouts.embed_by_steps(source, text.ids, pass.in("source"));
    for (size_t n = 0; n < encoder.size(); ++n) {
      const Recurrent layer = dropouts.recurrence(encoder[n], pass);
      const Tensor read = n > 0 ? dropouts(x, pass) : x, said = layer(read, {.lengths = text.lengths}).y;
      show_gates(pass.in("encoder", n).watch(), layer, {read, said});
      x = above(n, x, said);
    }
    const Tensor nothing = zeros({text.count(), x.dim(-1)});
    const RecurrentState start{nothing, encoder[0].cell == Cell::lstm ? nothing : Tensor()};
    x = pass.in("encoder").shown_steps("hidden", x);
    return {attention.read(transpose(x, 0, 1), text.lengths), RecurrentStack::States(decoder.size(), start)};
  }
  State begin(const Sentences& text, const Pass& pass) const { return encode(text, pass); }

  Decoded forward(const Sentences& text, const Sentences& said, const Pass& pass) const {
    State state = encode(text, pass);
    return alignment(steps(state, said.ids, alignment.seeing(pass)), said, pass);
  }
  Decoded step(State& state, const Tensor& ids, const Pass& pass) const { return steps(state, ids, pass); }

  Decoded steps(State& state, const Tensor& ids, const Pass& pass) const {
    const Bottom bottom = look(state, dropouts.embed(target, ids, pass.in("target")), pass);
    Tensor x = bottom.y;
    for (size_t n = 1; n < decoder.size(); ++n) {
      const Tensor below = concat({dropouts(x, pass), bottom.contexts}, 2);
      const LayerRun one =
          run(dropouts.recurrence(decoder[n], pass), below, state.decoder[n], {.watch = pass.in("decoder", n).watch()});
      x = above(n, x, one.y), state.decoder[n] = one.last;
    }
    x = pass.in("decoder").shown_steps("hidden", x);
    return {dropouts(transpose(x, 0, 1), pass), bottom.weights, {}};
  }

  // The bottom layer and what it looked at: (T,R,width), weights (R,T,S).
  struct Bottom {
    Tensor y, contexts, weights;
  };
  Bottom look(State& state, const Tensor& embedded, const Pass& pass) const {
    const SteppedLayer layer(dropouts.recurrence(decoder[0], pass), embedded);
    RecurrentState& at = state.decoder[0];
    const Watch cross = pass.in("decoder").watch("cross"), gates = pass.in("decoder", 0).watch();
    std::vector<Tensor> y, contexts, weights;
    for (const Tensor& word : layer.read()) {
      const Attended seen = attention(unsqueeze(at.h, 1), state.memory, state.place++, pass.weights, cross);
      contexts.push_back(squeeze(seen.out, 1)), weights.push_back(seen.weights);
      at = layer.step(word, contexts.back(), at, gates);
      y.push_back(at.h);
    }
    return {stack(y, 0), stack(contexts, 0), pass.weights ? concat(weights, 1) : Tensor()};
  }
  OutputWords output() const { return {words.weight, words.bias}; }

  void visit(auto&& field) {
    field("source", source), field("target", target), field("encoder", encoder), field("decoder", decoder);
    field("attention", attention), field("words", words);
  }
};

}  // namespace

sequence::ModelRow sequence::gnmt_row() { return row_of<Gnmt>(); }

}  // namespace heed
