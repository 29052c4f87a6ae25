// Training a language model: lines of text become tokens, batches and losses.
#pragma once

#include <heed/models.h>

#include <memory>

#include "tasks/fields.h"
#include "tasks/task.h"
#include "tasks/trained_run.h"

namespace heed {

struct LineOptions {
  std::string data;
  bool skip_bad_lines = false;

  void visit(auto&& field) {
    field("data", data, "a text a line, .gz too");
    field("skip_bad_lines", skip_bad_lines, "count and pass over bad lines in place of refusing them");
  }
};
struct LanguageOptions : LineOptions {
  std::string validation = "0.05";
  Count longest = 256;
  bool packed = false;
  double smoothing = 0;

  void visit(auto&& field) {
    LineOptions::visit(field);
    field("validation", validation, "held out: a share of the lines, or a file like --data");
    field("longest", longest, "tokens that are read at once; a longer line is several examples");
    field("packed", packed, "short lines share a row, each for itself: nothing is padding");
    field("smoothing", smoothing, "of labels, as 0.1");
  }
};
std::vector<ModelField> language_fields();
std::vector<ModelInfo> language_models();
std::unique_ptr<TrainingTask> language_task(Fields& fields, const std::string& folder);

// In use: a line is gone on with, as it might have been.
std::unique_ptr<TrainedRun> language_run(const std::string& folder);
Comparison compare_languages(std::span<const std::string> folders, Fields& options);
std::vector<ModelField> language_predict_fields();
std::vector<ModelField> language_evaluate_fields();

}  // namespace heed
