#pragma once

#include "tasks/trained_run.h"

namespace heed {

std::unique_ptr<TrainedRun> classification_run(const std::string& folder);
Comparison compare_classifiers(std::span<const std::string> folders, Fields& options);
std::vector<ModelField> classification_predict_fields();
std::vector<ModelField> classification_evaluate_fields();

}  // namespace heed
