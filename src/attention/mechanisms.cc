#include "attention/mechanisms.h"

#include <algorithm>

#include "attention/rows.h"
#include "base/check.h"

namespace heed::attention {
namespace {

// Levenshtein's distance.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t before = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j)
      before = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, before + (a[i - 1] != b[j - 1])}));
  }
  return row.back();
}

}  // namespace

const std::vector<Mechanism>& mechanisms() {
  static const std::vector<Mechanism> all = {
      // scores
      dot_row(),
      scaled_dot_row(),
      learned_scale_row(),
      additive_row(),
      normed_additive_row(),
      additive_value_row(),
      concat_row(),
      keras_additive_row(),
      pooling_row(),
      linear_pooling_row(),
      general_row(),
      cosine_row(),
      distance_row(),
      location_row(),
      log_length_row(),
      switchable_scale_row(),
      // positions
      learned_positions_row(),
      sinusoidal_row(),
      rope_row(),
      rope_interleaved_row(),
      yarn_row(),
      alibi_row(),
      t5_row(),
      shaw_row(),
      transformer_xl_row(),
      // spans
      causal_row(),
      window_row(),
      lengths_row(),
      prefix_row(),
      documents_row(),
      local_m_row(),
      local_p_row(),
      block_sparse_row(),
      dilated_row(),
      strided_row(),
      strided_fixed_row(),
      adaptive_row(),
      // normalisers
      sigmoid_row(),
      no_normalizer_row(),
      sparsemax_row(),
      entmax15_row(),
      top_k_row(),
      hard_row(),
      sink_row(),
  };
  return all;
}

const Mechanism& mechanism(const std::string& name) {
  const auto& all = mechanisms();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Mechanism& m) { return name == m.name; });
  if (found != all.end()) return *found;
  const auto nearest = std::min_element(all.begin(), all.end(), [&](const Mechanism& a, const Mechanism& b) {
    return distance(name, a.name) < distance(name, b.name);
  });
  fail(ErrorKind::usage, "mechanisms", "there is no mechanism {}; the nearest name is {}", name, nearest->name);
}

LearnedTensors example_tensors(const Mechanism& row, const Sizes& n, Dtype dtype, uint64_t seed) {
  LearnedTensors tensors;
  Random from{seed, 0, 0};
  for (const Learned& learned : row.learned)
    tensors[learned.name] =
        (rand(learned.shape(n), from, Dtype::f64) * (learned.high - learned.low) + learned.low).to(dtype);
  return tensors;
}

}  // namespace heed::attention
