#include "tasks/folds.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "base/check.h"
#include "tasks/run_folder.h"

namespace heed {
namespace {

std::string fold_folder(const std::string& folder, int64_t fold) { return fmt::format("{}/fold-{}", folder, fold); }

void check_folds(const Fields& fields, const std::string& folder, int64_t folds) {
  check(folds >= 2, "folds", "got {}, wanted two parts of the data or more", folds);
  check(!fields.given("validation"), "validation", "got {} beside {} folds, which say what is held out",
        fields.given("validation") ? fields.all().at("validation") : "", folds);
  check(!std::filesystem::exists(RunPaths{folder}.about()), folder,
        "holds a run of its own; folds are runs in folders below it");
  check(!std::filesystem::exists(fold_folder(folder, folds + 1)), folder, "was begun with more than {} folds", folds);
}

FoldFigure figure_of(const std::string& name, const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {name, mean, values.size() > 1 ? std::sqrt(squares / (count - 1)) : 0, values};
}

std::vector<FoldFigure> figures_of(const std::string& folder, int64_t folds) {
  std::map<std::string, std::vector<double>> values;
  for (int64_t fold = 1; fold <= folds; ++fold) {
    const Json best = best_validation(fold_folder(folder, fold));
    for (const auto& [name, value] : best.items())
      if (value.is_number() && name != "step" && name != "epoch") values[name].push_back(value.get<double>());
  }
  std::vector<FoldFigure> figures;
  for (const auto& [name, each] : values) figures.push_back(figure_of(name, each));
  return figures;
}

Json as_json(const std::vector<FoldFigure>& figures, int64_t folds) {
  Json json = {{"folds", folds}, {"figures", Json::object()}};
  for (const FoldFigure& f : figures)
    json["figures"][f.name] = {{"mean", f.mean}, {"deviation", f.deviation}, {"values", f.values}};
  return json;
}

}  // namespace

std::vector<FoldFigure> train_folds(const TaskRow& task, const Fields& fields, const std::string& folder, int64_t folds,
                                    const RunWatchers& watchers) {
  check_folds(fields, folder, folds);
  for (int64_t fold = 1; fold <= folds; ++fold) {
    Fields of_fold = fields;
    of_fold.suggest("validation", fmt::format("{}/{}", fold, folds));
    train_run(task, of_fold, fold_folder(folder, fold), watchers);
    if (watchers.stop && watchers.stop()) return {};
  }
  std::vector<FoldFigure> figures = figures_of(folder, folds);
  write_json(folder + "/folds.json", as_json(figures, folds));
  return figures;
}

}  // namespace heed
