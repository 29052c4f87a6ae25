#include "nn/recurrent_step.h"

#include "base/check.h"
#include "nn/recurrent_gates.h"
#include "ops/recurrent_cell.h"

namespace heed {
namespace {

const RecurrentWeights& only_direction(const Recurrent& layer) {
  check(layer.directions.size() == 1, "recurrent", "a step in two directions: wanted a layer of one");
  return layer.directions[0];
}

// The step whose input's products are a.
RecurrentState step_from(const Recurrent& layer, const Tensor& a, const RecurrentState& before,
                         const Watch& watch = {}) {
  const RecurrentWeights& w = only_direction(layer);
  const auto or_zeros = [&](const Tensor& state) {
    return state.defined() ? state : zeros({a.dim(0), w.hidden.dim(1)}, a.dtype());
  };
  const Tensor h = or_zeros(before.h), c = layer.cell == Cell::lstm ? or_zeros(before.c) : Tensor();
  const Tensor of_state = linear(h, w.hidden, w.hidden_bias);
  show_gates_of_step(watch, layer, a, of_state);
  const CellState after = recurrent_cell(layer.cell, a, of_state, {h, c});
  return {after.h, after.c};
}

// Its product waits for its gates: the op over a sequence of one.
RecurrentState step_at_once(const Recurrent& layer, const Tensor& x, const RecurrentState& before) {
  only_direction(layer);
  const Tensor h = before.h.defined() ? unsqueeze(before.h, 0) : Tensor();
  return {select(layer(unsqueeze(x, 0), {.h0 = h}).h, 0, 0), {}};
}

}  // namespace

RecurrentState Recurrent::step(const Tensor& x, const RecurrentState& before) const {
  if (cell == Cell::gru_reset_before) return step_at_once(*this, x, before);
  const RecurrentWeights& w = only_direction(*this);
  return step_from(*this, linear(x, w.input, w.input_bias), before);
}

SteppedLayer::SteppedLayer(const Recurrent& layer, const Tensor& known) : layer_(layer), read_(unstack(known, 1)) {
  if (known.dim(1) == 1 || layer.cell == Cell::gru_reset_before) return;
  const RecurrentWeights& w = only_direction(layer);
  const int64_t width = known.dim(-1);
  of_brought_ = concat({slice(w.input, 1, width, w.input.dim(1))}, 1);  // a copy, which is packed once for all steps
  read_ = unstack(linear(known, slice(w.input, 1, 0, width), w.input_bias), 1);
}

RecurrentState SteppedLayer::step(const Tensor& read, const Tensor& brought, const RecurrentState& before,
                                  const Watch& watch) const {
  if (of_brought_.defined()) return step_from(layer_, read + linear(brought, of_brought_), before, watch);
  const Tensor x = concat({read, brought}, 1);
  RecurrentState after = layer_.step(x, before);
  show_gates(watch, layer_, {unsqueeze(x, 0), unsqueeze(after.h, 0), before});
  return after;
}

}  // namespace heed
