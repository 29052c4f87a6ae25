// heed train TASK: from a data file to a run folder.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <heed/runtime.h>

#include <memory>
#include <set>

#include "cli/fields.h"
#include "cli/stop.h"
#include "cli/train_progress.h"
#include "cli/verbs.h"
#include "tasks/run_folder.h"
#include "tasks/training_run.h"

namespace heed::cli {
namespace {

struct Call {
  std::string run;
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
  TrainProgress progress;
  const StopSignals signals;
  const TrainingProgress end = train_run(
      task, Fields(call.given), call.run,
      {.on_begin = [&](const auto& made, const auto& fields, const auto& from) { progress.begin(made, fields, from); },
       .on_step = [&](const auto& report) { progress.step(report); },
       .on_validation = [&](const auto& report, const auto& made) { progress.validation(report, made); },
       .on_trouble = [&](const auto& what) { progress.trouble(what); },
       .stop = StopSignals::asked});
  progress.clear();
  if (StopSignals::asked()) {
    fmt::print(stderr, "heed: saved after step {}. The same command goes on from there:\n  heed train {} --run {}\n",
               end.step, task.name, call.run);
    throw Interrupted();
  }
  fmt::print(stderr, "Trained {} steps in {}; the best weights are those of step {}. Next:\n  heed predict {}\n",
             end.step, duration(end.seconds), end.best_step, call.run);
}

void add_task(CLI::App& verb, const TaskRow& task) {
  CLI::App* sub =
      verb.add_subcommand(task.name, fmt::format("{}\n\n  heed train {} {}", task.what, task.name, task.example));
  const auto call = std::make_shared<Call>();
  sub->add_option("--run", call->run, "folder of the run: made, or gone on with")->required();
  add_fields(*sub, call->given, {model_field(task)}, "Model");
  add_fields(*sub, call->given, task.fields(), "Data");
  add_fields(*sub, call->given, fields_of<FitOptions>(), "Training");
  add_fields(*sub, call->given, model_fields(task), "Model");
  sub->set_config("--config", "", "options from a TOML file");
  sub->add_flag("--dump-config", call->dump_config, "print these options as TOML and do nothing else");
  sub->callback([&task, call, sub] {
    if (call->dump_config)
      fmt::print("{}", sub->config_to_str());
    else
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
