#include "explain/worked.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "attention/reference.h"
#include "tensor/unicode.h"

namespace heed::explain {
namespace {

using attention::LearnedTensors;
using attention::Mechanism;
using attention::Sizes;
using Named = WorkedExample::Named;

constexpr int kWorkedWidth = 80;
constexpr uint64_t kSeed = 1;

Tensor from_rows(const std::vector<std::vector<double>>& rows) {
  Tensor x({1, 1, static_cast<int64_t>(rows.size()), static_cast<int64_t>(rows.at(0).size())}, Dtype::f64);
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t c = 0; c < rows[i].size(); ++c)
      x.at<double>({0, 0, static_cast<int64_t>(i), static_cast<int64_t>(c)}) = rows[i][c];
  return x;
}

// Whole numbers from −2 to 2.
Tensor small_numbers(const Shape& shape, Random& from) { return randint(-2, 3, shape, from).to(Dtype::f64); }

struct Inputs {
  Tensor q, k, v;
  Sizes sizes() const { return {1, q.dim(1), k.dim(1), q.dim(2), k.dim(2), q.dim(3), v.dim(3)}; }
};
Inputs inputs_of(const attention::Worked& own) {
  if (!own.q.empty()) return {from_rows(own.q), from_rows(own.k), from_rows(own.v)};
  Random from{kSeed, 0, 0};
  const Shape shape{1, 1, 4, 4};
  return {small_numbers(shape, from), small_numbers(shape, from), small_numbers(shape, from)};
}

Tensor one_head(const Tensor& x) { return x[0][0]; }

// ---- matrices as text -------------------------------------------------------------------------------------

// Whole numbers as they are, else as many digits as five columns hold.
int digits_of(const std::vector<double>& values) {
  double largest = 0;
  bool whole = true;
  for (const double x : values) {
    if (!std::isfinite(x)) continue;
    largest = std::max(largest, std::abs(x)), whole = whole && x == std::round(x);
  }
  return whole ? 0 : largest < 10 ? 4 : 3;
}

std::string number_text(double x, int digits) {
  if (std::isinf(x)) return x > 0 ? "∞" : "−∞";
  const std::string text = fmt::format("{:.{}f}", x, digits);
  return text.find_first_not_of("-0.") == std::string::npos ? text.substr(text[0] == '-') : text;
}

std::string flush_right(const std::string& text, int width) {
  return std::string(static_cast<size_t>(std::max(0, width - columns(text))), ' ') + text;
}

std::vector<std::string> lines_of(const Named& named) {
  const Tensor x = named.second.rank() < 2 ? named.second.view({1, named.second.numel()}) : named.second;
  const std::vector<double> values = x.values();
  const int digits = digits_of(values);
  int width = 0;
  for (const double value : values) width = std::max(width, columns(number_text(value, digits)));
  const std::string head = fmt::format("{} =", named.first);
  std::vector<std::string> lines;
  for (int64_t i = 0; i < x.dim(0); ++i) {
    lines.push_back(i == 0 ? head : flush_right("", columns(head)));
    for (const double value : x[i].values()) lines.back() += flush_right(number_text(value, digits), width + 1);
  }
  return lines;
}

int widest_of(const std::vector<std::string>& lines) {
  int width = 0;
  for (const std::string& line : lines) width = std::max(width, columns(line));
  return width;
}

void place_right_of(std::vector<std::string>& block, const std::vector<std::string>& right) {
  const int edge = widest_of(block) + 3;
  for (size_t i = 0; i < right.size(); ++i) {
    if (i == block.size()) block.emplace_back();
    block[i] += std::string(static_cast<size_t>(edge - columns(block[i])), ' ') + right[i];
  }
}

}  // namespace

WorkedExample worked_example(const Mechanism& row) {
  const attention::Worked own = row.worked();
  const Inputs x = inputs_of(own);
  const LearnedTensors learned = example_tensors(row, x.sizes(), Dtype::f64, kSeed);
  AttendOptions options = row.options(learned, x.sizes());
  WorkedExample made{one_head(x.q), one_head(x.k), one_head(x.v), {}, {}, {}, {}, {}};
  for (const attention::Learned& each : row.learned) made.learned.emplace_back(each.name, learned.at(each.name));
  for (const auto& step : own.steps)
    made.steps.emplace_back(step.formula, one_head(attention::reference(x.q, x.k, x.v, step.options).scores));
  made.scores = one_head(attention::reference(x.q, x.k, x.v, options).scores);
  Random draws{kSeed, 2, 0};
  options.return_weights = true, options.random = &draws;
  const Attended got = attend(x.q, x.k, x.v, options);
  made.weights = one_head(got.weights), made.out = one_head(got.out);
  return made;
}

Tensor pattern_example(const Mechanism& row) {
  const Sizes n{1, 8, 8, 16, 16, 8, 8};
  Random from{kSeed, 1, 0};
  const auto draw = [&] { return randn({1, 8, 16, 8}, from, Dtype::f64); };
  const Tensor q = draw(), k = draw(), v = draw();
  AttendOptions options = row.options(example_tensors(row, n, Dtype::f64, kSeed), n);
  options.return_weights = true, options.random = &from;
  return one_head(attend(q, k, v, options).weights);
}

std::vector<std::string> matrices(const std::vector<Named>& named) {
  std::vector<std::string> all, block;
  const auto finish = [&] {
    all.insert(all.end(), block.begin(), block.end());
    block.clear();
  };
  for (const Named& each : named) {
    const std::vector<std::string> lines = lines_of(each);
    if (!block.empty() && widest_of(block) + 3 + widest_of(lines) > kWorkedWidth - 2) finish(), all.emplace_back();
    block.empty() ? void(block = lines) : place_right_of(block, lines);
  }
  finish();
  return all;
}

}  // namespace heed::explain
