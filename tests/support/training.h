// Trainings small enough for a test.
#pragma once

#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>

#include "tasks/training_run.h"

namespace heed::testing {

// Models this small are fastest on one core, most of all where others use the second. Before main, which reads it.
[[maybe_unused]] inline const int kOneCore = setenv("HEED_THREADS", "1", 0);

using Given = std::map<std::string, std::string>;

// What is given goes before what is so otherwise.
inline TrainingProgress train(const char* task, const std::string& run, Given given, Given otherwise = {},
                              const RunWatchers& watchers = {}) {
  given.merge(otherwise);
  for (const TaskRow& row : tasks())
    if (std::string(row.name) == task) return train_run(row, Fields(given), run, watchers);
  throw std::runtime_error("no task " + std::string(task));
}

}  // namespace heed::testing
