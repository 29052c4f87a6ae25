#include <heed/tensor.h>

#include <algorithm>

#include "base/check.h"
#include "ops/einsum.h"

namespace heed {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string letters_of(std::string_view term, std::string_view equation) {
  std::string letters;
  for (char c : term) {
    if (c == ' ') continue;
    check(is_letter(c), "einsum", "'{}' in '{}' is no letter", c, equation);
    letters += c;
  }
  check(letters.size() <= static_cast<size_t>(kMaxRank), "einsum", "'{}' has more than {} dimensions", letters,
        kMaxRank);
  return letters;
}

// The letters that occur exactly once in all inputs.
std::string implied_output(const std::vector<std::string>& inputs) {
  std::string all, once;
  for (const std::string& input : inputs) all += input;
  for (char letter : all)
    if (std::count(all.begin(), all.end(), letter) == 1) once += letter;
  std::sort(once.begin(), once.end());
  return once;
}

void check_output(const Equation& equation, std::string_view text) {
  for (char letter : equation.output) {
    check(std::count(equation.output.begin(), equation.output.end(), letter) == 1, "einsum",
          "the result of '{}' has {} twice", text, letter);
    const bool known = std::any_of(equation.inputs.begin(), equation.inputs.end(),
                                   [&](const std::string& input) { return input.find(letter) != std::string::npos; });
    check(known, "einsum", "the result of '{}' has {}, which no operand has", text, letter);
  }
  check(equation.output.size() <= static_cast<size_t>(kMaxRank), "einsum",
        "the result of '{}' has more than {} dimensions", text, kMaxRank);
}

}  // namespace

Equation parse_equation(std::string_view text) {
  check(text.size() <= 1024, "einsum", "the equation has {} characters, at most 1024 are read", text.size());
  const size_t arrow = text.find("->");
  std::string_view left = text.substr(0, arrow);
  Equation equation;
  for (;;) {
    const size_t comma = left.find(',');
    equation.inputs.push_back(letters_of(left.substr(0, comma), text));
    if (comma == std::string_view::npos) break;
    left.remove_prefix(comma + 1);
  }
  equation.output =
      arrow == std::string_view::npos ? implied_output(equation.inputs) : letters_of(text.substr(arrow + 2), text);
  check_output(equation, text);
  return equation;
}

}  // namespace heed
