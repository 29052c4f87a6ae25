// What answers are worth beside the labels that were wanted, and how sure that is.
#pragma once

#include <string>
#include <vector>

#include "tasks/labels.h"
#include "tasks/trained_run.h"

namespace heed {

struct ResampledFigure {
  Figure figure;
  std::vector<double> resamples;  // the same draws for everybody who answers the same texts
};
// single: accuracy, precision, recall and F1 (macro), AUC, calibration error. multi: exact match, F1 (micro and macro).
// regression: mean absolute error, root of the mean square, R², correlation. targets (N,width).
std::vector<ResampledFigure> label_figures(const Labels& labels, const std::vector<Answer>& answers,
                                           const Tensor& targets);

// Who was taken for whom: a row for each label, a column for what was said. Of single labels; else nothing.
std::string confusion_drawing(const Labels& labels, const std::vector<Answer>& answers, const Tensor& targets);

}  // namespace heed
