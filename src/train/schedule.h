// The learning rate of a step.
#pragma once

#include <heed/train.h>

namespace heed {

// share: of the training that is done, in [0, 1].
double learning_rate(const FitOptions& options, const TrainingProgress& progress, double share);

}  // namespace heed
