#include "train/metrics/classification.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"

namespace heed::metrics {
namespace {

constexpr double kRounding = 1e-5;  // a softmax in f32 may come out a little above 1

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }
double ratio(int64_t part, int64_t whole) { return ratio(static_cast<double>(part), static_cast<double>(whole)); }

int64_t classes_of(std::span<const double> probabilities, std::span<const int64_t> truth) {
  check(!truth.empty() && !probabilities.empty() && probabilities.size() % truth.size() == 0, "classification",
        "{} probabilities for {} labels", probabilities.size(), truth.size());
  const auto classes = static_cast<int64_t>(probabilities.size() / truth.size());
  for (const int64_t label : truth)
    check(label >= 0 && label < classes, "classification", "label {} is none of {} classes", label, classes);
  return classes;
}

void check_pairs(std::span<const double> values, const std::vector<bool>& marks) {
  check(!values.empty() && values.size() == marks.size(), "classification", "{} values for {} labels", values.size(),
        marks.size());
  check(std::none_of(values.begin(), values.end(), [](double value) { return std::isnan(value); }), "classification",
        "a value is NaN");
}

}  // namespace

// ---- decisions -------------------------------------------------------------------------------------------

double Decisions::precision() const { return ratio(hits, hits + false_alarms); }
double Decisions::recall() const { return ratio(hits, hits + misses); }
double Decisions::f1() const { return ratio(2 * hits, 2 * hits + false_alarms + misses); }
Decisions& Decisions::operator+=(const Decisions& other) {
  hits += other.hits, false_alarms += other.false_alarms, misses += other.misses;
  return *this;
}

Average macro(std::span<const Decisions> classes) {
  Average sum;
  double count = 0;
  for (const Decisions& each : classes) {
    if (!each.any()) continue;
    sum.precision += each.precision(), sum.recall += each.recall(), sum.f1 += each.f1();
    ++count;
  }
  return {ratio(sum.precision, count), ratio(sum.recall, count), ratio(sum.f1, count)};
}

Average micro(std::span<const Decisions> classes) {
  Decisions all;
  for (const Decisions& each : classes) all += each;
  return {all.precision(), all.recall(), all.f1()};
}

Confusion::Confusion(int64_t classes) : classes_(classes) {
  check(classes > 0, "confusion", "{} classes, wanted at least 1", classes);
  counts_.resize(static_cast<size_t>(checked_multiply(classes, classes, "confusion")));
}

size_t Confusion::place(int64_t truth, int64_t predicted) const {
  for (const int64_t label : {truth, predicted})
    if (label < 0 || label >= classes_)
      fail(ErrorKind::data, "confusion", "label {} is none of {} classes", label, classes_);
  return static_cast<size_t>(truth * classes_ + predicted);
}

Confusion& Confusion::operator+=(const Decision& decision) {
  ++counts_[place(decision.truth, decision.predicted)];
  return *this;
}
Confusion& Confusion::operator+=(const Confusion& other) {
  check(classes_ == other.classes_, "confusion", "{} classes and {}", classes_, other.classes_);
  std::transform(counts_.begin(), counts_.end(), other.counts_.begin(), counts_.begin(), std::plus<>());
  return *this;
}

int64_t Confusion::count(int64_t truth, int64_t predicted) const { return counts_[place(truth, predicted)]; }
int64_t Confusion::count() const { return std::accumulate(counts_.begin(), counts_.end(), int64_t{0}); }

double Confusion::accuracy() const {
  int64_t right = 0;
  for (int64_t label = 0; label < classes_; ++label) right += count(label, label);
  return ratio(right, count());
}

std::vector<Decisions> Confusion::per_class() const {
  std::vector<Decisions> all(static_cast<size_t>(classes_));
  for (int64_t truth = 0; truth < classes_; ++truth)
    for (int64_t predicted = 0; predicted < classes_; ++predicted) {
      const int64_t n = count(truth, predicted);
      if (truth == predicted) {
        all[static_cast<size_t>(truth)].hits += n;
        continue;
      }
      all[static_cast<size_t>(truth)].misses += n;
      all[static_cast<size_t>(predicted)].false_alarms += n;
    }
  return all;
}

void MultiLabel::add(const std::vector<bool>& truth, const std::vector<bool>& predicted) {
  check(truth.size() == labels_.size() && predicted.size() == labels_.size(), "multi-label",
        "{} labels and {} predictions, wanted {}", truth.size(), predicted.size(), labels_.size());
  for (size_t i = 0; i < labels_.size(); ++i) {
    labels_[i].hits += truth[i] && predicted[i];
    labels_[i].false_alarms += !truth[i] && predicted[i];
    labels_[i].misses += truth[i] && !predicted[i];
  }
  ++texts_, exact_ += truth == predicted;
}

double MultiLabel::exact_match() const { return ratio(exact_, texts_); }
double MultiLabel::hamming_loss() const {
  int64_t wrong = 0;
  for (const Decisions& label : labels_) wrong += label.false_alarms + label.misses;
  return ratio(wrong, texts_ * static_cast<int64_t>(labels_.size()));
}

// ---- ranking ---------------------------------------------------------------------------------------------

// Mann & Whitney (1947): AUC = (Σ ranks of the positives − P(P+1)/2) / (P N); equal scores share the mean of their
// ranks.
std::optional<double> auc(std::span<const double> scores, const std::vector<bool>& positive) {
  check_pairs(scores, positive);
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  double ranks = 0, positives = 0;
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    double here = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end) here += positive[order[end]];
    ranks += here * static_cast<double>(begin + 1 + end) / 2, positives += here;
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0 || negatives == 0) return std::nullopt;
  return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
}

std::vector<std::optional<double>> auc_one_vs_rest(std::span<const double> probabilities,
                                                   std::span<const int64_t> truth) {
  const auto classes = static_cast<size_t>(classes_of(probabilities, truth));
  std::vector<std::optional<double>> areas;
  for (size_t label = 0; label < classes; ++label) {
    std::vector<double> scores;
    std::vector<bool> positive;
    for (size_t i = 0; i < truth.size(); ++i) {
      scores.push_back(probabilities[i * classes + label]);
      positive.push_back(truth[i] == static_cast<int64_t>(label));
    }
    areas.push_back(auc(scores, positive));
  }
  return areas;
}

std::optional<double> mean_of(std::span<const std::optional<double>> values) {
  double sum = 0, count = 0;
  for (const auto& value : values)
    if (value) sum += *value, ++count;
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

// ---- calibration -----------------------------------------------------------------------------------------

std::vector<CalibrationBin> calibration(std::span<const double> confidence, const std::vector<bool>& right,
                                        int64_t bins) {
  check_pairs(confidence, right);
  check(bins > 0, "calibration", "{} bins, wanted at least 1", bins);
  std::vector<CalibrationBin> all(static_cast<size_t>(bins));
  const double width = 1 / static_cast<double>(bins);
  for (size_t b = 0; b < all.size(); ++b)
    all[b].low = static_cast<double>(b) * width, all[b].high = static_cast<double>(b + 1) * width;
  for (size_t i = 0; i < confidence.size(); ++i) {
    check(confidence[i] >= 0 && confidence[i] <= 1 + kRounding, "calibration", "confidence {} is no probability",
          confidence[i]);
    const auto at = std::lower_bound(all.begin(), all.end() - 1, confidence[i],
                                     [](const CalibrationBin& bin, double value) { return bin.high < value; });
    ++at->count, at->confidence += confidence[i], at->accuracy += right[i];
  }
  for (CalibrationBin& bin : all) {
    bin.confidence = ratio(bin.confidence, static_cast<double>(bin.count));
    bin.accuracy = ratio(bin.accuracy, static_cast<double>(bin.count));
  }
  return all;
}

double expected_calibration_error(std::span<const CalibrationBin> bins) {
  double sum = 0, count = 0;
  for (const CalibrationBin& bin : bins) {
    sum += static_cast<double>(bin.count) * std::abs(bin.accuracy - bin.confidence);
    count += static_cast<double>(bin.count);
  }
  return ratio(sum, count);
}

double brier(std::span<const double> probabilities, std::span<const int64_t> truth) {
  const auto classes = static_cast<size_t>(classes_of(probabilities, truth));
  double sum = 0;
  for (size_t i = 0; i < probabilities.size(); ++i) {
    const bool is = truth[i / classes] == static_cast<int64_t>(i % classes);
    sum += (probabilities[i] - is) * (probabilities[i] - is);
  }
  return sum / static_cast<double>(truth.size());
}

double brier(std::span<const double> probabilities, const std::vector<bool>& positive) {
  check_pairs(probabilities, positive);
  double sum = 0;
  for (size_t i = 0; i < positive.size(); ++i)
    sum += (probabilities[i] - positive[i]) * (probabilities[i] - positive[i]);
  return sum / static_cast<double>(positive.size());
}

}  // namespace heed::metrics
