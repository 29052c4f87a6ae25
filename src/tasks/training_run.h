// Training into a run folder: begun, or gone on with.
#pragma once

#include <heed/models.h>

#include <functional>
#include <memory>
#include <string>

#include "tasks/fields.h"
#include "tasks/task.h"
#include "tasks/trained_run.h"

namespace heed {

// Where a run's model comes from.
struct BeginOptions {
  std::string from;

  void visit(auto&& field) { field("from", from, "another run: its model, tokenisers and weights are begun with"); }
};

// What a training is going to do.
struct RunPlan {
  const TrainingTask& task;
  const Fields& fields;
  TrainingProgress from = {};  // where it stands
  MemoryNeed memory = {};
};
struct RunWatchers {
  std::function<void(const RunPlan&)> on_begin = {};
  std::function<void(const StepReport&)> on_step = {};
  std::function<void(const ValidationReport&, const TrainingTask&)> on_validation = {};
  std::function<void(const std::string&)> on_trouble = {};  // that does not end the training: a full disk
  std::function<bool()> stop = {};
};

// What a task's name stands for: reads the data, makes tokenisers and model. `folder`: of a run that goes on; empty:
// new.
using MakeTask = std::unique_ptr<TrainingTask> (*)(Fields& fields, const std::string& folder);

struct TaskRow {
  const char *name, *what, *example;
  std::vector<ModelInfo> (*models)();  // the first is the default; without the fields that the data decides
  MakeTask make;
  std::vector<ModelField> (*fields)();  // of its training, beside those of every training and of the model
  std::unique_ptr<TrainedRun> (*load)(const std::string& folder);
  Comparison (*compare)(std::span<const std::string> folders, Fields& options);
  std::vector<ModelField> (*predict_fields)();
  std::vector<ModelField> (*evaluate_fields)();
  std::vector<ModelField> (*data_fields)();  // where the rows stand that a run is asked about
};
const std::vector<TaskRow>& tasks();

// Options that a run was begun with hold when it goes on; limits (epochs, steps, minutes, patience) may change.
// Error(system) where there is not the memory that it wants, before it takes any.
TrainingProgress train_run(const TaskRow& task, Fields fields, const std::string& folder,
                           const RunWatchers& watchers = {});

// What a run would be at several learning rates; nothing is kept of it.
RateTest test_rates(const TaskRow& task, Fields fields, const RunWatchers& watchers = {});

}  // namespace heed
