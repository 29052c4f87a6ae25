// Training a translator: parallel text becomes tokens, batches and losses.
#pragma once

#include <array>
#include <limits>
#include <memory>

#include "tasks/alignment_file.h"
#include "tasks/fields.h"
#include "tasks/task.h"
#include "tasks/translation.h"
#include "tasks/two_columns.h"

namespace heed {

// Parallel text: where it stands and how it is read.
struct PairOptions : ColumnOptions {
  std::string data, target_data;

  void visit(auto&& field) {
    field("data", data, "source and target: TSV, CSV, JSON lines; or the source's lines, with --target-data; .gz too");
    field("target_data", target_data, "the target's lines, where --data holds only the source's");
    field("columns", columns, "SOURCE,TARGET: names of columns, or their numbers from 0");
    ColumnOptions::visit(field);
  }
};
struct Pairs {
  std::vector<std::string> source, target;
  int64_t size() const { return static_cast<int64_t>(source.size()); }
};
// So many at most, all of them in memory.
Pairs read_pairs(const PairOptions& options, int64_t most = std::numeric_limits<int64_t>::max());

enum class BestBy { loss, exact, bleu, chrf };
constexpr std::array<std::pair<const char*, BestBy>, 4> names_of(BestBy) {
  return {{{"loss", BestBy::loss}, {"exact", BestBy::exact}, {"bleu", BestBy::bleu}, {"chrf", BestBy::chrf}}};
}

struct TranslateOptions : PairOptions {
  VocabularyKind vocabularies = VocabularyKind::separate;
  std::string validation = "0.05";
  Count longest = 128;
  double smoothing = 0.1;
  BestBy best_by = BestBy::loss;
  Amount measured = 200;
  std::string guided_alignment;
  AlignmentUnit alignment_unit = AlignmentUnit::words;

  void visit(auto&& field) {
    PairOptions::visit(field);
    field("validation", validation, "held out: a share of the data, or a file like --data");
    field("vocabularies", vocabularies, "separate: one of each side; joint: one of both, as models that share want it");
    field("longest", longest, "tokens of a side; longer pairs are left out");
    field("smoothing", smoothing, "of labels, as 0.1");
    field("best_by", best_by, "loss, exact, bleu or chrf of held-out pairs");
    field("measured", measured, "held-out pairs that are translated after each validation");
    field("guided_alignment", guided_alignment, "a file that says where to look: a line a line of the data, 0-0 1-2 …");
    field("alignment_unit", alignment_unit, "what it counts: words, between spaces, or heed's tokens");
  }
};

std::vector<ModelField> translate_fields();
std::vector<ModelInfo> translate_models();

// Reads the data, makes the tokenisers and the model. `folder`: of a run that goes on, whose tokenisers are taken;
// empty: a new one. Options that were not given are suggested by the size of the data.
std::unique_ptr<TrainingTask> translate_task(Fields& fields, const std::string& folder);

}  // namespace heed
