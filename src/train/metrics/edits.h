// Edits from one sequence of words to another, moves of several words counted as one.
#pragma once

#include <cstdint>
#include <string_view>

namespace heed::metrics {

// A word a character. Moves are searched greedily: the one that saves most, until none saves anything or a thousand
// were tried. At most ten words move, from at most fifty words away; the edit distance looks 25 words to either side of
// the diagonal. These limits are tercom's and sacreBLEU's, and part of the figure.
int64_t edits_with_shifts(std::u32string_view from, std::u32string_view to);

}  // namespace heed::metrics
