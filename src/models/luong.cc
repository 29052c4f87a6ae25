// Attention from the current state.                                        Luong, Pham & Manning 2015, arXiv:1508.04025
//
//   h̄_1 … h̄_S                      recurrent layers above each other over the source; the decoder goes on from their
//                                  last states
//   h_t = layers([E y_{t−1}; h̃_{t−1}])      input feeding: what the last step saw goes into the next one
//   c_t = Σ_s a_ts h̄_s             attention from h_t to all places, or to those around t (local-m) or around
//                                  S·σ(vᵀ tanh(W h_t)) (local-p)
//   h̃_t = tanh(W [c_t; h_t]),  p(y_t) = softmax(W_s h̃_t)
//
// Without input feeding no step waits for what the one before it saw: each layer goes over the whole target at once,
// and so does attention.
#include "models/choices.h"
#include "models/options.h"
#include "nn/source_attention.h"

namespace heed {
namespace {

struct LuongConfig {
  Vocabularies vocabularies;
  Count width = 256, layers = 2, reach = 10, longest = 256;
  Cell cell = Cell::lstm;
  std::string attention = "general";
  Around span = Around::everything;
  bool input_feeding = true;
  RecurrentDropouts dropouts;
  AlignmentLosses alignment;

  void visit(auto&& field) {
    vocabularies.visit(field);
    field("width", width, "of embeddings and states"), field("layers", layers, "of encoder and decoder");
    field("cell", cell, "lstm, the paper's, gru or another");
    field("attention", attention, "a mechanism of heed mechanisms; the paper's are dot, general, concat and location");
    field("span", span, "everything, local_m or local_p"), field("reach", reach, "of a local span, to either side");
    field("input_feeding", input_feeding, "what a step saw goes into the next one");
    field("longest", longest, "source, for mechanisms that learn something for each place");
    dropouts.visit(field), alignment.visit(field);
  }
};

struct Luong {
  using Config = LuongConfig;
  static constexpr ModelWords kWords = {"luong", "Luong, Pham & Manning 2015, arXiv:1508.04025",
                                        "stacked recurrent layers, attention from the current state, global or local"};
  struct State {
    Memory memory;
    RecurrentStack::States decoder;
    Tensor seen;  // h̃ of the last step (R,1,width); without input feeding undefined
    int64_t place = 0;
    void visit_sentences(auto&& field) { field(memory); }
    void visit_rows(auto&& field) { field(decoder), field(seen); }
  };

  RecurrentDropouts dropouts;
  AlignmentLosses alignment;
  bool input_feeding;
  Embedding source, target;
  RecurrentStack encoder, decoder;
  SourceAttention attention;
  Linear mix, words;

  explicit Luong(const Config& c)
      : dropouts(c.dropouts),
        alignment(c.alignment),
        input_feeding(c.input_feeding),
        source(c.vocabularies.source_words, c.width),
        target(c.vocabularies.target_words, c.width),
        encoder(c.cell, c.layers, c.width, c.width),
        decoder(c.cell, c.layers, (c.input_feeding ? 2 : 1) * c.width, c.width),
        attention(c.width, {.mechanism = c.attention, .span = c.span, .reach = c.reach, .longest = c.longest}),
        mix(2 * c.width, c.width, Activation::tanh, false),
        words(c.width, c.vocabularies.target_words) {}

  State encode(const Sentences& text, const Pass& pass) const {
    const Tensor embedded = dropouts.embed_by_steps(source, text.ids, pass.in("source"));
    const RecurrentStack::Run read = dropouts.recurrence(encoder, pass)(
        embedded, {}, dropouts.between(pass), {.lengths = text.lengths, .watch = pass.in("encoder").watch()});
    const Tensor nothing = input_feeding ? zeros({text.count(), 1, embedded.dim(-1)}) : Tensor();
    const Tensor hidden = pass.in("encoder").shown("hidden", transpose(read.y, 0, 1));
    return {attention.read(hidden, text.lengths), read.last, nothing};
  }
  State begin(const Sentences& text, const Pass& pass) const { return encode(text, pass); }

  Decoded forward(const Sentences& text, const Sentences& said, const Pass& pass) const {
    State state = encode(text, pass);
    return alignment(steps(state, said.ids, alignment.seeing(pass)), said, pass);
  }
  Decoded step(State& state, const Tensor& ids, const Pass& pass) const { return steps(state, ids, pass); }

  Decoded steps(State& state, const Tensor& ids, const Pass& pass) const {
    const Tensor embedded = dropouts.embed(target, ids, pass.in("target"));
    const RecurrentStack layers = dropouts.recurrence(decoder, pass);
    Decoded all = input_feeding ? one_by_one(state, embedded, layers, pass) : at_once(state, embedded, layers, pass);
    all.features = dropouts(all.features, pass);
    return all;
  }
  Decoded one_by_one(State& state, const Tensor& embedded, const RecurrentStack& layers, const Pass& pass) const {
    std::vector<Tensor> features, weights;
    for (const Tensor& word : chunk(embedded, embedded.dim(1), 1)) {
      const Decoded one = at_once(state, concat({word, state.seen}, 2), layers, pass);
      features.push_back(one.features), weights.push_back(one.weights);
      state.seen = one.features;
    }
    return {concat(features, 1), pass.weights ? concat(weights, 1) : Tensor(), {}};
  }
  // x (R,T,in)
  Decoded at_once(State& state, const Tensor& x, const RecurrentStack& layers, const Pass& pass) const {
    const Pass within = pass.in("decoder");
    const RecurrentStack::Run run =
        layers(transpose(x, 0, 1), state.decoder, dropouts.between(pass), {.watch = within.watch()});
    const Tensor h = within.shown("hidden", transpose(run.y, 0, 1));
    const Attended context = attention(h, state.memory, state.place, pass.weights, within.watch("cross"));
    state.decoder = run.last, state.place += x.dim(1);
    return {mix(concat({context.out, h}, 2)), context.weights, {}};
  }
  bool joins() const { return attention.options.span != Around::local_m; }  // which counts the words of the target
  OutputWords output() const { return {words.weight, words.bias}; }

  void visit(auto&& field) {
    field("source", source), field("target", target), field("encoder", encoder), field("decoder", decoder);
    field("attention", attention), field("mix", mix), field("words", words);
  }
};

}  // namespace

sequence::ModelRow sequence::luong_row() { return row_of<Luong>(); }

}  // namespace heed
