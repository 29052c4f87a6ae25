// BLEU: Papineni, Roukos, Ward & Zhu, "BLEU: a method for automatic evaluation of machine translation", ACL 2002; the
// figures and the signature are sacreBLEU's (Post, "A call for clarity in reporting BLEU scores", WMT 2018).
//
//   BLEU = 100 BP exp(1/N Σ_n log p_n),   p_n = matched n-grams / n-grams, N = 4
//   BP   = exp(min(0, 1 - r/c)),          c the hypotheses' length, r that of the references nearest in length
//
// A match counts as often as one reference has it at most. Where no n-gram matches, p_n is smoothed (Chen & Cherry,
// "A systematic comparison of smoothing techniques for sentence-level BLEU", WMT 2014).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "train/metrics/segments.h"
#include "train/metrics/tokens.h"

namespace heed::metrics {

enum class Smoothing {
  none,
  floor,        // value/total, value 0.1
  add_k,        // matched + k, total + k for n > 1, k 1
  exponential,  // 1/2, 1/4, … of a match for the first, second … order without any: NIST's
};

struct BleuOptions {
  BleuTokens tokens = BleuTokens::v13a;
  Smoothing smoothing = Smoothing::exponential;
  std::optional<double> smoothing_value = {};
  bool effective_order = false;  // orders that no hypothesis is long enough for do not count: for single sentences
  bool lowercase = false;
};

class Bleu {
 public:
  static constexpr size_t kOrders = 4;

  struct Statistics {
    int64_t hypothesis_words = 0, reference_words = 0;
    std::array<int64_t, kOrders> matched = {}, total = {};
    Statistics& operator+=(const Statistics& other);
  };
  struct Figures {
    double score = 0, brevity_penalty = 1;
    std::array<double, kOrders> precisions = {};  // per cent, smoothed
  };

  explicit Bleu(const BleuOptions& options = {}) : options_(options) {}
  Statistics stats(std::string_view hypothesis, const References& references) const;
  Figures figures(const Statistics& sum) const;
  double score(const Statistics& sum) const { return figures(sum).score; }
  std::string signature(std::span<const References> references) const;

 private:
  std::u32string words_of(std::string_view text) const;

  BleuOptions options_;
};

}  // namespace heed::metrics
