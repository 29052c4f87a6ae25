// RNNsearch: the first attention of translation.            Bahdanau, Cho & Bengio 2014, arXiv:1409.0473, appendix A
//
//   h_j = [→h_j; ←h_j]             a recurrent layer in both directions over the source
//   s_0 = tanh(W ←h_1)
//   a_ij = softmax_j(vᵀ tanh(W s_{i−1} + U h_j))             attention from the state before the step
//   c_i = Σ_j a_ij h_j
//   s_i = cell([E y_{i−1}; c_i], s_{i−1})
//   t_i = maxout(U s_{i−1} + V E y_{i−1} + C c_i)            the larger of each pair
//   p(y_i) = softmax(W t_i)
#include "models/choices.h"
#include "models/options.h"
#include "nn/recurrent_gates.h"
#include "nn/recurrent_step.h"
#include "nn/source_attention.h"

namespace heed {
namespace {

struct RnnSearchConfig {
  Vocabularies vocabularies;
  Count width = 256, longest = 256;
  Cell cell = Cell::gru;
  std::string attention = "additive";
  RecurrentDropouts dropouts;
  AlignmentLosses alignment;

  void visit(auto&& field) {
    vocabularies.visit(field);
    field("width", width, "of embeddings and states, even");
    field("cell", cell, "lstm, gru or gru_reset_before, the paper's");
    field("attention", attention, "a mechanism of heed mechanisms");
    field("longest", longest, "source, for mechanisms that learn something for each place");
    dropouts.visit(field), alignment.visit(field);
  }
};

struct RnnSearch {
  using Config = RnnSearchConfig;
  static constexpr ModelWords kWords = {"rnn-search", "Bahdanau, Cho & Bengio 2014, arXiv:1409.0473",
                                        "recurrent encoder and decoder with the first attention of translation"};
  struct State {
    Memory memory;
    RecurrentState decoder;
    int64_t place = 0;
    void visit_sentences(auto&& field) { field(memory); }
    void visit_rows(auto&& field) { field(decoder); }
  };

  RecurrentDropouts dropouts;
  AlignmentLosses alignment;
  Embedding source, target;
  Recurrent encoder, decoder;
  Linear first;
  SourceAttention attention;
  Linear of_state, of_word, of_context, words;

  explicit RnnSearch(const Config& c)
      : dropouts(c.dropouts),
        alignment(c.alignment),
        source(c.vocabularies.source_words, c.width),
        target(c.vocabularies.target_words, c.width),
        encoder(c.cell, c.width, c.width / 2, true),
        decoder(c.cell, 2 * c.width, c.width),
        first(c.width / 2, c.width, Activation::tanh),
        attention(c.width, {.mechanism = c.attention, .longest = c.longest}),
        of_state(c.width, 2 * c.width),
        of_word(c.width, 2 * c.width, Activation::none, false),
        of_context(c.width, 2 * c.width, Activation::none, false),
        words(c.width, c.vocabularies.target_words) {
    check(c.width % 2 == 0, "width", "got {}, wanted an even number: half for each direction", c.width.value);
  }

  State encode(const Sentences& text, const Pass& pass) const {
    const Tensor embedded = dropouts.embed_by_steps(source, text.ids, pass.in("source"));
    const Recurrent layer = dropouts.recurrence(encoder, pass);
    const RecurrentOutput read = layer(embedded, {.lengths = text.lengths});
    show_gates(pass.in("encoder").watch(), layer, {embedded, read.y});
    RecurrentState start{first(select(read.h, 0, 1)), {}};
    if (encoder.cell == Cell::lstm) start.c = zeros(start.h.shape());
    return {attention.read(pass.in("encoder").shown("hidden", transpose(read.y, 0, 1)), text.lengths), start};
  }
  State begin(const Sentences& text, const Pass& pass) const { return encode(text, pass); }

  Decoded forward(const Sentences& text, const Sentences& said, const Pass& pass) const {
    State state = encode(text, pass);
    return alignment(steps(state, said.ids, alignment.seeing(pass)), said, pass);
  }
  Decoded step(State& state, const Tensor& ids, const Pass& pass) const { return steps(state, ids, pass); }

  Decoded steps(State& state, const Tensor& ids, const Pass& pass) const {
    const Tensor embedded = dropouts.embed(target, ids, pass.in("target"));
    const SteppedLayer cell(dropouts.recurrence(decoder, pass), embedded);
    const Pass within = pass.in("decoder");
    const Watch cross = within.watch("cross");
    std::vector<Tensor> states, contexts, weights;
    for (const Tensor& word : cell.read()) {
      const Attended seen = attention(unsqueeze(state.decoder.h, 1), state.memory, state.place++, pass.weights, cross);
      const Tensor context = squeeze(seen.out, 1);
      states.push_back(state.decoder.h), contexts.push_back(context);
      if (pass.weights) weights.push_back(squeeze(seen.weights, 1));
      state.decoder = cell.step(word, context, state.decoder, within.watch());
      state.decoder.h = within.shown_step("hidden", state.decoder.h);
    }
    const Tensor features = maxout(of_state(stack(states, 1)) + of_word(embedded) + of_context(stack(contexts, 1)));
    return {dropouts(features, pass), pass.weights ? stack(weights, 1) : Tensor(), {}};
  }
  static Tensor maxout(const Tensor& x) { return max(reshape(x, {x.dim(0), x.dim(1), x.dim(2) / 2, 2}), -1); }
  OutputWords output() const { return {words.weight, words.bias}; }

  void visit(auto&& field) {
    field("source", source), field("target", target), field("encoder", encoder), field("first", first);
    field("attention", attention), field("decoder", decoder), field("of_state", of_state), field("of_word", of_word);
    field("of_context", of_context), field("words", words);
  }
};

}  // namespace

sequence::ModelRow sequence::rnn_search_row() { return row_of<RnnSearch>(); }

}  // namespace heed
