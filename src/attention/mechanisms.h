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

// A size of a learned tensor that follows from nothing: `example` is that of example values.
constexpr int64_t any_size(int64_t example) { return -example; }
// The same where it is the inner width of a small network, which whoever learns it chooses.
constexpr int64_t kInner = int64_t{1} << 40;
constexpr int64_t inner_width(int64_t example) { return -kInner - example; }
// The shape with its free sizes filled in; inner 0: those of the example.
Shape filled(Shape shape, int64_t inner = 0);

// A learned tensor of a mechanism. One for each head and one for all of them may stand for each other, where the rooms
// allow it.
struct Learned {
  const char* name;
  std::function<Shape(const Sizes&)> shape;  // may hold any_size and inner_width
  double low = -1, high = 1;                 // of example values
  // Where training starts, element by element; none: as a weight of that shape does.
  std::function<double(const Sizes&, int64_t)> start = {};
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
  const char* paper;                 // "Press, Smith & Lewis 2021, arXiv:2108.12409"
  const char* paper_zh = nullptr;    // where that holds more than names
  const char* formula;               // one line
  const char* formula_zh = nullptr;  // where that holds words
  const char* cost;  // "O(T·S·D) time, O(T) memory": formulas and words that mechanism_page.cc translates
  Words purpose;     // what it is for: one or two sentences
  Words trap;        // what people get wrong
  const char* code;  // the C++ line that calls it
  std::vector<Learned> learned;
  // Error where the tensors are not those that the row learns, naming what is missing, superfluous, of another shape or
  // dtype.
  std::function<AttendOptions(const LearnedTensors&, const Sizes&)> options;
  std::function<Worked()> worked = [] { return Worked{}; };
};

const std::vector<Mechanism>& mechanisms();
const Mechanism& mechanism(const std::string& name);  // Error naming the nearest where there is none

// Values for the learned tensors of a row, the same for the same seed.
LearnedTensors example_tensors(const Mechanism& row, const Sizes& n, Dtype dtype, uint64_t seed);

}  // namespace heed::attention
