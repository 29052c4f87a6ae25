// RNNsearch: the first attention of translation.            Bahdanau, Cho & Bengio 2014, arXiv:1409.0473, appendix A
//
//   h_j = [→h_j; ←h_j]             a recurrent layer in both directions over the source
//   s_0 = tanh(W ←h_1)
//   c_i = Σ_j a_ij h_j             attention from the state before the step: a_ij = softmax_j(vᵀ tanh(W s_{i−1} + U
//   h_j)) s_i = cell([E y_{i−1}; c_i], s_{i−1}) t_i = maxout(U s_{i−1} + V E y_{i−1} + C c_i), the larger of each pair
//   p(y_i) = softmax(W t_i)
#include "models/choices.h"
#include "models/model.h"
#include "nn/source_attention.h"

namespace heed {
namespace {

struct RnnSearchConfig {
  int64_t source_words = 0, target_words = 0, width = 256, longest = 256;
  Cell cell = Cell::gru;
  std::string attention = "additive";
  double dropout = 0.2;

  void visit(auto&& field) {
    field("source_words", source_words, "tokens of the source"), field("target_words", target_words, "of the target");
    field("width", width, "of embeddings and states, even");
    field("cell", cell, "lstm, gru or gru_reset_before, the paper's");
    field("attention", attention, "a mechanism of heed mechanisms");
    field("longest", longest, "source, for mechanisms that learn something for each place");
    field("dropout", dropout, "of embeddings and read-out");
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

  double rate;
  Embedding source, target;
  Recurrent encoder, decoder;
  Linear first;
  SourceAttention attention;
  Linear of_state, of_word, of_context, words;

  explicit RnnSearch(const Config& c)
      : rate(c.dropout),
        source(c.source_words, c.width),
        target(c.target_words, c.width),
        encoder(c.cell, c.width, c.width / 2, true),
        decoder(c.cell, 2 * c.width, c.width),
        first(c.width / 2, c.width, Activation::tanh),
        attention(c.width, {.mechanism = c.attention, .longest = c.longest}),
        of_state(c.width, 2 * c.width),
        of_word(c.width, 2 * c.width, Activation::none, false),
        of_context(c.width, 2 * c.width, Activation::none, false),
        words(c.width, c.target_words) {}

  State encode(const Sentences& text, const Pass& pass) const {
    const Tensor embedded = dropped(source(transpose(text.ids)), rate, pass);
    const RecurrentOutput read = encoder(embedded, {.lengths = text.lengths});
    RecurrentState start{first(select(read.h, 0, 1)), {}};
    if (encoder.cell == Cell::lstm) start.c = zeros(start.h.shape());
    return {attention.read(transpose(read.y, 0, 1), text.lengths), start};
  }
  State begin(const Sentences& text) const { return encode(text, {}); }

  Decoded forward(const Sentences& text, const Sentences& said, const Pass& pass) const {
    State state = encode(text, pass);
    return steps(state, said.ids, pass);
  }
  Decoded step(State& state, const Tensor& ids, const Pass& pass) const { return steps(state, ids, pass); }

  Decoded steps(State& state, const Tensor& ids, const Pass& pass) const {
    const Tensor embedded = dropped(target(ids), rate, pass);
    std::vector<Tensor> states, contexts, weights;
    for (const Tensor& word : unstack(embedded, 1)) {
      const Attended seen = attention(unsqueeze(state.decoder.h, 1), state.memory, state.place++, pass.weights);
      const Tensor context = squeeze(seen.out, 1);
      states.push_back(state.decoder.h), contexts.push_back(context);
      if (pass.weights) weights.push_back(squeeze(seen.weights, 1));
      state.decoder = decoder.step(concat({word, context}, 1), state.decoder);
    }
    const Tensor features = maxout(of_state(stack(states, 1)) + of_word(embedded) + of_context(stack(contexts, 1)));
    return {dropped(features, rate, pass), pass.weights ? stack(weights, 1) : Tensor(), {}};
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
