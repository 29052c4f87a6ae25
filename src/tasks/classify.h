// Training a classifier: labelled texts become tokens, targets, batches and losses.
#pragma once

#include <memory>

#include "tasks/fields.h"
#include "tasks/labels.h"
#include "tasks/task.h"
#include "tasks/two_columns.h"

namespace heed {

// Labelled texts: where they stand and how they are read.
struct LabelledOptions : ColumnOptions {
  std::string data;

  void visit(auto&& field) {
    field("data", data, "label and text: TSV, CSV, JSON lines; .gz too");
    field("columns", columns, "LABEL,TEXT: names of columns, or their numbers from 0");
    ColumnOptions::visit(field);
  }
};
TwoColumnReader open_labelled(const LabelledOptions& options, const std::string& path, LabelKind kind);

struct ClassifyOptions : LabelledOptions {
  LabelKind kind = LabelKind::single;
  std::string separator = ",", validation = "0.1", class_weights, vectors;
  int64_t longest = 256;
  double smoothing = 0;
  bool frozen = false;

  void visit(auto&& field) {
    LabelledOptions::visit(field);
    field("kind", kind, "single: a label a text; multi: several; regression: a number");
    field("separator", separator, "multi: the character between labels");
    field("validation", validation, "held out: a share of the data, or a file like --data");
    field("longest", longest, "tokens of a text that are read");
    field("smoothing", smoothing, "of labels, as 0.1");
    field("class_weights", class_weights, "balanced, or LABEL=WEIGHT,…: how much a text of each label counts");
    field("vectors", vectors, "word vectors to begin with: a file of word2vec or GloVe");
    field("frozen", frozen, "the words' vectors stay as they are");
  }
};

std::vector<ModelField> classify_fields();
std::vector<ModelInfo> classify_models();

// Reads the data, makes the tokeniser and the model; as translate_task does.
std::unique_ptr<TrainingTask> classify_task(Fields& fields, const std::string& folder);

}  // namespace heed
