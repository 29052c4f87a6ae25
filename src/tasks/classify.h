// Training a classifier: labelled texts become tokens, targets, batches and losses.
#pragma once

#include <array>
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

// What of the held-out texts says which weights are the best: their loss, or one of Labels::measures.
enum class BestLabelsBy { loss, accuracy, f1, exact, macro_f1, mae, r2 };
constexpr std::array<std::pair<const char*, BestLabelsBy>, 7> names_of(BestLabelsBy) {
  return {{{"loss", BestLabelsBy::loss},
           {"accuracy", BestLabelsBy::accuracy},
           {"f1", BestLabelsBy::f1},
           {"exact", BestLabelsBy::exact},
           {"macro_f1", BestLabelsBy::macro_f1},
           {"mae", BestLabelsBy::mae},
           {"r2", BestLabelsBy::r2}}};
}

struct ClassifyOptions : LabelledOptions {
  LabelKind kind = LabelKind::single;
  std::string separator = ",", validation = "0.1", class_weights, vectors;
  Count longest = 256;
  double smoothing = 0;
  BestLabelsBy best_by = BestLabelsBy::loss;
  bool frozen = false;

  void visit(auto&& field) {
    LabelledOptions::visit(field);
    field("kind", kind, "single: a label a text; multi: several; regression: a number");
    field("separator", separator, "multi: the character between labels");
    field("validation", validation, "held out: a share of the data, or a file like --data");
    field("longest", longest, "tokens of a text that are read");
    field("smoothing", smoothing, "of labels, as 0.1");
    field("best_by", best_by, "loss; accuracy or f1; of several labels exact, f1 or macro_f1; of numbers mae or r2");
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
