// The text of an einsum: "bthd,bshd->bhts".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heed {

struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

// Blanks are ignored; without an arrow the output is the letters that occur once, in the order of the alphabet.
// Error(usage) where the text is no equation.
Equation parse_equation(std::string_view text);

}  // namespace heed
