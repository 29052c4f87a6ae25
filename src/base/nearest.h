// Names that were meant: what is most like a word that nobody knows.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace heed {

// Letters to put in, leave out or replace until one is the other (Levenshtein 1966).
size_t edit_distance(const std::string& a, const std::string& b);
// Of one or more names the one at the least distance.
const std::string& nearest(const std::string& name, const std::vector<std::string>& all);

}  // namespace heed
