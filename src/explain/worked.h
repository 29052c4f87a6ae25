// A mechanism at work on numbers small enough to follow by hand; everything is computed when it is asked for.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "attention/mechanisms.h"

namespace heed::explain {

struct WorkedExample {
  using Named = std::pair<std::string, Tensor>;
  Tensor q, k, v;              // one head: (T,D), (S,D), (S,E), f64
  std::vector<Named> learned;  // in the order of the row
  std::vector<Named> steps;    // scores on the way, (T,S)
  Tensor scores;               // −∞ where a key is hidden
  Tensor weights, out;
};
WorkedExample worked_example(const attention::Mechanism& row);

// The weights (16,16) of the first of eight heads, of vectors drawn at random.
Tensor pattern_example(const attention::Mechanism& row);

// Matrices beside each other, each "name =" and its rows, within 80 columns.
std::vector<std::string> matrices(const std::vector<WorkedExample::Named>& named);

}  // namespace heed::explain
