#include "nn/recurrent_gates.h"

#include <span>

namespace heed {
namespace {

// Strips of the weights: σ(strip of x W + h U).
struct Gate {
  const char* name;
  int64_t strip;
};
std::span<const Gate> gates_of(Cell cell) {
  static constexpr Gate kLstm[] = {{"input", 0}, {"forget", 1}, {"output", 3}}, kGru[] = {{"reset", 0}, {"update", 1}};
  switch (cell) {
    case Cell::lstm: return kLstm;
    case Cell::gru:
    case Cell::gru_reset_before: return kGru;
    case Cell::tanh:
    case Cell::relu: break;
  }
  return {};
}

bool is_wanted(const Watch& watch, const Gate& gate, std::string* place) {
  if (!watch.watcher) return false;
  *place = watch.place + ".gates." + gate.name;
  return watch.watcher->wants(*place);
}

// x times a gate's rows of the weights alone, with its part of the bias where there is one.
Tensor strip_of_product(const Tensor& x, const Tensor& weights, const Tensor& bias, const Gate& gate, int64_t strips) {
  const int64_t width = weights.dim(0) / strips, begin = gate.strip * width;
  const auto strip = [&](const Tensor& of) { return of.defined() ? slice(of, 0, begin, begin + width) : Tensor(); };
  return linear(x, strip(weights), strip(bias));
}

// Where a direction stood before each step.
Tensor stood(const Tensor& y, const Tensor& from, bool reverse) {
  const int64_t steps = y.dim(0);
  const Tensor first = from.defined() ? unsqueeze(from, 0) : zeros({1, y.dim(1), y.dim(2)}, y.dtype());
  return reverse ? concat({slice(y, 0, 1, steps), first}, 0) : concat({first, slice(y, 0, 0, steps - 1)}, 0);
}

}  // namespace

void show_gates(const Watch& watch, const Recurrent& layer, const WentOver& went) {
  std::string place;
  for (const Gate& gate : gates_of(layer.cell)) {
    if (!is_wanted(watch, gate, &place)) continue;
    const NoGrad scope;
    const int64_t strips = gates(layer.cell);
    const auto count = static_cast<int64_t>(layer.directions.size());
    const std::vector<Tensor> sides = chunk(went.y, count, 2);
    std::vector<Tensor> opened;
    for (int64_t n = 0; n < count; ++n) {
      const RecurrentWeights& w = layer.directions[static_cast<size_t>(n)];
      const Tensor h = stood(sides[static_cast<size_t>(n)], went.from.h, went.reverse != (n == 1));
      opened.push_back(sigmoid(strip_of_product(went.x, w.input, w.input_bias, gate, strips) +
                               strip_of_product(h, w.hidden, w.hidden_bias, gate, strips)));
    }
    watch.watcher->value(place, transpose(count == 1 ? opened[0] : concat(opened, 2), 0, 1));
  }
}

void show_gates_of_step(const Watch& watch, const Recurrent& layer, const Tensor& a, const Tensor& of_state) {
  std::string place;
  for (const Gate& gate : gates_of(layer.cell)) {
    if (!is_wanted(watch, gate, &place)) continue;
    const NoGrad scope;
    const int64_t width = a.dim(1) / gates(layer.cell), begin = gate.strip * width;
    const auto strip = [&](const Tensor& of) { return slice(of, 1, begin, begin + width); };
    watch.watcher->value(place, unsqueeze(sigmoid(strip(a) + strip(of_state)), 1));
  }
}

}  // namespace heed
