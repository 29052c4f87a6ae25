#include "train/metrics/segments.h"

#include <algorithm>

namespace heed::metrics {

std::string reference_count(std::span<const References> references) {
  check(!references.empty(), "metrics", "there is no segment");
  const size_t first = references[0].size();
  const bool same = std::all_of(references.begin(), references.end(), [&](const auto& r) { return r.size() == first; });
  return same ? std::to_string(first) : "var";
}

}  // namespace heed::metrics
