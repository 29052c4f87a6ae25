// The names of what the options of a search choose from.
#pragma once

#include <heed/generate.h>

#include "models/choices.h"

namespace heed {

constexpr Names<Strategy, 3> names_of(Strategy) {
  return {{{"greedy", Strategy::greedy}, {"beam", Strategy::beam}, {"sample", Strategy::sample}}};
}
constexpr Names<LengthPenalty, 2> names_of(LengthPenalty) {
  return {{{"gnmt", LengthPenalty::gnmt}, {"marian", LengthPenalty::marian}}};
}
constexpr Names<EarlyStopping, 3> names_of(EarlyStopping) {
  return {{{"first", EarlyStopping::first}, {"heuristic", EarlyStopping::heuristic}, {"never", EarlyStopping::never}}};
}

}  // namespace heed
