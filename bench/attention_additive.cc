// Additive scores: a feature is one (i, j, d). Its limit is arithmetic: three multiply-adds forward, and in backward
// those again and five for the gradients.
#include <fmt/format.h>
#include <heed/attention.h>

#include "bench/bench.h"

namespace heed::bench {
namespace {

struct Additive {
  int64_t batch, queries, keys, width;
  Tensor q = randn({batch, 1, queries, width}), k = randn({batch, 1, keys, width}), v = randn({batch, 1, keys, width}),
         scale = randn({width}), seed = randn({batch, 1, queries, width});
  std::string shape() const { return fmt::format("{},{},{},{}", batch, queries, keys, width); }
  double features() const { return static_cast<double>(batch * queries * keys * width); }
  Tensor forward() const { return attend(q, k, v, {.scores = keras_additive(scale)}).out; }
  void both() {
    for (Tensor* x : {&q, &k, &v, &scale}) x->requires_grad(true);
    gradients(forward(), {q, k, v, scale}, {.seed = seed});
  }
};

void bench_case(Bench& bench, Additive work) {
  constexpr double kForwardFlops = 2 * 3, kBothFlops = kForwardFlops + 2 * (3 + 5);
  bench.features("additive forward", work.shape(), work.features(), kForwardFlops, [&] { work.forward(); });
  bench.features("additive forward and backward", work.shape(), work.features(), kBothFlops, [&] { work.both(); });
}

}  // namespace

void bench_attention_additive(Bench& bench) {
  if (!bench.wants("additive forward") && !bench.wants("additive forward and backward")) return;
  bench_case(bench, {4, 256, 256, 128});
  bench_case(bench, {32, 32, 32, 256});
  bench_case(bench, {16, 256, 256, 128});
  bench_case(bench, {4, 1024, 1024, 128});
  bench_case(bench, {16, 1, 1024, 256});
}

}  // namespace heed::bench
