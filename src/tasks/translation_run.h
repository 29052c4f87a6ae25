#pragma once

#include "tasks/trained_run.h"

namespace heed {

std::unique_ptr<TrainedRun> translation_run(const std::string& folder);
Comparison compare_translations(std::span<const std::string> folders, Fields& options);
std::vector<ModelField> translation_predict_fields();  // what predict and eval may be asked for
std::vector<ModelField> translation_evaluate_fields();

}  // namespace heed
