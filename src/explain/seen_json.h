// What was seen, for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "explain/seen.h"

namespace heed::explain {

// All that stands beside the attention: title, model, texts, scores (their text by its number), steps.
nlohmann::ordered_json described(const Seen& seen);

// An object: title, model, texts, attention (by head what it does, weights by head, query and key), scores, with an
// alignment in Pharaoh format where there are several tokens of a result, steps, caution.
std::string seen_json(const Seen& seen);

}  // namespace heed::explain
