// What was seen, for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "explain/seen.h"

namespace heed::explain {

// All that stands beside the attention: title, model, texts, scores (their text by its number), steps, answers. Numbers
// have six digits behind the point.
nlohmann::ordered_json described(const Seen& seen);

// Queries and keys of a short text are far more numbers than its weights.
enum class Vectors { without, with };

// The same with the attention (by head what it does, weights by head, query and key), the scores of each token of the
// result with their alignment in Pharaoh format, and the caution.
std::string seen_json(const Seen& seen, Vectors vectors = Vectors::without);

}  // namespace heed::explain
