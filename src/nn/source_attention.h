// Attention of a decoder to a source that is read once, by any mechanism of the table that makes sense there.
#pragma once

#include <heed/nn.h>

#include "attention/mechanisms.h"

namespace heed {

// A source made ready: what depends on it alone is computed once.
struct Memory {
  Tensor keys, values;     // (B,1,S,·)
  Tensor lengths;          // i64 (B)
  AttendOptions how = {};  // what is left to compute

  void visit(auto&& field) { field("keys", keys), field("values", values), field("lengths", lengths); }
};

// Luong's local spans stand beside whatever scores there are.
enum class Around { everything, local_m, local_p };

struct SourceAttentionOptions {
  std::string mechanism = "additive";  // a row of the table
  Around span = Around::everything;
  int64_t reach = 10;     // of a local span
  int64_t longest = 256;  // source, for scores that learn something for each place
};

struct SourceAttention {
  SourceAttentionOptions options;
  int64_t width;
  attention::LearnedTensors learned;  // of the row
  Tensor place, place_vector;         // of local_p

  // For queries and a memory of this width. Error where the mechanism places queries among the keys or draws them: a
  // decoder's step has no place in the source, and a drawn one brings no gradient.
  SourceAttention(int64_t width, const SourceAttentionOptions& options = {});

  bool uses_queries() const;  // false: all queries gather the same
  // (B,S,width): finite, also in the padding
  Memory read(const Tensor& states, const Tensor& lengths) const { return read(states, states, lengths); }
  Memory read(const Tensor& keys, const Tensor& values, const Tensor& lengths) const;
  // q (R,T,width), the first of which stands at place `first` of the target; sentences have R/B rows each, side by
  // side. out (R,T,width), weights (R,T,S).
  Attended operator()(const Tensor& q, const Memory& memory, int64_t first, bool weights = false,
                      const Watch& watch = {}) const;
  void visit(auto&& field) {
    for (auto& [name, tensor] : learned) field(name.c_str(), tensor);
    if (place.defined()) field("place", place), field("place_vector", place_vector);
  }
};

}  // namespace heed
