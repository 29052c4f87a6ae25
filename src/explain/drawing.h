// What was seen, for a terminal: matrices or marked words, by attention and by what mattered, side by side with their
// figures; what else might have been said; and what none of it proves.
#pragma once

#include <string>

#include "explain/picture.h"
#include "explain/seen.h"

namespace heed::explain {

struct Paper {
  int columns = 80;
  Ink ink = Ink::blocks;
};

std::string drawing(const Seen& seen, const Paper& paper);

}  // namespace heed::explain
