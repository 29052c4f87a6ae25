// chrF: Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015, and chrF++, which counts words
// too ("chrF++: words helping character n-grams", WMT 2017); the figures and the signature are sacreBLEU's.
//
//   chrF = 100 (1 + β²) P R / (β² P + R)
//
// P and R are the means of precision and recall over the orders that both texts are long enough for. Of several
// references the one that fits best counts.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "train/metrics/segments.h"

namespace heed::metrics {

struct ChrfOptions {
  size_t characters = 6;  // orders, 1 to 6
  size_t words = 0;       // orders, 0 to 2; 2: chrF++
  double beta = 2;
  bool lowercase = false;
  bool whitespace = false;  // spaces are characters too
  bool epsilon = false;     // the mean of the orders' F, each a little more than 0, as the first chrF++ had it
};

class Chrf {
 public:
  static constexpr size_t kMostOrders = 8;

  struct Order {
    int64_t hypothesis = 0, reference = 0, matched = 0;
  };
  struct Statistics {
    std::array<Order, kMostOrders> orders = {};  // of characters, then of words
    Statistics& operator+=(const Statistics& other);
  };

  explicit Chrf(const ChrfOptions& options = {});
  Statistics stats(std::string_view hypothesis, const References& references) const;
  double score(const Statistics& sum) const;
  std::string signature(std::span<const References> references) const;

 private:
  ChrfOptions options_;
};

}  // namespace heed::metrics
