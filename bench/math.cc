// Mathematics on data in the first cache, elements a cycle of one core; and gradients out of the caches.
#include "kernels/math.h"

#include <fmt/format.h>

#include <numeric>
#include <vector>

#include "bench/bench.h"

namespace heed::bench {
namespace {

using kernels::Unary;

template <class T>
void bench_in_cache(Bench& bench, Unary function, const char* type) {
  const std::string name = fmt::format("math: {} {}", kernels::name(function), type);
  if (!bench.wants(name)) return;
  constexpr int64_t kCount = 16384 / sizeof(T);  // 16 KiB in, 16 KiB out
  std::vector<T> x(kCount), y(kCount);
  for (int64_t i = 0; i < kCount; ++i) x[static_cast<size_t>(i)] = static_cast<T>(i - kCount / 2) * T(8) / T(kCount);
  bench.elements(name, std::to_string(kCount), kCount,
                 [&] { kernels::map(function, x.data(), y.data(), kCount, 0.1); });
}

void bench_gradient(Bench& bench, Unary function) {
  const std::string name = fmt::format("math: {} backward", kernels::name(function));
  if (!bench.wants(name)) return;
  constexpr int64_t kCount = int64_t{1} << 24;
  const std::vector<float> x(kCount, 0.3f), dy(kCount, 1.0f);
  std::vector<float> dx(kCount);
  bench.memory(name, std::to_string(kCount), 3.0 * 4 * kCount,
               [&] { kernels::map_backward(function, x.data(), x.data(), dy.data(), dx.data(), kCount, 0.1); });
}

}  // namespace

void bench_math(Bench& bench) {
  for (const Unary function : {Unary::exp, Unary::tanh, Unary::sigmoid, Unary::erf, Unary::exp2, Unary::log, Unary::sin,
                               Unary::cos, Unary::gelu, Unary::gelu_tanh, Unary::silu, Unary::softplus}) {
    bench_in_cache<float>(bench, function, "f32");
    bench_in_cache<double>(bench, function, "f64");
  }
  for (const Unary function : {Unary::relu, Unary::tanh, Unary::gelu, Unary::silu}) bench_gradient(bench, function);
}

}  // namespace heed::bench
