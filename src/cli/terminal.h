// What stdout can show.
#pragma once

#include <string>

#include "explain/drawing.h"

namespace heed::cli {

// Whether it is a terminal at all, its columns, and what the environment says of colours; empty: nothing.
struct Terminal {
  bool is_one = false;
  int columns = 80;
  std::string no_color, term, colorterm;
};
// So many columns as COLUMNS says, or else the terminal itself.
Terminal terminal();

// No colours where stdout is no terminal or NO_COLOR is set; else as many as COLORTERM and TERM promise.
explain::Paper paper(const Terminal& terminal);

}  // namespace heed::cli
