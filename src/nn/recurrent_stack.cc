#include "nn/recurrent_stack.h"

#include "base/check.h"
#include "nn/recurrent_gates.h"

namespace heed {
namespace {

Tensor of_one_direction(const Tensor& state) { return state.defined() ? unsqueeze(state, 0) : state; }
Tensor without_direction(const Tensor& state) { return state.defined() ? select(state, 0, 0) : state; }

}  // namespace

LayerRun run(const Recurrent& layer, const Tensor& x, const RecurrentState& from, const LayerRunOptions& options) {
  check(layer.directions.size() == 1, "recurrent", "a run in two directions from a state: wanted a layer of one");
  if (x.dim(0) == 1 && !options.lengths.defined()) {
    const RecurrentState after = layer.step(select(x, 0, 0), from);
    const Tensor y = unsqueeze(after.h, 0);
    show_gates(options.watch, layer, {x, y, from});
    return {y, after};
  }
  const RecurrentOutput after = layer(x, {.lengths = options.lengths,
                                          .h0 = of_one_direction(from.h),
                                          .c0 = of_one_direction(from.c),
                                          .reverse = options.reverse});
  show_gates(options.watch, layer, {x, after.y, from, options.reverse});
  return {after.y, {without_direction(after.h), without_direction(after.c)}};
}

RecurrentStack::RecurrentStack(Cell cell, int64_t count, int64_t in, int64_t width) {
  check(count >= 1, "layers", "got {}, wanted one or more", count);
  for (int64_t n = 0; n < count; ++n) layers.emplace_back(cell, n == 0 ? in : width, width);
}

RecurrentStack::Run RecurrentStack::operator()(const Tensor& x, const States& from, double dropout,
                                               const LayerRunOptions& options) const {
  Run all{x, {}};
  for (size_t n = 0; n < layers.size(); ++n) {
    if (n > 0 && dropout > 0) all.y = heed::dropout(all.y, dropout);
    LayerRunOptions its = options;
    if (its.watch.watcher) its.watch.place += "." + std::to_string(n);
    const LayerRun one = run(layers[n], all.y, from.empty() ? RecurrentState{} : from[n], its);
    all.y = one.y, all.last.push_back(one.last);
  }
  return all;
}

Recurrent with_recurrent_dropout(Recurrent layer, double p) {
  for (RecurrentWeights& w : layer.directions)
    w.hidden = w.hidden * dropout(ones({w.hidden.dim(1)}, w.hidden.dtype()), p);
  return layer;
}
RecurrentStack with_recurrent_dropout(RecurrentStack stack, double p) {
  for (Recurrent& layer : stack.layers) layer = with_recurrent_dropout(layer, p);
  return stack;
}

Tensor word_dropout(const Tensor& embedded, const Tensor& ids, int64_t words, double p) {
  return embedded * embedding(dropout(ones({words, 1}, embedded.dtype()), p), ids);
}

}  // namespace heed
