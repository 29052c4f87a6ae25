// What was seen of words, where a tokeniser cut them into pieces.
#pragma once

#include "explain/seen.h"

namespace heed::explain {

// Tokens of each text joined into words, and what was seen of them: weights and scores of a word's pieces are summed
// where they are looked at, and are a mean where they look. Queries and keys of pieces are left out; steps stay.
Seen with_words(const Seen& seen);

}  // namespace heed::explain
