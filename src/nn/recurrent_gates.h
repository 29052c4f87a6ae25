// What opens and closes in recurrent layers, for whoever wants to see it: PLACE.gates.input, .forget and .output of an
// LSTM, .reset and .update of a GRU, each from 0 to 1. A layer's own call keeps none of them: they are computed again
// from what it read and said.
#pragma once

#include <heed/nn.h>

namespace heed {

// Of a whole text that a layer went over, from the start of a sentence or from a state of one direction: x (T,B,in),
// its output y (T,B,out). Shown are (B,T,out), two directions side by side; what is behind the end of a text says
// nothing.
struct WentOver {
  const Tensor &x, &y;
  RecurrentState from = {};
  bool reverse = false;
};
void show_gates(const Watch& watch, const Recurrent& layer, const WentOver& went);

// Of one step, of whose products they are made: a (B,gates·out) came of its input, of_state of where the layer stood.
void show_gates_of_step(const Watch& watch, const Recurrent& layer, const Tensor& a, const Tensor& of_state);

}  // namespace heed
