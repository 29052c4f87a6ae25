// A run in use: what predict, explain, eval and compare need of a task.
#pragma once

#include <heed/models.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "explain/chart.h"
#include "explain/drawing.h"
#include "explain/looking.h"
#include "tasks/fields.h"

namespace heed {

enum class Showing { text, details, drawing };
using Drawing = std::function<std::vector<std::string>(const explain::Paper&)>;
struct Prediction {
  std::string text;
  nlohmann::json details;  // tokens, scores, where it looked
  Drawing drawing = {};    // of that, for the terminal
};

struct Figure {
  std::string name, note;               // "BLEU", its signature
  double value = 0, low = 0, high = 0;  // 95 % of the resamples of the data; equal where it is not known
  std::string unit = "";
};

struct Evaluation {
  std::vector<Figure> figures;
  std::string drawing;  // for the terminal: a confusion matrix, quality by length
};

struct ExplainOptions : explain::LookOptions {
  std::string target, instead;

  void visit(auto&& field) {
    field("target", target, "the result that is asked about, a translation, a label, what follows; else the run's own");
    field("instead", instead, "another result: why the one and not the other, where the two first part?");
    LookOptions::visit(field);
  }
};

class TrainedRun {
 public:
  virtual ~TrainedRun() = default;
  // The best of each input, or as many as the options ask for, the best first.
  virtual std::vector<std::vector<Prediction>> predict(std::span<const std::string> inputs, Fields& options,
                                                       Showing showing) const = 0;
  virtual Evaluation evaluate(Fields& options) const = 0;
  // Why does each of these rows of data, so many at most, say what it says? They belong to the run. Rows that are
  // longer than it reads are left out.
  virtual std::vector<Question> questions(Fields& options, int64_t most) const = 0;
  // Error(usage) for a text without words.
  virtual explain::Seen explain(const std::string& text, const ExplainOptions& options) const = 0;
};

// Several runs on the same data; the first is what the others are compared with.
struct Comparison {
  struct Row {
    std::string run, figure;
    double value = 0, p_value = 1;  // of a difference from the first run this large if there were none
  };
  std::vector<Row> rows;
  std::string drawing;                       // for the terminal: quality by length
  std::optional<explain::Chart> chart = {};  // the same as a picture
};
Comparison compare_runs(std::span<const std::string> folders, Fields& options);  // Error where their tasks differ

std::unique_ptr<TrainedRun> load_run(const std::string& folder);  // of whatever task it is

}  // namespace heed
