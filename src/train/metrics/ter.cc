#include "train/metrics/ter.h"

#include <algorithm>
#include <limits>

#include "train/metrics/edits.h"
#include "train/metrics/ngrams.h"

namespace heed::metrics {

namespace {

std::u32string joined(const std::vector<std::u32string_view>& words) {
  std::u32string text;
  for (const std::u32string_view word : words) text.append(word) += U' ';
  return trimmed_end(std::move(text));
}

}  // namespace

std::u32string Ter::cut(std::string_view text) const {
  return tokenized(options_, trimmed_end(options_.case_sensitive ? code_points(text) : lowered_code_points(text)));
}

Ter::Statistics Ter::stats(std::string_view hypothesis, const References& references) const {
  check(!references.empty(), "ter", "there is no reference");
  WordNumbers numbers;
  const std::u32string own = numbers.of(cut(hypothesis));
  int64_t least = std::numeric_limits<int64_t>::max(), length = 0;
  for (const std::string& reference : references) {
    // sacreBLEU cuts a reference twice: of "the house's." the second time leaves "the house 's .".
    const std::u32string once = cut(reference), other = numbers.of(tokenized(options_, joined(words(once))));
    least = std::min(least, edits_with_shifts(own, other));
    length += static_cast<int64_t>(other.size());
  }
  return {least, static_cast<double>(length) / static_cast<double>(references.size())};
}

double Ter::score(const Statistics& sum) const {
  if (sum.reference_words > 0) return 100 * (static_cast<double>(sum.edits) / sum.reference_words);
  return sum.edits > 0 ? 100 : 0;
}

std::string Ter::signature(std::span<const References> references) const {
  const auto yes = [](bool is) { return is ? "yes" : "no"; };
  return fmt::format("nrefs:{}|case:{}|tok:tercom|norm:{}|punct:{}|asian:{}|version:{}", reference_count(references),
                     options_.case_sensitive ? "mixed" : "lc", yes(options_.normalized), yes(!options_.no_punctuation),
                     yes(options_.asian), kSacreBleu);
}

}  // namespace heed::metrics
