// Which examples make up the batches of an epoch: a function of the seed and the epoch alone.
#pragma once

#include <heed/tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace heed {

constexpr int32_t kIgnored = -100;  // a target that counts for nothing, where a row has none

struct BatchOptions {
  int64_t examples = 64;  // a batch …
  int64_t tokens = 0;     // … or, where not 0, the longest example times their number at most
  int64_t bucket = 10;    // batches whose examples are sorted by length together
  bool packed = false;    // examples share rows: nothing is padding, and nothing is sorted
  uint64_t seed = 1;
};

using Batches = std::vector<std::vector<int64_t>>;
// All examples once, in random order; those of a bucket are sorted by length before they are cut into batches.
Batches batches_of_epoch(std::span<const int64_t> lengths, const BatchOptions& options, int64_t epoch);
// The same sorted by length, for evaluation.
Batches batches_by_length(std::span<const int64_t> lengths, const BatchOptions& options);

}  // namespace heed
