// K trainings, each of which validates on another of K parts of the data: what a figure is worth, and how sure that is.
#pragma once

#include <string>
#include <vector>

#include "tasks/training_run.h"

namespace heed {

struct FoldFigure {
  std::string name;  // "accuracy"
  double mean = 0, deviation = 0;
  std::vector<double> values;  // of each fold's best validation
};

// Runs in the folders DIR/fold-1 … DIR/fold-K, begun or gone on with, and their figures in DIR/folds.json. None where
// a watcher asked to stop before the last one ended.
std::vector<FoldFigure> train_folds(const TaskRow& task, const Fields& fields, const std::string& folder, int64_t folds,
                                    const RunWatchers& watchers = {});

}  // namespace heed
