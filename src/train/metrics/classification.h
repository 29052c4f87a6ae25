// Figures of classifiers: who was taken for whom, how well scores rank, whether a probability of 0.8 is right in 80 %
// of the cases.
//
//   precision = right / predicted,  recall = right / there,  F1 = 2 P R / (P + R), 0 where nothing is divided by
//   nothing
//
// "macro" is the mean over the classes that occur or were predicted, "micro" the figure of all decisions together.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace heed::metrics {

// Decisions for and against one class. They add up.
struct Decisions {
  int64_t hits = 0, false_alarms = 0, misses = 0;

  double precision() const;
  double recall() const;
  double f1() const;
  bool any() const { return hits + false_alarms + misses > 0; }
  Decisions& operator+=(const Decisions& other);
};

struct Average {
  double precision = 0, recall = 0, f1 = 0;
};
Average macro(std::span<const Decisions> classes);
Average micro(std::span<const Decisions> classes);

struct Decision {
  int64_t truth = 0, predicted = 0;
};

// One class a text. It adds up, also from single decisions: `resampled` can draw these.
class Confusion {
 public:
  explicit Confusion(int64_t classes);
  Confusion& operator+=(const Decision& decision);  // Error(data) where there is no such class
  Confusion& operator+=(const Confusion& other);

  int64_t classes() const { return classes_; }
  int64_t count(int64_t truth, int64_t predicted) const;
  int64_t count() const;
  double accuracy() const;
  std::vector<Decisions> per_class() const;

 private:
  size_t place(int64_t truth, int64_t predicted) const;

  int64_t classes_;
  std::vector<int64_t> counts_;  // truth by predicted
};

// Any number of classes a text.
class MultiLabel {
 public:
  explicit MultiLabel(size_t labels) : labels_(labels) {}
  void add(const std::vector<bool>& truth, const std::vector<bool>& predicted);

  std::span<const Decisions> per_label() const { return labels_; }
  double exact_match() const;   // share of the texts whose labels are all right
  double hamming_loss() const;  // share of the decisions that are wrong

 private:
  std::vector<Decisions> labels_;
  int64_t texts_ = 0, exact_ = 0;
};

// The area under the ROC curve: how likely a positive has the higher score than a negative, half where they are equal.
// Nothing where one of the two is missing.
std::optional<double> auc(std::span<const double> scores, const std::vector<bool>& positive);

// probabilities (N, C), row by row; truth (N): the AUC of each class against all others.
std::vector<std::optional<double>> auc_one_vs_rest(std::span<const double> probabilities,
                                                   std::span<const int64_t> truth);
std::optional<double> mean_of(std::span<const std::optional<double>> values);  // of those that there are

// ---- calibration -----------------------------------------------------------------------------------------

// Predictions whose confidence lies in (low, high], the first bin's from 0 on.
struct CalibrationBin {
  double low = 0, high = 0;
  int64_t count = 0;
  double confidence = 0, accuracy = 0;  // means over the bin; 0 where it is empty
};
// confidence: of the class that was chosen; right: whether it was the true one.
std::vector<CalibrationBin> calibration(std::span<const double> confidence, const std::vector<bool>& right,
                                        int64_t bins = 15);
// Σ n_b/n |accuracy − confidence|: Guo, Pleiss, Sun & Weinberger, "On calibration of modern neural networks", ICML
// 2017.
double expected_calibration_error(std::span<const CalibrationBin> bins);

// Brier (1950): the mean of Σ_c (p_c − [c = truth])²; probabilities (N, C).
double brier(std::span<const double> probabilities, std::span<const int64_t> truth);
// Of two classes, as it is mostly given: the mean of (p − [positive])².
double brier(std::span<const double> probabilities, const std::vector<bool>& positive);

}  // namespace heed::metrics
