// What makes a score of a hypothesis's log-probability.                         Wu et al. 2016, arXiv:1609.08144, §7
//
//   score = log P / lp + cp
#pragma once

#include <heed/generate.h>

namespace heed {

// lp of a hypothesis of n tokens: ((5 + n) / 6)^α or n^α.
double length_penalty(LengthPenalty form, double alpha, int64_t n);

// cp = β Σ_j log min(Σ_i p_ij, 1) for weights p (T,S): how much of the source was looked at. A word at which nothing
// looked counts as one that got a billionth: one such word would otherwise make all hypotheses equally bad.
double coverage_penalty(double beta, const Tensor& weights);

}  // namespace heed
