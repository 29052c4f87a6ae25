#include "bench/cases.h"

namespace heed::bench {

void bench_attention_additive(Bench& bench);
void bench_convolutions(Bench& bench);
void bench_elementwise(Bench& bench);
void bench_linear_cross_entropy(Bench& bench);
void bench_math(Bench& bench);
void bench_optimizers(Bench& bench);
void bench_products(Bench& bench);
void bench_recurrent(Bench& bench);
void bench_rows(Bench& bench);
void bench_tape(Bench& bench);

void run_cases(const Options& options) {
  Bench bench(options);
  for (const auto family : {
           bench_attention_additive,
           bench_convolutions,
           bench_elementwise,
           bench_linear_cross_entropy,
           bench_math,
           bench_optimizers,
           bench_products,
           bench_recurrent,
           bench_rows,
           bench_tape,
       })
    family(bench);
}

}  // namespace heed::bench
