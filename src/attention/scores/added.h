// What the rooms share whose scores are Σ_d v_d tanh(q'_d + k'_d).
#pragma once

#include <vector>

#include "attention/slots.h"

namespace heed::attention {

// x Wᵀ for each head; W (A,D), or (heads,A,D), or undefined: x itself. `what` names W in errors, `of` names x.
Tensor project(const Tensor& x, const Tensor& weight, const char* what, const char* of);
// That of the pipeline's keys, of which padding has no part.
Tensor project_keys(const Pipeline& p, const Tensor& weight, const char* what);
// Makes these the scores of the pipeline: q' (B,H,T,A), k' (B,G,S,A), v (A) or (H,A).
void add_scores(Pipeline& p, const Tensor& q, const Tensor& k, const Tensor& v);

// For references: what of a tensor belongs to this head, when one of `rank` dimensions belongs to all (nothing where it
// is undefined), and y += W x, W (|y|,|x|), or y += x where W is nothing.
std::vector<double> of_head(const Tensor& tensor, int rank, const Plain& x);
void add_product(const std::vector<double>& w, const double* x, size_t width, std::vector<double>& y);

}  // namespace heed::attention
