// The table of named mechanisms: a row fills the slots and says what there is to say. Tests, benchmark, `heed
// mechanisms`, `heed attend` and the pages in docs/ follow from the rows.
#pragma once

#include <heed/attention.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "attention/engine/problem.h"

namespace heed::attention {

struct Words {
  const char *en = nullptr, *zh = nullptr;
};

// A learned tensor of a mechanism.
struct Learned {
  const char* name;
  std::function<Shape(const Sizes&)> shape;
  double low = -1, high = 1;  // of example values
};
using LearnedTensors = std::map<std::string, Tensor>;

// A worked example of a row's own, one head: rows of q, k and v, scores on the way, a remark. The rest is computed.
struct Worked {
  struct Step {
    const char* formula;  // "Q Kᵀ"
    AttendOptions options;
  };
  std::vector<std::vector<double>> q = {}, k = {}, v = {};  // none: an example is drawn
  std::vector<Step> steps = {};
  Words remark = {};
};

struct Mechanism {
  const char* name;  // "alibi"
  int year;
  const char* paper;    // "Press, Smith & Lewis 2021, arXiv:2108.12409"
  const char* formula;  // one line
  const char* cost;     // "O(T·S·D) time, O(T) memory": formulas and these two words
  Words purpose;        // what it is for: one or two sentences
  Words trap;           // what people get wrong
  const char* code;     // the C++ line that calls it
  std::vector<Learned> learned;
  std::function<AttendOptions(const LearnedTensors&, const Sizes&)> options;
  std::function<Worked()> worked = [] { return Worked{}; };
};

const std::vector<Mechanism>& mechanisms();
const Mechanism& mechanism(const std::string& name);  // Error naming the nearest where there is none

// Values for the learned tensors of a row, the same for the same seed.
LearnedTensors example_tensors(const Mechanism& row, const Sizes& n, Dtype dtype, uint64_t seed);

}  // namespace heed::attention
