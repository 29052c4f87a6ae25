// Element-wise ops out of the caches: a chain of them, and one with a broadcast row.
#include <fmt/format.h>
#include <heed/ops.h>

#include "bench/bench.h"

namespace heed::bench {

void bench_elementwise(Bench& bench) {
  constexpr int64_t kRows = 8192, kWidth = 2048, kCount = kRows * kWidth;
  const std::string shape = fmt::format("{}x{}", kRows, kWidth);
  if (!bench.wants("elementwise: x*y + z") && !bench.wants("elementwise: gelu(x + row)")) return;
  NoGrad off;
  const Tensor x = rand({kRows, kWidth}), y = rand({kRows, kWidth}), z = rand({kRows, kWidth}), row = rand({kWidth});
  bench.memory("elementwise: x*y + z", shape, 6.0 * 4 * kCount, [&] { const Tensor result = x * y + z; });
  bench.memory("elementwise: gelu(x + row)", shape, 4.0 * 4 * kCount, [&] { const Tensor result = gelu(x + row); });
}

}  // namespace heed::bench
