// What the tape itself costs, and what a training loop asks of the system.
#include <heed/base.h>
#include <heed/train.h>
#include <malloc.h>

#include "bench/bench.h"

namespace heed::bench {
namespace {

struct Network {
  Linear hidden{64, 128, Activation::gelu}, out{128, 8};
  Tensor operator()(const Tensor& x) const { return out(hidden(x)); }
  void visit(auto&& field) { field("hidden", hidden), field("out", out); }
};

// Bytes that malloc and the arena hold: they grow when the system is asked for memory.
int64_t held() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.arena + info.hblkhd) + memory_use().held;
}

}  // namespace

void bench_tape(Bench& bench) {
  const Tensor x = Tensor::full({1}, 2).requires_grad(true), one = Tensor::full({1}, 1);
  Tensor leaf = x;
  bench.overhead("tape: tiny op, forward and backward", "1", 0.5, [&] {
    backward(leaf * leaf, {.seed = one});
    leaf.zero_grad();
  });

  if (!bench.wants("training loop: allocations")) return;
  Network network;
  Adam optimizer(weights(network));
  const Tensor input = randn({32, 64}), target = Tensor::zeros({32}, Dtype::i64);
  const auto step = [&] {
    backward(cross_entropy(network(input), target));
    optimizer.step();
  };
  for (int i = 0; i < 20; ++i) step();
  const int64_t before = held(), requests = memory_use().system_requests;
  for (int i = 0; i < 200; ++i) step();
  bench.count("training loop: allocations", "64-128-8, 200 steps",
              (memory_use().system_requests - requests) + (held() != before));
}

}  // namespace heed::bench
