// heed train TASK: from a data file to a run folder.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <heed/base.h>

#include <memory>
#include <set>

#include "base/check.h"
#include "cli/config_file.h"
#include "cli/fields.h"
#include "cli/stop.h"
#include "cli/terminal.h"
#include "cli/train_progress.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "explain/chart.h"
#include "tasks/folds.h"
#include "tasks/run_folder.h"
#include "tasks/training_run.h"

namespace heed::cli {
namespace {

// What belongs to the program's call, and to no task.
struct CallOptions {
  std::string run;
  int64_t folds = 0;
  bool find_lr = false;

  void visit(auto&& field) {
    field("run", run, "folder of the run: made, or gone on with");
    field("folds", folds, "trainings, each held out another of so many parts of the data, in folders below; 0: one");
    field("find_lr", find_lr, "nothing but a test of learning rates: the loss while the rate grows, and which to take");
  }
};
struct TrainCall {
  std::string config;
  std::map<std::string, std::string> given;
  bool dump_config = false;
};

// The fields of all models of a task, each once.
std::vector<ModelField> model_fields(const TaskRow& task) {
  std::vector<ModelField> fields;
  std::set<std::string> seen;
  for (const ModelField& own : task.fields()) seen.insert(own.name);
  for (const ModelInfo& model : task.models())
    for (const ModelField& field : model.fields)
      if (seen.insert(field.name).second) fields.push_back(field);
  return fields;
}

ModelField model_field(const TaskRow& task) {
  std::vector<std::string> names;
  for (const ModelInfo& model : task.models()) names.push_back(model.name);
  return {"model", names.front(), fmt::format("one of {}", fmt::join(names, ", "))};
}

RunWatchers watchers_of(TrainProgress& progress) {
  return {.on_begin = [&](const auto& plan) { progress.begin(plan); },
          .on_step = [&](const auto& report) { progress.step(report); },
          .on_validation = [&](const auto& report, const auto& made) { progress.validation(report, made); },
          .on_trouble = [&](const auto& what) { progress.trouble(what); },
          .stop = StopSignals::asked};
}

void train_once(const TaskRow& task, const Fields& fields, const std::string& run) {
  TrainProgress progress;
  const TrainingProgress end = train_run(task, fields, run, watchers_of(progress));
  progress.clear();
  if (StopSignals::asked()) {
    fmt::print(stderr, "heed: saved after step {}. The same command goes on from there:\n  heed train {} --run {}\n",
               end.step, task.name, run);
    throw Interrupted();
  }
  fmt::print(stderr, "Trained {} steps in {}; the best weights are those of step {}. Next:\n  heed predict {}\n",
             end.step, duration(end.seconds), end.best_step, run);
}

void train_several(const TaskRow& task, const Fields& fields, const CallOptions& options) {
  TrainProgress progress;
  const std::vector<FoldFigure> figures = train_folds(task, fields, options.run, options.folds, watchers_of(progress));
  progress.clear();
  if (StopSignals::asked()) {
    fmt::print(stderr, "heed: saved. The same command goes on from there.\n");
    throw Interrupted();
  }
  fmt::print("{:<16} {:>9} {:>10}   of {} folds\n", "figure", "mean", "deviation", options.folds);
  for (const FoldFigure& f : figures)
    fmt::print("{:<16} {:9.4g} {:10.3g}   {:.4g}\n", f.name, f.mean, f.deviation, fmt::join(f.values, "  "));
}

void find_rate(const TaskRow& task, const Fields& fields) {
  TrainProgress progress;
  const RateTest test = test_rates(task, fields, watchers_of(progress));
  progress.clear();
  if (StopSignals::asked()) throw Interrupted();
  explain::Curve curve;
  for (const RateTest::Point& point : test.curve) curve.points.push_back({point.rate, point.loss});
  const explain::Chart chart{.title = "The loss while the learning rate grows:",
                             .curves = {curve},
                             .x = explain::Scale::logarithmic,
                             .marked = test.suggested};
  fmt::print("{}\n", fmt::join(lines_of(chart, paper(terminal()).columns), "\n"));
  fmt::print("Suggested, a tenth of where it was least: --learning-rate {:.2g}\n", test.suggested);
}

void train(const TaskRow& task, const TrainCall& call) {
  std::map<std::string, std::string> given = call.given;
  const auto options = Fields(given).take<CallOptions>();
  for (const ModelField& field : fields_of<CallOptions>()) given.erase(field.name);
  const StopSignals signals;
  if (options.find_lr) return find_rate(task, Fields(given));
  check(!options.run.empty(), "train", "it wants --run DIR, a folder for the run");
  options.folds == 0 ? train_once(task, Fields(given), options.run) : train_several(task, Fields(given), options);
}

// Everything that a training of the task may be told, in the order of its help.
struct Group {
  const char* name;
  std::vector<ModelField> fields;
};
std::vector<Group> groups_of(const TaskRow& task) {
  return {{"Run", all_fields_of<CallOptions, BeginOptions>()},
          {"Model", {model_field(task)}},
          {"Data", task.fields()},
          {"Training", fields_of<FitOptions>()},
          {"Options of models", model_fields(task)}};
}

void add_task(CLI::App& verb, const TaskRow& task) {
  CLI::App* sub = verb.add_subcommand(task.name, task.what);
  examples_first(*sub, fmt::format("Examples:\n  heed train {} {}\n\n", task.name, task.example));
  const auto call = std::make_shared<TrainCall>();
  std::vector<ModelField> fields;
  for (const Group& group : groups_of(task)) {
    add_fields(*sub, call->given, group.fields, group.name);
    fields.insert(fields.end(), group.fields.begin(), group.fields.end());
  }
  sub->add_option("--config", call->config, "options from a TOML file; the command line goes before it");
  sub->add_flag("--dump-config", call->dump_config, "print all options as such a file, and do nothing else");
  sub->callback([&task, call, fields] {
    if (!call->config.empty()) read_config(call->config, fields, call->given);
    if (call->dump_config) return fmt::print("{}", config_text(fields, call->given));
    train(task, *call);
  });
}

}  // namespace

void add_train(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("train", "train a model on your data, into a run folder");
  verb->require_subcommand(1);
  for (const TaskRow& task : tasks()) add_task(*verb, task);
}

}  // namespace heed::cli
