#include "generate/rules.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/candidates.h"

namespace heed::rules {
namespace {

constexpr float kNever = -INFINITY;

int64_t width(std::span<const float> row) { return static_cast<int64_t>(row.size()); }

struct Largest {
  std::vector<float> values;
  std::vector<int32_t> ids;
  Largest(Row logits, int64_t k) : values(static_cast<size_t>(k)), ids(values.size()) {
    const int64_t count = kernels::row_largest(logits.data(), width(logits), k, values.data(), ids.data());
    values.resize(static_cast<size_t>(count)), ids.resize(values.size());
  }
};

// How many of the values, the largest first, have the probability p together; none: not even all.
size_t count_with(const std::vector<float>& values, float log_sum_exp, double p) {
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    sum += std::exp(static_cast<double>(values[i]) - static_cast<double>(log_sum_exp));
    if (sum >= p) return i + 1;
  }
  return 0;
}

}  // namespace

void repetition_penalty(Row logits, Said said, double penalty) {
  std::vector<int32_t> once(said.begin(), said.end());
  std::sort(once.begin(), once.end());
  once.erase(std::unique(once.begin(), once.end()), once.end());
  const auto factor = static_cast<float>(penalty);
  for (const int32_t id : once) {
    float& x = logits[static_cast<size_t>(id)];
    x = x > 0 ? x / factor : x * factor;
  }
}

void temperature(Row logits, double temperature) {
  const auto scale = static_cast<float>(1 / temperature);
  for (float& x : logits) x *= scale;
}

void keep_only(Row logits, std::span<const int32_t> ids) {
  std::vector<float> kept;
  for (const int32_t id : ids) kept.push_back(logits[static_cast<size_t>(id)]);
  std::fill(logits.begin(), logits.end(), kNever);
  for (size_t i = 0; i < ids.size(); ++i) logits[static_cast<size_t>(ids[i])] = kept[i];
}

void no_repeat(Row logits, Said said, int64_t n) {
  const auto before = static_cast<size_t>(n - 1);
  if (said.size() < before) return;
  const Said last = said.last(before);
  for (size_t i = 0; i + before < said.size(); ++i)
    if (std::equal(last.begin(), last.end(), said.begin() + static_cast<std::ptrdiff_t>(i)))
      logits[static_cast<size_t>(said[i + before])] = kNever;
}

void top_k(Row logits, int64_t k) {
  if (k < width(logits)) keep_only(logits, Largest(logits, k).ids);
}

// The head that has the probability p is short as a rule: a few are put in order, then more where they were too few.
void top_p(Row logits, double p) {
  const float log_sum_exp = kernels::row_log_sum_exp(logits.data(), width(logits));
  for (int64_t k = 64;; k *= 8) {
    const Largest head(logits, std::min(k, width(logits)));
    const size_t count = count_with(head.values, log_sum_exp, p);
    if (count > 0) return keep_only(logits, std::span(head.ids).first(count));
    if (k >= width(logits)) return;
  }
}

void min_p(Row logits, double p) {
  const float least = *std::max_element(logits.begin(), logits.end()) + static_cast<float>(std::log(p));
  for (float& x : logits) x = x < least ? kNever : x;
}

}  // namespace heed::rules
