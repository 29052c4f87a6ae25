// LSTM and GRU over whole sequences, forward and backward.
#include "kernels/recurrent.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/philox.h"
#include "bench/bench.h"
#include "hwy/aligned_allocator.h"

namespace heed::bench {
namespace {

using Buffer = hwy::AlignedFreeUniquePtr<float[]>;

Buffer draw(int64_t n, uint64_t stream, float scale) {
  Buffer buffer = hwy::AllocateAligned<float>(n);
  for (int64_t i = 0; i < n; ++i) buffer[i] = scale * (philox(1, stream, i)[0] * 0x1p-31f - 1);
  return buffer;
}

struct Layer {
  explicit Layer(const kernels::RecurrentShape& s) : shape(s) {
    const int64_t states = s.T * s.B * s.H, rows = kernels::gate_count(s.cell) * s.H;
    const float scale = 1 / std::sqrt(static_cast<float>(s.H));
    x = draw(s.T * s.B * s.D, 1, 1), dy = draw(states, 2, 1), y = draw(states, 3, 1), dx = draw(s.T * s.B * s.D, 4, 1);
    weight_ih = draw(rows * s.D, 5, scale), weight_hh = draw(rows * s.H, 6, scale), bias = draw(rows, 7, scale);
    dweight_ih = draw(rows * s.D, 5, 1), dweight_hh = draw(rows * s.H, 6, 1);
    dbias_ih = draw(rows, 7, 1), dbias_hh = draw(rows, 7, 1);
    workspace = draw(kernels::recurrent_workspace<float>(s), 8, 0);
    in.x = x.get(), in.weight_ih = weight_ih.get(), in.weight_hh = weight_hh.get();
    in.bias_ih = in.bias_hh = bias.get();
    gradients.dy = dy.get(), gradients.dx = dx.get();
    gradients.dweight_ih = dweight_ih.get(), gradients.dweight_hh = dweight_hh.get();
    gradients.dbias_ih = dbias_ih.get(), gradients.dbias_hh = dbias_hh.get();
  }
  void forward() { kernels::recurrent_forward<float>(shape, in, {y.get()}, workspace.get()); }
  void backward() { kernels::recurrent_backward<float>(shape, in, gradients, workspace.get()); }
  // Forward, gradients by what the products read, gradients by the weights.
  double flops() const {
    return 3.0 * 2 * shape.T * shape.B * kernels::gate_count(shape.cell) * shape.H * (shape.D + shape.H);
  }

  kernels::RecurrentShape shape;
  kernels::RecurrentInputs<float> in;
  kernels::RecurrentGradients<float> gradients;
  Buffer x, y, dy, dx, weight_ih, weight_hh, bias, dweight_ih, dweight_hh, dbias_ih, dbias_hh, workspace;
};

void bench_cell(Bench& bench, const char* name, kernels::Cell cell) {
  if (!bench.wants(name)) return;
  constexpr int64_t kSizes[][2] = {{512, 64}, {256, 32}, {1024, 32}, {512, 8}};
  for (const auto& [H, B] : kSizes) {
    Layer layer({cell, false, 32, B, H, H});
    bench.compute(name, fmt::format("T 32, B {}, {}->{}", B, H, H), layer.flops(), [&] {
      layer.forward();
      layer.backward();
    });
  }
}

}  // namespace

void bench_recurrent(Bench& bench) {
  bench_cell(bench, "lstm", kernels::Cell::lstm);
  bench_cell(bench, "gru", kernels::Cell::gru_reset_after);
  bench_cell(bench, "gru, reset before the product", kernels::Cell::gru_reset_before);
}

}  // namespace heed::bench
