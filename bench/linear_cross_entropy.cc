// Linear + cross-entropy, forward and backward in one pass: three products.
#include "kernels/linear_cross_entropy.h"

#include <fmt/format.h>

#include <vector>

#include "bench/bench.h"

namespace heed::bench {
namespace {

void bench_classes(Bench& bench, int64_t rows, int64_t width, int64_t classes) {
  const char *forward = "linear + cross-entropy forward", *both = "linear + cross-entropy";
  if (!bench.wants(forward) && !bench.wants(both)) return;
  std::vector<float> x(rows * width), weight(classes * width), bias(classes), dx(x.size()), dweight(weight.size()),
      dbias(classes);
  std::vector<int64_t> targets(rows);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7919 % 1000) / 500 - 1;
  for (size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i * 7907 % 1000) / 5000 - 0.1f;
  for (int64_t i = 0; i < rows; ++i) targets[i] = i * 7901 % classes;
  const kernels::LinearCrossEntropy<float> problem{.rows = rows,
                                                   .width = width,
                                                   .classes = classes,
                                                   .x = x.data(),
                                                   .weight = weight.data(),
                                                   .bias = bias.data(),
                                                   .targets = targets.data()};
  const std::string shape = fmt::format("{}x{} -> {}", rows, width, classes);
  const double flops = 2.0 * rows * width * classes;
  bench.compute(
      both, fmt::format("{}, {:.1f} MB held", shape, kernels::linear_cross_entropy_memory(rows, width, classes) / 1e6),
      3 * flops, [&] {
        linear_cross_entropy(problem, {dx.data(), dweight.data(), dbias.data()});
      });
  bench.compute(forward, shape, flops, [&] { linear_cross_entropy(problem); });
}

}  // namespace

void bench_linear_cross_entropy(Bench& bench) {
  bench_classes(bench, 1024, 256, 8000);
  bench_classes(bench, 1024, 256, 32000);
}

}  // namespace heed::bench
