// Matrix products: the tile in cache, linear layers, constant weights.
#include "kernels/products.h"

#include <fmt/format.h>
#include <heed/nn.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "bench/bench.h"
#include "hwy/aligned_allocator.h"
#include "kernels/packed.h"

namespace heed::bench {
namespace {

struct ProductSizes {
  int64_t rows, columns, depth;
};
std::string shape(const ProductSizes& s) { return fmt::format("{}x{}x{}", s.rows, s.columns, s.depth); }
double flops(const ProductSizes& s) { return 2.0 * static_cast<double>(s.rows * s.columns * s.depth); }

// Values that are neither zero nor equal, none of them tiny.
std::vector<float> values(int64_t n) {
  std::vector<float> x(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) x[static_cast<size_t>(i)] = static_cast<float>(i % 251) / 251 - 0.4f;
  return x;
}

using Panels = hwy::AlignedFreeUniquePtr<float[]>;
Panels panels_of(int64_t depth, int64_t columns) {
  return hwy::AllocateAligned<float>(static_cast<size_t>(kernels::panels_size(depth, columns)));
}

// The tile alone: weights packed and in the first or second cache, one core. Rows after the last whole tile are the
// tail.
void bench_tile(Bench& bench, const char* name, int64_t rows) {
  if (!bench.wants(name)) return;
  const ProductSizes s{rows, 64, 64};
  const auto a = values(s.rows * s.depth), w = values(s.columns * s.depth);
  std::vector<float> c(static_cast<size_t>(s.rows * s.columns));
  const Panels panels = panels_of(s.depth, s.columns);
  const kernels::PackedWeights<float> weights({w.data(), s.columns}, s.depth, s.columns, panels.get());
  const kernels::PackedProduct<float> product{s.rows, a.data(), s.depth, &weights, c.data(), s.columns};
  bench.compute(
      name, shape(s), flops(s), [&] { kernels::multiply(product); }, 1);
}

// y = x Wᵀ, the layer's forward; dx = dy W and dW = dyᵀ x, its backward.
struct LinearProduct {
  ProductSizes s;
  std::vector<float> x = values(s.rows * s.depth), w = values(s.columns * s.depth), y = values(s.rows * s.columns);
  std::vector<float> dx = values(s.rows * s.depth), dw = values(s.columns * s.depth);
  void forward() {
    kernels::multiply(kernels::Product<float>{
        s.rows, s.columns, s.depth, {x.data(), s.depth}, {w.data(), s.depth, true}, y.data(), s.columns});
  }
  void backward() {
    kernels::multiply(kernels::Product<float>{
        s.rows, s.depth, s.columns, {y.data(), s.columns}, {w.data(), s.depth}, dx.data(), s.depth});
    kernels::multiply(kernels::Product<float>{
        s.columns, s.depth, s.rows, {y.data(), s.columns, true}, {x.data(), s.depth}, dw.data(), s.depth});
  }
};
void bench_linear(Bench& bench, const ProductSizes& s) {
  if (!bench.wants("linear forward") && !bench.wants("linear backward")) return;
  LinearProduct linear{s};
  bench.compute("linear forward", shape(s), flops(s), [&] { linear.forward(); });
  bench.compute("linear backward", shape(s), 2 * flops(s), [&] { linear.backward(); });
}

// A model's weights, more than any cache holds, are read one matrix after the other.
struct Weights {
  static constexpr int64_t kMatrices = 48, kWidth = 1024;
  std::vector<Panels> panels;
  std::vector<kernels::PackedWeights<float>> weights;
  Weights() {
    const auto w = values(kWidth * kWidth);
    for (int64_t i = 0; i < kMatrices; ++i) {
      panels.push_back(panels_of(kWidth, kWidth));
      weights.emplace_back(kernels::Factor<float>{w.data(), kWidth, true}, kWidth, kWidth, panels.back().get());
    }
  }
  void run(int64_t rows, const float* x, float* y) const {
    for (size_t i = 0; i < weights.size(); ++i)
      kernels::multiply(kernels::PackedProduct<float>{.rows = rows,
                                                      .a = x,
                                                      .a_stride = kWidth,
                                                      .weights = &weights[i],
                                                      .c = y,
                                                      .c_stride = kWidth,
                                                      .next = &weights[(i + 1) % weights.size()]});
  }
};
// run(rows) reads the whole model once: bound by memory as long as rows are few.
void bench_model(Bench& bench, const char* name, const std::function<void(int64_t)>& run) {
  const double numbers = Weights::kMatrices * Weights::kWidth * Weights::kWidth;
  for (const int64_t rows : {1, 4, 8, 32}) {
    const std::string what =
        fmt::format("{} x {}, {} of {}", rows, Weights::kWidth, Weights::kMatrices, Weights::kWidth);
    if (rows <= 8)
      bench.memory(name, what, 4 * numbers, [&] { run(rows); });
    else
      bench.compute(name, what, 2 * numbers * static_cast<double>(rows), [&] { run(rows); });
  }
}

void bench_constant_weights(Bench& bench) {
  constexpr const char* kName = "constant weights";
  if (!bench.wants(kName)) return;
  const Weights model;
  const auto x = values(32 * Weights::kWidth);
  auto y = values(32 * Weights::kWidth);
  bench_model(bench, kName, [&](int64_t rows) { model.run(rows, x.data(), y.data()); });
}

// The same as a layer's user gets it: no tape, and weights that do not change.
void bench_layers(Bench& bench) {
  constexpr const char* kName = "layers of constant weights";
  if (!bench.wants(kName)) return;
  const NoGrad off;
  std::vector<heed::Linear> layers;
  for (int64_t i = 0; i < Weights::kMatrices; ++i) layers.emplace_back(Weights::kWidth, Weights::kWidth);
  const Tensor x = Tensor::full({32, Weights::kWidth}, 0.5);
  bench_model(bench, kName, [&](int64_t rows) {
    for (const heed::Linear& layer : layers) layer(x.slice(0, 0, rows));
  });
}

}  // namespace

void bench_products(Bench& bench) {
  bench_tile(bench, "tile", 128);
  for (const int64_t tail : {1, 2, 3, 4, 5}) bench_tile(bench, "tile with a tail", 120 + tail);
  for (const int64_t rows : {1, 2, 3, 4, 5}) bench_tile(bench, "tile of few rows", rows);
  for (const int64_t n : {1024, 2048, 4096}) bench_linear(bench, {n, n, n});
  bench_linear(bench, {1024, 2048, 512});
  bench_linear(bench, {1024, 512, 2048});
  bench_constant_weights(bench);
  bench_layers(bench);
  if (!bench.wants("linear on all cores")) return;
  LinearProduct linear{{1024, 1024, 1024}};
  bench.scaling("linear on all cores", "1024x1024x1024", [&] { linear.forward(); });
}

}  // namespace heed::bench
