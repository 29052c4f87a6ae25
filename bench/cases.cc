#include "bench/cases.h"

namespace heed::bench {

void bench_convolutions(Bench& bench);
void bench_products(Bench& bench);

void run_cases(const Options& options) {
  Bench bench(options);
  for (const auto family : {
           bench_convolutions,
           bench_products,
       })
    family(bench);
}

}  // namespace heed::bench
