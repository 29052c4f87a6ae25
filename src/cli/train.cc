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
#include "cli/train_progress.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "tasks/run_folder.h"
#include "tasks/training_run.h"

namespace heed::cli {
namespace {

struct Call {
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

void train(const TaskRow& task, const Call& call) {
  std::map<std::string, std::string> given = call.given;
  const std::string run = given["run"];
  check(!run.empty(), "train", "it wants --run DIR, a folder for the run");
  given.erase("run");
  TrainProgress progress;
  const StopSignals signals;
  const TrainingProgress end = train_run(
      task, Fields(given), run,
      {.on_begin = [&](const auto& made, const auto& fields, const auto& from) { progress.begin(made, fields, from); },
       .on_step = [&](const auto& report) { progress.step(report); },
       .on_validation = [&](const auto& report, const auto& made) { progress.validation(report, made); },
       .on_trouble = [&](const auto& what) { progress.trouble(what); },
       .stop = StopSignals::asked});
  progress.clear();
  if (StopSignals::asked()) {
    fmt::print(stderr, "heed: saved after step {}. The same command goes on from there:\n  heed train {} --run {}\n",
               end.step, task.name, run);
    throw Interrupted();
  }
  fmt::print(stderr, "Trained {} steps in {}; the best weights are those of step {}. Next:\n  heed predict {}\n",
             end.step, duration(end.seconds), end.best_step, run);
}

// Everything that a training of the task may be told, in the order of its help.
struct Group {
  const char* name;
  std::vector<ModelField> fields;
};
std::vector<Group> groups_of(const TaskRow& task) {
  return {{"Run", {{"run", "", "folder of the run: made, or gone on with"}}},
          {"Model", {model_field(task)}},
          {"Data", task.fields()},
          {"Training", fields_of<FitOptions>()},
          {"Options of models", model_fields(task)}};
}

void add_task(CLI::App& verb, const TaskRow& task) {
  CLI::App* sub = verb.add_subcommand(task.name, task.what);
  examples_first(*sub, fmt::format("Examples:\n  heed train {} {}\n\n", task.name, task.example));
  const auto call = std::make_shared<Call>();
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
