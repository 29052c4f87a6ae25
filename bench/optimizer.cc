// Optimiser steps over the weights of a model: memory is the limit. Every value of weight, gradient and state is read
// once; weight and state are written once.
#include "kernels/optimizer.h"

#include <fmt/format.h>

#include <vector>

#include "bench/bench.h"

namespace heed::bench {
namespace {

// 16 M values: matrices, and biases between them.
struct Model {
  std::vector<std::vector<float>> values;
  std::vector<kernels::WeightState<float>> states;
  int64_t n = 0;

  Model() {
    for (int layer = 0; layer < 16; ++layer)
      for (const int64_t size : {1024 * 1024, 1024}) {
        kernels::WeightState<float> w;
        for (float** part : {&w.weight, &w.gradient, &w.state[0], &w.state[1], &w.state[2]}) {
          values.emplace_back(static_cast<size_t>(size), 0.01f);
          *part = values.back().data();
        }
        w.n = size;
        n += size;
        states.push_back(w);
      }
  }
};

}  // namespace

void bench_optimizers(Bench& bench) {
  const char* const names[] = {"sgd", "sgd momentum", "rmsprop", "adagrad", "adam", "adamw amsgrad", "gradient norm"};
  bool wanted = false;
  for (const char* name : names) wanted = wanted || bench.wants(name);
  if (!wanted) return;
  Model model;
  const kernels::WeightStates<float> w(model.states);
  const std::string shape = fmt::format("{}", model.n);
  const auto bytes = [&](int streams) { return 4.0 * streams * static_cast<double>(model.n); };
  bench.memory("sgd", shape, bytes(3), [&] { kernels::sgd_step(w, {.learning_rate = 1e-6}, 2); });
  bench.memory("sgd momentum", shape, bytes(5),
               [&] { kernels::sgd_step(w, {.learning_rate = 1e-6, .momentum = 0.9, .nesterov = true}, 2); });
  bench.memory("rmsprop", shape, bytes(5), [&] { kernels::rmsprop_step(w, {.learning_rate = 1e-6}); });
  bench.memory("adagrad", shape, bytes(5), [&] { kernels::adagrad_step(w, {.learning_rate = 1e-6}); });
  bench.memory("adam", shape, bytes(7), [&] { kernels::adam_step(w, {.learning_rate = 1e-6}, 2); });
  bench.memory("adamw amsgrad", shape, bytes(9), [&] {
    kernels::adam_step(w, {.learning_rate = 1e-6, .weight_decay = 0.01, .decoupled = true, .amsgrad = true}, 2);
  });
  double norm = 0;
  bench.memory("gradient norm", shape, bytes(1), [&] { norm = kernels::gradient_norm(w); });
}

}  // namespace heed::bench
