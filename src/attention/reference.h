// Attention as the formulas of its rooms and nothing else: whole matrices, in double, one head after the other. What
// the engine is tested against; it shares no code with it.
#pragma once

#include <heed/attention.h>

namespace heed::attention {

struct Reference {
  Tensor out, weights, log_sum_exp, scores;  // f64; the score of a hidden key is −∞
};
// The options as for attend, without dropout. Nothing is taken from where it draws: attend, called next, draws the
// same.
Reference reference(const Tensor& q, const Tensor& k, const Tensor& v, const AttendOptions& options);

}  // namespace heed::attention
