// The rows, each defined in the room of what it is about.
#pragma once

#include <cmath>

#include "attention/mechanisms.h"

namespace heed::attention {

// Where the training of a learned tensor may start.
inline double at_zero(const Sizes&, int64_t) { return 0; }
inline double one_over_root(const Sizes& n, int64_t) { return 1 / std::sqrt(static_cast<double>(n.width)); }  // 1/√D

Mechanism dot_row();
Mechanism scaled_dot_row();
Mechanism learned_scale_row();
Mechanism additive_row();
Mechanism normed_additive_row();
Mechanism additive_value_row();
Mechanism concat_row();
Mechanism keras_additive_row();
Mechanism pooling_row();
Mechanism linear_pooling_row();
Mechanism general_row();
Mechanism cosine_row();
Mechanism distance_row();
Mechanism location_row();
Mechanism log_length_row();
Mechanism switchable_scale_row();
Mechanism learned_positions_row();
Mechanism sinusoidal_row();
Mechanism rope_row();
Mechanism rope_interleaved_row();
Mechanism yarn_row();
Mechanism alibi_row();
Mechanism t5_row();
Mechanism shaw_row();
Mechanism transformer_xl_row();
Mechanism causal_row();
Mechanism window_row();
Mechanism lengths_row();
Mechanism starts_row();
Mechanism prefix_row();
Mechanism documents_row();
Mechanism local_m_row();
Mechanism local_p_row();
Mechanism block_sparse_row();
Mechanism dilated_row();
Mechanism strided_row();
Mechanism strided_fixed_row();
Mechanism adaptive_row();
Mechanism sigmoid_row();
Mechanism no_normalizer_row();
Mechanism sparsemax_row();
Mechanism entmax15_row();
Mechanism top_k_row();
Mechanism hard_row();
Mechanism sampled_row();
Mechanism sink_row();

}  // namespace heed::attention
