// TER: Snover, Dorr, Schwartz, Micciulla & Makhoul, "A study of translation edit rate with targeted human annotation",
// AMTA 2006; the figures and the signature are sacreBLEU's, which follows tercom.
//
//   TER = 100 edits / words of the reference
//
// An edit inserts, deletes or replaces a word, or moves several words that stand together. Of several references the
// nearest counts its edits, their mean length is divided by.
#pragma once

#include <string>
#include <string_view>

#include "train/metrics/segments.h"
#include "train/metrics/tokens.h"

namespace heed::metrics {

class Ter {
 public:
  struct Statistics {
    int64_t edits = 0;
    double reference_words = 0;
    Statistics& operator+=(const Statistics& other) {
      edits += other.edits, reference_words += other.reference_words;
      return *this;
    }
  };

  explicit Ter(const TerOptions& options = {}) : options_(options) {}
  Statistics stats(std::string_view hypothesis, const References& references) const;
  double score(const Statistics& sum) const;  // 0 is best
  std::string signature(std::span<const References> references) const;

 private:
  std::u32string cut(std::string_view text) const;

  TerOptions options_;
};

}  // namespace heed::metrics
