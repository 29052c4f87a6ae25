#include <heed/explain.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace heed {
namespace {

// A row of weights and the place of its query among the keys.
template <class OfRow>
Tensor of_each_head(const Tensor& weights, const OfRow& of_row) {
  check(weights.rank() >= 2 && weights.dim(-2) > 0, "heads", "got weights {}, wanted (…,T,S) with T > 0",
        weights.shape().text());
  const int64_t queries = weights.dim(-2), keys = weights.dim(-1);
  const std::vector<double> all = weights.values();
  Shape heads = weights.shape();
  heads.erase(heads.rank() - 1), heads.erase(heads.rank() - 1);
  std::vector<double> means(static_cast<size_t>(heads.numel()));
  for (size_t h = 0; h < means.size(); ++h)
    for (int64_t i = 0; i < queries; ++i) {
      const size_t row = (h * static_cast<size_t>(queries) + static_cast<size_t>(i)) * static_cast<size_t>(keys);
      means[h] += of_row(std::span(all).subspan(row, static_cast<size_t>(keys)), i + keys - queries) /
                  static_cast<double>(queries);
    }
  return tensor_from(means, heads);
}

// The mean over the queries that have such keys of the weight on them: where(i', j).
template <class Where>
double strength(const Tensor& weights, const Where& where) {
  const int64_t queries = weights.dim(0), keys = weights.dim(1);
  double sum = 0;
  int64_t count = 0;
  for (int64_t i = 0; i < queries; ++i) {
    bool could = false;
    for (int64_t j = 0; j < keys; ++j)
      if (where(i + keys - queries, j)) could = true, sum += weights.value({i, j});
    count += could;
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

}  // namespace

Tensor head_entropy(const Tensor& weights) {
  return of_each_head(weights, [](std::span<const double> row, int64_t) {
    double entropy = 0;
    for (const double a : row) entropy -= a > 0 ? a * std::log(a) : 0;
    return entropy;
  });
}

Tensor head_distance(const Tensor& weights) {
  return of_each_head(weights, [](std::span<const double> row, int64_t place) {
    double distance = 0;
    for (size_t j = 0; j < row.size(); ++j)
      distance += row[j] * std::abs(static_cast<double>(place) - static_cast<double>(j));
    return distance;
  });
}

std::vector<HeadKind> head_kinds(const Tensor& weights, const std::vector<std::string>& tokens,
                                 const std::vector<std::string>& separators) {
  check(weights.rank() == 2 && weights.dim(1) == std::ssize(tokens), "heads", "got weights {} of {} tokens",
        weights.shape().text(), tokens.size());
  const auto token = [&](int64_t place) { return place < 0 ? std::string() : tokens[static_cast<size_t>(place)]; };
  const auto divides = [&](int64_t j) {
    return std::find(separators.begin(), separators.end(), token(j)) != separators.end();
  };
  std::vector<HeadKind> kinds = {
      {"previous token", strength(weights, [](int64_t i, int64_t j) { return j == i - 1; })},
      {"next token", strength(weights, [](int64_t i, int64_t j) { return j == i + 1; })},
      {"first token", strength(weights, [](int64_t i, int64_t j) { return j == 0 && i != 0; })},
      {"same word", strength(weights, [&](int64_t i, int64_t j) { return i != j && token(i) == token(j); })},
      {"separator", strength(weights, [&](int64_t, int64_t j) { return divides(j); })},
      {"diagonal", strength(weights, [](int64_t i, int64_t j) { return i == j; })}};
  std::stable_sort(kinds.begin(), kinds.end(), [](const auto& a, const auto& b) { return a.strength > b.strength; });
  return kinds;
}

}  // namespace heed
