#include "generate/rules.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/candidates.h"
#include "kernels/scratch.h"

namespace heed::rules {
namespace {

constexpr float kNever = -INFINITY;

int64_t width(std::span<const float> row) { return static_cast<int64_t>(row.size()); }

struct Probable {
  float probability;
  int32_t id;
};

// The more probable first; of equally probable ones the first word.
bool before(const Probable& a, const Probable& b) {
  return a.probability > b.probability || (a.probability == b.probability && a.id < b.id);
}

struct PlacesAbove;

// Those that are at least `least`.
std::vector<Probable> above(Row logits, float least, float log_sum_exp) {
  int32_t* const ids = kernels::scratch<PlacesAbove, int32_t>(width(logits));
  std::vector<Probable> found(static_cast<size_t>(kernels::row_above(logits.data(), width(logits), least, ids)));
  for (size_t i = 0; i < found.size(); ++i)
    found[i] = {std::exp(logits[static_cast<size_t>(ids[i])] - log_sum_exp), ids[i]};
  return found;
}

// How many of the most probable ones have the probability p together; they then stand first. Halves are told apart,
// never put in order.
size_t put_first(std::vector<Probable>& all, double p) {
  auto begin = all.begin(), end = all.end();
  while (end - begin > 1) {
    const auto middle = begin + (end - begin) / 2;
    std::nth_element(begin, middle, end, before);
    double better = 0;
    for (auto each = begin; each != middle; ++each) better += static_cast<double>(each->probability);
    if (better >= p)
      end = middle;
    else
      begin = middle, p -= better;
  }
  return static_cast<size_t>(end - all.begin());
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
  if (k >= width(logits)) return;
  std::vector<float> values(static_cast<size_t>(k));
  std::vector<int32_t> ids(values.size());
  ids.resize(static_cast<size_t>(kernels::row_largest(logits.data(), width(logits), k, values.data(), ids.data())));
  keep_only(logits, ids);
}

// Words of less than (1 − p) / n each have less than 1 − p together: most are out before anything is compared.
void top_p(Row logits, double p) {
  const float log_sum_exp = kernels::row_log_sum_exp(logits.data(), width(logits));
  const auto least = static_cast<float>(std::log((1 - p) / static_cast<double>(width(logits)))) + log_sum_exp;
  std::vector<Probable> head = above(logits, least, log_sum_exp);
  head.resize(put_first(head, p));
  std::vector<int32_t> ids;
  for (const Probable& each : head) ids.push_back(each.id);
  keep_only(logits, ids);
}

void min_p(Row logits, double p) {
  const float least = *std::max_element(logits.begin(), logits.end()) + static_cast<float>(std::log(p));
  for (float& x : logits) x = x < least ? kNever : x;
}

}  // namespace heed::rules
