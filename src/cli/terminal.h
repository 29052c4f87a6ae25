// What stdout can show.
#pragma once

#include <string>

#include "explain/drawing.h"

namespace heed::cli {

// What is known of it: its columns (0: it is no terminal), and what the environment says; empty: nothing.
struct Terminal {
  int columns = 0;
  std::string no_color, term, colorterm;
};
Terminal terminal();

// No colours where stdout is no terminal or NO_COLOR is set; else as many as COLORTERM and TERM promise.
explain::Paper paper(const Terminal& terminal);

}  // namespace heed::cli
