// What was seen, for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "explain/seen.h"

namespace heed::explain {

// All that stands beside the attention: title, model, texts, scores (their text by its number), steps. Numbers have six
// digits behind the point.
nlohmann::ordered_json described(const Seen& seen);

// The same with the attention (by head what it does, weights by head, query and key), the scores of each token of the
// result with their alignment in Pharaoh format, and the caution.
std::string seen_json(const Seen& seen);

}  // namespace heed::explain
