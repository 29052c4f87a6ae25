// How trainings went, from the metrics.jsonl of their runs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "explain/chart.h"

namespace heed {

// Loss, learning rate, norm of the gradients, and each figure of the validations, over the steps; of several runs
// together. Error for a folder that is no run, and for one that has not reported anything yet.
std::vector<explain::Chart> training_charts(std::span<const std::string> folders);

}  // namespace heed
