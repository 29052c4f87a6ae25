// What draws a key for each row leaves behind, and what it is handed back: RowStatistics (B,H,T,4) as f64, in which
// `largest` is log₂ Σ 2^s, `threshold` log p of what was drawn, `sum` the entropy, `place` the key.
#pragma once

#include <heed/attention.h>

#include <cmath>

#include "attention/engine/row_block.h"
#include "base/philox.h"

namespace heed::attention {

// In place of a key: the row looks nowhere, or among its scores is NaN or ∞.
inline constexpr double kNowhere = -1, kNotANumber = -2;
inline RowStatistics improper_row(double place) {
  const double value = place == kNowhere ? 0 : NAN;
  return {.threshold = value, .sum = value, .place = place};
}

// In [0, 1), 53 bits, of the call's row `number`.
inline double uniform(const Random& from, int64_t number) {
  const PhiloxWords words = philox(from.seed, from.stream, from.position + static_cast<uint64_t>(number));
  return ((static_cast<double>(words[0] >> 5) * 0x1p26) + static_cast<double>(words[1] >> 6)) * 0x1p-53;
}

struct Draws {
  Tensor keys;                      // i64 (B,H,T), −1 where the row looks nowhere
  Tensor log_probability, entropy;  // (B,H,T)
};
Draws draws_of(const Tensor& statistics, Dtype dtype);
// The statistics for backward: what arrives at log p and at the entropy in place of these.
Tensor with_arrived(const Tensor& statistics, const Tensor& at_log_probability, const Tensor& at_entropy);

}  // namespace heed::attention
