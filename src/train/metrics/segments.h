// The segments of a corpus: the statistics of each, their sum, and the sum's score.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/threads.h"

namespace heed::metrics {

using References = std::vector<std::string>;  // of one segment: at least one

// sacreBLEU's release that the figures of this folder are compared with; its signatures name it.
inline constexpr const char* kSacreBleu = "2.6.0";

// nrefs: the number of references, "var" where segments have different numbers.
std::string reference_count(std::span<const References> references);

template <class Metric>
std::vector<typename Metric::Statistics> segment_statistics(const Metric& metric,
                                                            const std::vector<std::string>& hypotheses,
                                                            const std::vector<References>& references) {
  check(hypotheses.size() == references.size(), "metrics", "{} hypotheses for {} references", hypotheses.size(),
        references.size());
  for (size_t i = 0; i < references.size(); ++i)
    check(!references[i].empty(), "metrics", "segment {} has no reference", i + 1);
  std::vector<typename Metric::Statistics> all(hypotheses.size());
  parallel_items(static_cast<int64_t>(all.size()), [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    all[at] = metric.stats(hypotheses[at], references[at]);
  });
  return all;
}

template <class Statistics>
Statistics total(const std::vector<Statistics>& segments) {
  Statistics sum;
  for (const Statistics& each : segments) sum += each;
  return sum;
}

// The score of a sum as a function, for resampling.
template <class Metric>
auto score_of(const Metric& metric) {
  return [&metric](const typename Metric::Statistics& sum) { return metric.score(sum); };
}

}  // namespace heed::metrics
