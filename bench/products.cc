// Matrix products: the tile in cache, linear layers, constant weights.
#include "bench/bench.h"

namespace heed::bench {

void bench_products(Bench&) {}

}  // namespace heed::bench
