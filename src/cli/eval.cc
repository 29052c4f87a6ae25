// heed eval RUN --data FILE: what a trained model is worth.
#include <fmt/format.h>

#include <memory>

#include "cli/fields.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "tasks/training_run.h"

namespace heed::cli {
namespace {

constexpr const char* kExamplesOfEval =
    "Examples:\n"
    "  heed eval runs/dates --data unseen.tsv\n"
    "  heed eval runs/dates --data unseen.tsv --beam 8 --json\n"
    "\n";

struct EvalCall {
  std::string run;
  bool json = false;
  std::map<std::string, std::string> given;
};

void print_json(const Evaluation& evaluation) {
  nlohmann::json all = nlohmann::json::object();
  for (const Figure& f : evaluation.figures)
    all[f.name] = {{"value", f.value}, {"low", f.low}, {"high", f.high}, {"note", f.note}};
  fmt::print("{}\n", all.dump());
}

void print_table(const Evaluation& evaluation) {
  bool resampled = false;
  for (const Figure& f : evaluation.figures) {
    const bool known = f.high > f.low;
    const std::string about = known ? fmt::format("[{:.2f}, {:.2f}]  ", f.low, f.high) : "";
    fmt::print("{:<18} {:8.2f} {:<1} {}{}\n", f.name, f.value, f.unit, about, f.note);
    resampled |= known;
  }
  if (!evaluation.drawing.empty()) fmt::print("\n{}", evaluation.drawing);
  if (resampled) fmt::print("In brackets: where 95 % of 1,000 resamples of these lines lie.\n");
}

void evaluate(const EvalCall& call) {
  const std::unique_ptr<TrainedRun> run = load_run(call.run);
  Fields fields(call.given);
  const Evaluation evaluation = run->evaluate(fields);
  fields.check_all_taken(call.run);
  call.json ? print_json(evaluation) : print_table(evaluation);
}

}  // namespace

void add_eval(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("eval", "what a trained model is worth on data that it has not seen");
  examples_first(*verb, kExamplesOfEval);
  const auto call = std::make_shared<EvalCall>();
  verb->add_option("RUN", call->run, "folder of the run")->required();
  verb->add_flag("--json", call->json, "one object");
  add_fields_of_tasks(*verb, call->given, &TaskRow::evaluate_fields);
  verb->callback([call] { evaluate(*call); });
}

}  // namespace heed::cli
