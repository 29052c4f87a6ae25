// A training's state in a file, whole or not at all.
#pragma once

#include <heed/train.h>

namespace heed {

void save_training(const std::string& path, const TrainingState& state);
TrainingState load_training(const std::string& path);

}  // namespace heed
