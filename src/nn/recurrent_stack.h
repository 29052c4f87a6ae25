// Recurrent layers that run from any state, one above the other.
#pragma once

#include <heed/nn.h>

#include <vector>

namespace heed {

// What a layer gave (T,B,width), and where it stands after it.
struct LayerRun {
  Tensor y;
  RecurrentState last;
};
struct LayerRunOptions {
  Tensor lengths = {};  // i64 (B)
  bool reverse = false;
  Watch watch = {};  // sees the gates; those of a stack's layers by their numbers
};
// x (T,B,in) through a layer of one direction.
LayerRun run(const Recurrent& layer, const Tensor& x, const RecurrentState& from, const LayerRunOptions& options = {});

struct RecurrentStack {
  using States = std::vector<RecurrentState>;  // of each layer; none: all at zero
  struct Run {
    Tensor y;  // of the top
    States last;
  };
  std::vector<Recurrent> layers;

  RecurrentStack(Cell cell, int64_t layers, int64_t in, int64_t width);
  // Each layer goes over the whole of x (T,B,in) before the next begins; between them, dropout.
  Run operator()(const Tensor& x, const States& from, double dropout = 0, const LayerRunOptions& options = {}) const;
  void visit(auto&& field) { field("layers", layers); }
};

// Dropout of the state on its way to the next step, the same at each step and in each sentence: one mask of the columns
// of the hidden weights, so that a layer stays one call. Gal & Ghahramani 2016, arXiv:1512.05287
Recurrent with_recurrent_dropout(Recurrent layer, double p);
RecurrentStack with_recurrent_dropout(RecurrentStack stack, double p);

// Dropout of whole words: one that is dropped is 0 wherever it occurs in the batch; of the same paper.
// embedded (…,width) of ids (…) out of so many words.
Tensor word_dropout(const Tensor& embedded, const Tensor& ids, int64_t words, double p);

}  // namespace heed
