#include "train/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "train/metrics/ngrams.h"

namespace heed::metrics {
namespace {

struct SmoothingRow {
  Smoothing smoothing;
  const char* name;
  std::optional<double> value;  // where none is given
};
constexpr SmoothingRow kSmoothings[] = {{Smoothing::none, "none", {}},
                                        {Smoothing::floor, "floor", 0.1},
                                        {Smoothing::add_k, "add-k", 1.0},
                                        {Smoothing::exponential, "exp", {}}};
const SmoothingRow& row_of(Smoothing smoothing) {
  return *std::find_if(std::begin(kSmoothings), std::end(kSmoothings),
                       [&](const SmoothingRow& row) { return row.smoothing == smoothing; });
}

// The shorter of two that are equally near.
int64_t nearest(const std::vector<int64_t>& lengths, int64_t to) {
  return *std::min_element(lengths.begin(), lengths.end(), [&](int64_t a, int64_t b) {
    return std::pair(std::abs(a - to), a) < std::pair(std::abs(b - to), b);
  });
}

// The most that one reference has of each n-gram.
Ngrams most_of(const std::vector<std::u32string>& references, size_t n) {
  Ngrams most;
  for (const std::u32string& reference : references)
    for (const auto& [ngram, count] : ngrams(reference, n)) most[ngram] = std::max(most[ngram], count);
  return most;
}

double brevity_penalty(int64_t hypothesis, int64_t reference) {
  if (hypothesis >= reference) return 1;
  return hypothesis > 0 ? std::exp(1 - static_cast<double>(reference) / static_cast<double>(hypothesis)) : 0;
}

}  // namespace

Bleu::Statistics& Bleu::Statistics::operator+=(const Statistics& other) {
  hypothesis_words += other.hypothesis_words, reference_words += other.reference_words;
  for (size_t n = 0; n < kOrders; ++n) matched[n] += other.matched[n], total[n] += other.total[n];
  return *this;
}

std::u32string Bleu::words_of(std::string_view text) const {
  return tokenized(options_.tokens, trimmed_end(options_.lowercase ? lowered_code_points(text) : code_points(text)));
}

Bleu::Statistics Bleu::stats(std::string_view hypothesis, const References& references) const {
  check(!references.empty(), "bleu", "there is no reference");
  WordNumbers numbers;
  const std::u32string own = numbers.of(words_of(hypothesis));
  std::vector<std::u32string> others;
  std::vector<int64_t> lengths;
  for (const std::string& reference : references) {
    others.push_back(numbers.of(words_of(reference)));
    lengths.push_back(static_cast<int64_t>(others.back().size()));
  }
  Statistics stats{.hypothesis_words = static_cast<int64_t>(own.size()), .reference_words = 0};
  stats.reference_words = nearest(lengths, stats.hypothesis_words);
  for (size_t n = 0; n < kOrders; ++n) {
    stats.matched[n] = matched(ngrams(own, n + 1), most_of(others, n + 1));
    stats.total[n] = ngram_total(own, n + 1);
  }
  return stats;
}

Bleu::Figures Bleu::figures(const Statistics& sum) const {
  Figures figures{.brevity_penalty = brevity_penalty(sum.hypothesis_words, sum.reference_words)};
  if (std::all_of(sum.matched.begin(), sum.matched.end(), [](int64_t n) { return n == 0; })) return figures;
  const double value = options_.smoothing_value.value_or(row_of(options_.smoothing).value.value_or(0));
  double halved = 1, logarithms = 0;
  size_t orders = kOrders;
  for (size_t n = 0; n < kOrders; ++n) {
    const double added = options_.smoothing == Smoothing::add_k && n > 0 ? value : 0;
    double hits = static_cast<double>(sum.matched[n]) + added;
    const double total = static_cast<double>(sum.total[n]) + added;
    if (total == 0) break;
    if (options_.effective_order) orders = n + 1;
    if (hits == 0 && options_.smoothing == Smoothing::exponential) hits = halved /= 2;
    if (hits == 0 && options_.smoothing == Smoothing::floor) hits = value;
    figures.precisions[n] = 100 * hits / total;
  }
  for (size_t n = 0; n < orders; ++n) logarithms += std::log(figures.precisions[n]);  // log 0: a score of 0
  figures.score = figures.brevity_penalty * std::exp(logarithms / static_cast<double>(orders));
  return figures;
}

std::string Bleu::signature(std::span<const References> references) const {
  const SmoothingRow& row = row_of(options_.smoothing);
  const std::string value = row.value ? fmt::format("[{:.2f}]", options_.smoothing_value.value_or(*row.value)) : "";
  return fmt::format("nrefs:{}|case:{}|eff:{}|tok:{}|smooth:{}{}|version:{}", reference_count(references),
                     options_.lowercase ? "lc" : "mixed", options_.effective_order ? "yes" : "no",
                     name(options_.tokens), row.name, value, kSacreBleu);
}

}  // namespace heed::metrics
