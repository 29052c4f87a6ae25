// What the weights of a hypothesis say of words.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <heed/generate.h>

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

int64_t most_looked_at(const Tensor& alignment, int64_t target) {
  int64_t best = 0;
  for (int64_t j = 1; j < alignment.dim(1); ++j)
    if (alignment.value({target, j}) > alignment.value({target, best})) best = j;
  return best;
}

void check_alignment(const char* who, const Tensor& alignment) {
  check(alignment.defined(), who, "there is no alignment; the search gives one where its options ask for it");
  check(alignment.rank() == 2 && alignment.dim(1) > 0, who, "the alignment is {}, wanted (target, source)",
        alignment.shape());
}

}  // namespace

std::vector<Link> links(const Tensor& alignment, double threshold) {
  check_alignment("links", alignment);
  std::vector<Link> found;
  for (int64_t i = 0; i < alignment.dim(0); ++i)
    for (int64_t j = 0, best = most_looked_at(alignment, i); j < alignment.dim(1); ++j)
      if (threshold > 0 ? alignment.value({i, j}) >= threshold : j == best) found.push_back({j, i});
  std::sort(found.begin(), found.end(),
            [](const Link& a, const Link& b) { return std::tie(a.source, a.target) < std::tie(b.source, b.target); });
  return found;
}

std::string pharaoh(const std::vector<Link>& links) {
  std::vector<std::string> pairs;
  for (const Link& link : links) pairs.push_back(fmt::format("{}-{}", link.source, link.target));
  return fmt::format("{}", fmt::join(pairs, " "));
}

std::vector<std::string> replace_unknown(const std::vector<std::string>& tokens, const Tensor& alignment,
                                         const std::vector<std::string>& source, const std::string& unknown,
                                         const std::map<std::string, std::string>& dictionary) {
  check_alignment("replace_unknown", alignment);
  check(alignment.shape() == Shape({static_cast<int64_t>(tokens.size()), static_cast<int64_t>(source.size())}),
        "replace_unknown", "the alignment is {}, wanted a row for each of {} tokens and a column for each of {}",
        alignment.shape(), tokens.size(), source.size());
  std::vector<std::string> replaced = tokens;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] != unknown) continue;
    const std::string& from = source[static_cast<size_t>(most_looked_at(alignment, static_cast<int64_t>(i)))];
    const auto entry = dictionary.find(from);
    replaced[i] = entry != dictionary.end() ? entry->second : from;
  }
  return replaced;
}

}  // namespace heed
