#include "train/metrics/chrf.h"

#include <algorithm>

#include "train/metrics/ngrams.h"

namespace heed::metrics {
namespace {

constexpr std::u32string_view kSigns = U"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

bool is_end_sign(char32_t code) { return kSigns.find(code) != kSigns.npos; }

// A sign at the end of a word is a word of its own, else one at its beginning.
std::vector<std::u32string_view> words_and_signs(std::u32string_view text) {
  std::vector<std::u32string_view> parts;
  for (const std::u32string_view word : words(text)) {
    size_t cut = word.size();
    if (word.size() > 1 && is_end_sign(word.back()))
      cut = word.size() - 1;
    else if (word.size() > 1 && is_end_sign(word.front()))
      cut = 1;
    parts.push_back(word.substr(0, cut));
    if (cut < word.size()) parts.push_back(word.substr(cut));
  }
  return parts;
}

// A text's n-grams of each order; they are views into it, so it stays where it is.
class Counted {
 public:
  Counted(std::string_view text, const ChrfOptions& how, WordNumbers& numbers) {
    characters_ = how.lowercase ? lowered_code_points(text) : code_points(text);
    words_ = numbers.of(words_and_signs(characters_));
    if (!how.whitespace) std::erase_if(characters_, is_space);
    for (size_t n = 1; n <= how.characters; ++n) orders_.push_back(ngrams(characters_, n));
    for (size_t n = 1; n <= how.words; ++n) orders_.push_back(ngrams(words_, n));
    for (size_t n = 1; n <= how.characters; ++n) totals_.push_back(ngram_total(characters_, n));
    for (size_t n = 1; n <= how.words; ++n) totals_.push_back(ngram_total(words_, n));
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  Chrf::Statistics against(const Counted& reference) const {
    Chrf::Statistics stats;
    for (size_t i = 0; i < orders_.size(); ++i) {
      const int64_t there = reference.totals_[i];
      stats.orders[i] = {there > 0 ? totals_[i] : 0, there, matched(orders_[i], reference.orders_[i])};
    }
    return stats;
  }

 private:
  std::u32string characters_, words_;
  std::vector<Ngrams> orders_;
  std::vector<int64_t> totals_;
};

double ratio(int64_t part, int64_t whole, double none) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : none;
}
double f_score(double precision, double recall, double beta) {
  const double factor = beta * beta, denominator = factor * precision + recall;
  return denominator > 0 ? (1 + factor) * precision * recall / denominator : 0;
}

// F of the means over the orders that both sides have.
double f_of_means(std::span<const Chrf::Order> orders, double beta) {
  double precision = 0, recall = 0, count = 0;
  for (const Chrf::Order& order : orders) {
    if (order.hypothesis == 0 || order.reference == 0) continue;
    precision += ratio(order.matched, order.hypothesis, 0), recall += ratio(order.matched, order.reference, 0);
    ++count;
  }
  return count > 0 ? f_score(precision / count, recall / count, beta) : 0;
}

double mean_of_f(std::span<const Chrf::Order> orders, double beta) {
  constexpr double kEpsilon = 1e-16;
  double sum = 0;
  for (const Chrf::Order& order : orders) {
    const double precision = ratio(order.matched, order.hypothesis, kEpsilon);
    const double recall = ratio(order.matched, order.reference, kEpsilon);
    sum += precision > 0 || recall > 0 ? f_score(precision, recall, beta) : kEpsilon;
  }
  return sum / static_cast<double>(orders.size());
}

}  // namespace

Chrf::Chrf(const ChrfOptions& options) : options_(options) {
  check(options.characters >= 1 && options.characters <= 6, "chrF", "n-grams of {} characters, wanted 1 to 6",
        options.characters);
  check(options.words <= 2, "chrF", "n-grams of {} words, wanted 0 to 2", options.words);
  check(options.beta > 0, "chrF", "beta is {}, wanted more than 0", options.beta);
}

Chrf::Statistics& Chrf::Statistics::operator+=(const Statistics& other) {
  for (size_t i = 0; i < kMostOrders; ++i) {
    orders[i].hypothesis += other.orders[i].hypothesis, orders[i].reference += other.orders[i].reference;
    orders[i].matched += other.orders[i].matched;
  }
  return *this;
}

Chrf::Statistics Chrf::stats(std::string_view hypothesis, const References& references) const {
  check(!references.empty(), "chrF", "there is no reference");
  WordNumbers numbers;
  const Counted own(hypothesis, options_, numbers);
  Statistics best;
  double highest = -1;
  for (const std::string& reference : references) {
    const Statistics stats = own.against(Counted(reference, options_, numbers));
    if (const double now = score(stats); now > highest) highest = now, best = stats;
  }
  return best;
}

double Chrf::score(const Statistics& sum) const {
  const std::span<const Order> orders(sum.orders.data(), options_.characters + options_.words);
  return 100 * (options_.epsilon ? mean_of_f(orders, options_.beta) : f_of_means(orders, options_.beta));
}

std::string Chrf::signature(std::span<const References> references) const {
  return fmt::format("nrefs:{}|case:{}|eff:{}|nc:{}|nw:{}|space:{}|version:{}", reference_count(references),
                     options_.lowercase ? "lc" : "mixed", options_.epsilon ? "no" : "yes", options_.characters,
                     options_.words, options_.whitespace ? "yes" : "no", kSacreBleu);
}

}  // namespace heed::metrics
