// The table of benchmark cases: a family a file, a line each.
#pragma once

#include <heed/tensor.h>

#include <optional>
#include <vector>

#include "bench/bench.h"

namespace heed::bench {

// Runs every case that the options want.
void run_cases(const Options& options);

// Attention: the whole table, or one case where the options describe one.
struct AttentionOptions {
  Options frame;
  std::string mechanism;                              // empty: scaled_dot
  std::optional<std::vector<int64_t>> shape, window;  // B,H,T,S,D; left, right
  bool causal = false, backward = false;
  Dtype dtype = Dtype::f32;
};
void run_attention(const AttentionOptions& options);

// Tokenisers, on text that is made up.
void run_text(const Options& options);

// Whole steps of training, and texts decoded.
void run_training(const Options& options);
void run_decoding(const Options& options);

}  // namespace heed::bench
