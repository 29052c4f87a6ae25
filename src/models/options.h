// What the configurations of several models share, and what they do with it.
#pragma once

#include "models/model.h"
#include "nn/recurrent_stack.h"

namespace heed {

struct Vocabularies {
  Count source_words = 0, target_words = 0;
  void visit(auto&& field) {
    field("source_words", source_words, "tokens of the source"), field("target_words", target_words, "of the target");
  }
};

struct Dropouts {
  Share dropout = 0.2, word_dropout = 0;
  void visit(auto&& field) {
    field("dropout", dropout, "of embeddings, between layers and of the read-out");
    field("word_dropout", word_dropout, "of whole words, wherever they occur");
  }

  Tensor operator()(const Tensor& x, const Pass& pass) const { return dropped(x, dropout, pass); }
  // (B,T,width) of ids (B,T).
  Tensor words(const Embedding& table, const Tensor& ids, const Pass& pass) const {
    return pass.shown("words", looked_up(table, ids, pass));
  }
  Tensor embed(const Embedding& table, const Tensor& ids, const Pass& pass) const {
    return (*this)(words(table, ids, pass), pass);
  }
  // (T,B,width) of ids (B,T): as recurrent layers read them.
  Tensor words_by_steps(const Embedding& table, const Tensor& ids, const Pass& pass) const {
    return pass.shown_steps("words", looked_up(table, transpose(ids), pass));
  }
  Tensor embed_by_steps(const Embedding& table, const Tensor& ids, const Pass& pass) const {
    return (*this)(words_by_steps(table, ids, pass), pass);
  }

 private:
  Tensor looked_up(const Embedding& table, const Tensor& ids, const Pass& pass) const {
    const bool whole = pass.training && word_dropout > 0;
    return whole ? heed::word_dropout(table(ids), ids, table.weight.dim(0), word_dropout) : table(ids);
  }
};

struct RecurrentDropouts : Dropouts {
  Share recurrent_dropout = 0;
  void visit(auto&& field) {
    Dropouts::visit(field);
    field("recurrent_dropout", recurrent_dropout, "of states within recurrent layers, the same at each step");
  }

  // The layer or layers as this pass has them.
  template <class Layers>
  Layers recurrence(const Layers& layers, const Pass& pass) const {
    return pass.training && recurrent_dropout > 0 ? with_recurrent_dropout(layers, recurrent_dropout) : layers;
  }
  double between(const Pass& pass) const { return pass.training ? dropout.value : 0; }
};

// Losses of where a model looks, sums over the words of the targets.
struct AlignmentLosses {
  Strength coverage = 0, guide = 1;
  void visit(auto&& field) {
    field("coverage", coverage, "weight of the loss for looking again where it looked before");
    field("guide", guide, "weight of the loss against an alignment, where one is given");
  }

  // The pass that they need: with the weights.
  Pass seeing(Pass pass) const {
    pass.weights |= (pass.training && coverage > 0) || pass.alignment.defined();
    return pass;
  }
  // What was decoded with them in its loss.
  Decoded operator()(Decoded decoded, const Sentences& target, const Pass& pass) const;
};

}  // namespace heed
