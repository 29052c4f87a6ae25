// How trainings went, from the metrics.jsonl of their runs.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "explain/chart.h"

namespace heed {

// (step, value) of every number that the run of a folder has reported so far, also while it goes on.
std::map<std::string, std::vector<explain::Place>> training_numbers(const std::string& folder);

// Loss, learning rate, norm of the gradients, and each figure of the validations, over the steps; of several runs
// together. Error for a folder that is no run, and for one that has not reported anything yet.
std::vector<explain::Chart> training_charts(std::span<const std::string> folders);

}  // namespace heed
