// What this machine can do at most, measured: the limits that a benchmark's ratio is to.
#pragma once

namespace heed::bench {

// f32 fused multiply-adds in registers, two operations each, by all of heed::threads(), a second.
double measure_flops();
// The same of bf16 pairs, four operations each; of f32 where the processor has none.
double measure_bf16_flops();

// Bytes a second to or from memory, all of heed::threads(): the best of reading, copying and a triad past the caches.
double measure_bandwidth();

// Cycles a second of one core: a chain of integer products, three cycles each.
double measure_clock();

}  // namespace heed::bench
