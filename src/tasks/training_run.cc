#include "tasks/training_run.h"

#include <heed/base.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "base/memory_limit.h"
#include "tasks/classification_run.h"
#include "tasks/classify.h"
#include "tasks/language.h"
#include "tasks/run_folder.h"
#include "tasks/translate.h"
#include "tasks/translation_run.h"
#include "tensor/file.h"
#include "tensor/unicode.h"
#include "train/checkpoint.h"
#include "train/events.h"

namespace heed {
namespace {

constexpr const char* kMayChange[] = {"epochs", "steps", "minutes", "patience", "save_every"};
constexpr int64_t kLogEvery = 10;                        // steps
constexpr const char* kComesAlong[] = {kEnds, kOrigin};  // from the run that another begins with

// ---- metrics.jsonl: a line each, none of steps that were done over -------------------------------------------------

class MetricsLog {
 public:
  MetricsLog(const std::string& path, int64_t from_step) : path_(path) {
    keep_until(from_step);
    out_.open(path, std::ios::app);
    check_system(out_.good(), path, "cannot be written");
  }
  void add(const Json& line) { out_ << line.dump() << '\n' << std::flush; }

 private:
  void keep_until(int64_t step) {
    std::ifstream in(path_);
    std::string kept;
    for (std::string line; std::getline(in, line);) {
      const Json json = Json::parse(line, nullptr, false);
      if (json.is_object() && json.value("step", step + 1) <= step) kept += line + "\n";
    }
    AtomicFile file(path_);
    file.write(kept.data(), static_cast<int64_t>(kept.size()));
    file.commit();
  }
  std::string path_;
  std::ofstream out_;
};

Json line_of(const StepReport& r) {
  return {
      {"step", r.progress.step},          {"epoch", r.progress.epoch},        {"loss", r.loss},
      {"learning_rate", r.learning_rate}, {"gradient_norm", r.gradient_norm}, {"targets_a_second", r.targets_a_second},
      {"seconds", r.progress.seconds}};
}
Json line_of(const ValidationReport& r, const std::vector<Measure>& measures) {
  Json line = {
      {"step", r.progress.step}, {"epoch", r.progress.epoch}, {"training_loss", r.training_loss}, {"best", r.best}};
  for (const Measure& measure : measures) line[measure.name] = measure.value;
  return line;
}

// ---- heed.json ----------------------------------------------------------------------------------------------------

Json about(const TrainingTask& task, const Fields& fields, const std::string& from) {
  const Json other = from.empty() ? Json::object() : about_run(from);
  Json options = Json::object();
  for (const auto& [name, text] : fields.all()) options[name] = text;
  Json all = {{"task", task.name()}, {"model", task.model_name()}, {"options", options}, {"data", task.data()}};
  for (const char* name : kComesAlong)
    if (other.contains(name)) all[name] = other[name];
  return all;
}

bool may_change(const std::string& name) {
  return std::find(std::begin(kMayChange), std::end(kMayChange), name) != std::end(kMayChange);
}

// What the run was begun with, where nothing else is said; Error where something else is said that may not change.
void go_on_with(Fields& fields, const Json& begun, const std::string& folder) {
  for (const auto& [name, value] : begun.at("options").items()) {
    const auto text = value.get<std::string>();
    const auto given = fields.all().find(name);
    if (given == fields.all().end()) {
      fields.suggest(name, text);
    } else if (given->second != text && !may_change(name)) {
      throw Error(ErrorKind::usage, folder,
                  fmt::format("was begun with {} {}, now it is {}", name, text, given->second),
                  "leave the option out, or take another --run");
    }
  }
}

// The model of the run that it begins with, where nothing else is said.
void begin_with(Fields& fields, const TaskRow& row, const std::string& from) {
  about_run(from, row.name);
  for (const ModelField& field : fields_of<TokenOptions>())
    check(!fields.given(field.name), field.name, "the tokenisers are those of {}: leave it out", from);
  const ModelConfiguration its = read_configuration(from);
  fields.suggest("model", its.name);
  check(fields.is("model", its.name), "model", "the run {} is a {}", from, its.name);
  for (const ModelInfo& model : row.models())
    if (model.name == its.name)
      for (const ModelField& field : model.fields)
        if (const auto at = its.fields.find(field.name); at != its.fields.end()) fields.suggest(field.name, at->second);
}

// The data must be what it was: else the order of examples means something else.
void check_data(const TrainingTask& task, const Json& begun, const std::string& folder) {
  if (begun.at("data") != task.data())
    throw Error(ErrorKind::data, folder,
                fmt::format("was begun with other data: {}, now {}", begun.at("data").dump(), task.data().dump()),
                "give the data that it was begun with, or take another --run");
}

// ---- what is written while it trains --------------------------------------------------------------------------------

class Writer {
 public:
  Writer(const RunPaths& paths, const RunWatchers& watchers, int64_t from_step)
      : paths_(paths), watchers_(watchers), log_(paths.metrics(), from_step), events_(paths.folder) {}

  void step(const StepReport& report) {
    if (report.progress.step % kLogEvery == 0) log(line_of(report));
    if (!report.bad.empty())
      trouble(fmt::format("step {} was skipped: {} ({} so far)", report.progress.step, report.bad,
                          report.progress.skipped));
    if (watchers_.on_step) watchers_.on_step(report);
  }
  void validation(const ValidationReport& report, const TrainingTask& task) {
    log(line_of(report, task.measure()));
    if (watchers_.on_validation) watchers_.on_validation(report, task);
  }
  bool save(const TrainingState& state) {
    try {
      save_training(paths_.state(), state);
      if (state.best.empty() || best_written_ != state.progress.best_step)
        save_model_weights(paths_.folder, state.best.empty() ? state.weights : state.best);
      if (!state.best.empty()) best_written_ = state.progress.best_step;
      return true;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::system) throw;
      trouble(fmt::format("{}; training goes on and tries again", error.what()));
      return false;
    }
  }

 private:
  // Into metrics.jsonl, and its numbers into TensorBoard's file.
  void log(const Json& line) {
    std::vector<std::pair<std::string, double>> figures;
    for (const auto& [name, value] : line.items())
      if (name != "step" && value.is_number()) figures.emplace_back(name, value.get<double>());
    log_.add(line), events_.add(line["step"], figures);
  }
  void trouble(const std::string& what) {
    if (watchers_.on_trouble) watchers_.on_trouble(what);
  }
  RunPaths paths_;
  const RunWatchers& watchers_;
  MetricsLog log_;
  EventFile events_;
  int64_t best_written_ = -1;
};

}  // namespace

const std::vector<TaskRow>& tasks() {
  static const std::vector<TaskRow> all = {
      {"translate", "from one language, or one way of writing, into another", "--data pairs.tsv --run runs/first",
       translate_models, translate_task, translate_fields, translation_run, compare_translations,
       translation_predict_fields, translation_evaluate_fields, fields_of<PairOptions>},
      {"classify", "a text into one of several classes, into several, or into a number",
       "--data reviews.tsv --run runs/first", classify_models, classify_task, classify_fields, classification_run,
       compare_classifiers, classification_predict_fields, classification_evaluate_fields, fields_of<LabelledOptions>},
      {"lm", "a language model: what comes next", "--data text.txt --run runs/first", language_models, language_task,
       language_fields, language_run, compare_languages, language_predict_fields, language_evaluate_fields,
       fields_of<LineOptions>},
  };
  return all;
}

static const TaskRow& task_of(const std::string& folder) {
  const std::string task = about_run(folder)["task"];
  for (const TaskRow& row : tasks())
    if (row.name == task) return row;
  fail(ErrorKind::data, folder, "is a run of the task {}, which this heed does not know", printable(task));
}

std::unique_ptr<TrainedRun> load_run(const std::string& folder) { return task_of(folder).load(folder); }

Comparison compare_runs(std::span<const std::string> folders, Fields& options) {
  check(folders.size() >= 2, "compare", "{} run, wanted two or more", folders.size());
  const TaskRow& task = task_of(folders[0]);
  for (const std::string& folder : folders) about_run(folder, task.name);
  return task.compare(folders, options);
}

struct Made {
  std::unique_ptr<TrainingTask> task;
  FitOptions options;
  std::string from;
};
// `folder`: of a run that was begun; empty: new.
static Made made(const TaskRow& row, Fields& fields, const std::string& folder) {
  const std::string from = fields.take<BeginOptions>().from;
  if (folder.empty() && !from.empty()) begin_with(fields, row, from);
  check_options(fields.take<FitOptions>());
  Made made{row.make(fields, folder.empty() ? from : folder), fields.take<FitOptions>(), from};
  fields.check_all_taken(fmt::format("{} with the model {}", row.name, made.task->model_name()));
  const bool stands = !folder.empty() && std::filesystem::exists(RunPaths{folder}.state());
  if (!from.empty() && !stands) load_model_weights(from, made.task->learner().weights);
  return made;
}

static MemoryNeed checked_memory(const TrainingTask& task, const FitOptions& options) {
  const MemoryNeed need = memory_needed(task.learner(), options);
  const int64_t available = available_memory();
  if (need.more() > available)
    throw Error(ErrorKind::system, "training",
                fmt::format("would take about {} more, {} of them for the largest batch; there are {}",
                            memory_text(need.more()), memory_text(need.batch), memory_text(available)),
                "a smaller batch, shorter texts (longest), fewer layers or a smaller width make it less");
  return need;
}

RateTest test_rates(const TaskRow& row, Fields fields, const RunWatchers& watchers) {
  const Made of_run = made(row, fields, "");
  const MemoryNeed memory = checked_memory(*of_run.task, of_run.options);
  if (watchers.on_begin) watchers.on_begin({.task = *of_run.task, .fields = fields, .memory = memory});
  return find_learning_rate(of_run.task->learner(), of_run.options, {},
                            {.on_step = watchers.on_step, .stop = watchers.stop});
}

TrainingProgress train_run(const TaskRow& row, Fields fields, const std::string& folder, const RunWatchers& watchers) {
  const RunPaths paths{folder};
  make_folder(folder, "state");
  const RunLock lock(paths.lock());
  const bool begun = std::filesystem::exists(paths.about());
  const Json before = begun ? about_run(folder, row.name) : Json();
  if (begun) go_on_with(fields, before, folder);
  const Made of_run = made(row, fields, begun ? folder : "");
  const TrainingTask* const task = of_run.task.get();
  if (begun) check_data(*task, before, folder);
  const MemoryNeed memory = checked_memory(*task, of_run.options);
  if (!begun) task->save(folder), write_about(folder, about(*task, fields, of_run.from));

  TrainingState stands;
  const bool goes_on = std::filesystem::exists(paths.state());
  if (goes_on) stands = load_training(paths.state());
  Writer writer(paths, watchers, stands.progress.step);
  if (watchers.on_begin) watchers.on_begin({*task, fields, stands.progress, memory});
  bool saved = true;
  const TrainingProgress progress =
      fit(task->learner(), of_run.options,
          {.on_step = [&](const StepReport& report) { writer.step(report); },
           .on_validation = [&](const ValidationReport& report) { writer.validation(report, *task); },
           .save = [&](const TrainingState& state) { return saved = writer.save(state); },
           .stop = watchers.stop},
          goes_on ? &stands : nullptr);
  if (!saved)
    throw Error(ErrorKind::system, folder, "the training ended, but could not be saved", "make room on the disk");
  return progress;
}

}  // namespace heed
