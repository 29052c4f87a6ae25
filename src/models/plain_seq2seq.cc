// From sentence to sentence through one vector.                      Sutskever, Vinyals & Le 2014, arXiv:1409.3215
//
//   s = layers(x_S, … x_1)         recurrent layers above each other over the source, read from its end
//   h_t = layers(E y_{t−1}), from s;  p(y_t) = softmax(W h_t)
//
// What attention is compared with: all that the decoder knows of the source is the last states of the encoder.
#include "models/choices.h"
#include "models/options.h"

namespace heed {
namespace {

struct PlainConfig {
  Vocabularies vocabularies;
  Count width = 256, layers = 2;
  Cell cell = Cell::lstm;
  bool reverse = true;
  RecurrentDropouts dropouts;

  void visit(auto&& field) {
    vocabularies.visit(field);
    field("width", width, "of embeddings and states"), field("layers", layers, "of encoder and decoder");
    field("cell", cell, "lstm, the paper's, gru or another");
    field("reverse", reverse, "the source is read from its end");
    dropouts.visit(field);
  }
};

struct Plain {
  using Config = PlainConfig;
  static constexpr ModelWords kWords = {"plain-seq2seq", "Sutskever, Vinyals & Le 2014, arXiv:1409.3215",
                                        "recurrent encoder and decoder without attention, to compare with"};
  struct State {
    RecurrentStack::States decoder;
    void visit_sentences(auto&&) {}
    void visit_rows(auto&& field) { field(decoder); }
  };

  RecurrentDropouts dropouts;
  bool reverse;
  Embedding source, target;
  RecurrentStack encoder, decoder;
  Linear words;

  explicit Plain(const Config& c)
      : dropouts(c.dropouts),
        reverse(c.reverse),
        source(c.vocabularies.source_words, c.width),
        target(c.vocabularies.target_words, c.width),
        encoder(c.cell, c.layers, c.width, c.width),
        decoder(c.cell, c.layers, c.width, c.width),
        words(c.width, c.vocabularies.target_words) {}

  State encode(const Sentences& text, const Pass& pass) const {
    return {dropouts
                .recurrence(encoder, pass)(
                    dropouts.embed_by_steps(source, text.ids, pass.in("source")), {}, dropouts.between(pass),
                    {.lengths = text.lengths, .reverse = reverse, .watch = pass.in("encoder").watch()})
                .last};
  }
  State begin(const Sentences& text, const Pass& pass) const { return encode(text, pass); }

  Decoded forward(const Sentences& text, const Sentences& said, const Pass& pass) const {
    State state = encode(text, pass);
    return step(state, said.ids, pass);
  }
  Decoded step(State& state, const Tensor& ids, const Pass& pass) const {
    const RecurrentStack::Run run =
        dropouts.recurrence(decoder, pass)(dropouts.embed_by_steps(target, ids, pass.in("target")), state.decoder,
                                           dropouts.between(pass), {.watch = pass.in("decoder").watch()});
    state.decoder = run.last;
    const Tensor h = pass.in("decoder").shown("hidden", transpose(run.y, 0, 1));
    return {dropouts(h, pass), {}, {}};
  }
  OutputWords output() const { return {words.weight, words.bias}; }

  void visit(auto&& field) {
    field("source", source), field("target", target), field("encoder", encoder), field("decoder", decoder);
    field("words", words);
  }
};

}  // namespace

sequence::ModelRow sequence::plain_seq2seq_row() { return row_of<Plain>(); }

}  // namespace heed
