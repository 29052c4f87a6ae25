// heed compare RUN RUN …: is one better than the other, or was it chance?
#include <fmt/format.h>

#include <memory>

#include "base/check.h"
#include "cli/fields.h"
#include "cli/picture_file.h"
#include "cli/usage.h"
#include "cli/verbs.h"

namespace heed::cli {
namespace {

struct CompareCall {
  std::vector<std::string> runs;
  bool json = false;
  std::string out;
  std::map<std::string, std::string> given;
};

void print_json(const Comparison& comparison) {
  nlohmann::json all = nlohmann::json::array();
  for (const Comparison::Row& row : comparison.rows)
    all.push_back({{"run", row.run}, {"figure", row.figure}, {"value", row.value}, {"p_value", row.p_value}});
  fmt::print("{}\n", all.dump());
}

void print_table(const Comparison& comparison, const std::string& first) {
  for (const Comparison::Row& row : comparison.rows)
    fmt::print("{:<6} {:7.2f}  {:<9}  {}\n", row.figure, row.value,
               row.run == first ? "" : fmt::format("p = {:.3f}", row.p_value), row.run);
  fmt::print(
      "p: how often paired resamples of these lines would show a difference from\n{} as large if there were none.\n",
      first);
  if (!comparison.drawing.empty()) fmt::print("\n{}", comparison.drawing);
}

void compare(const CompareCall& call) {
  Fields fields(call.given);
  const Comparison comparison = compare_runs(call.runs, fields);
  fields.check_all_taken("compare");
  call.json ? print_json(comparison) : print_table(comparison, call.runs[0]);
  if (call.out.empty()) return;
  check(comparison.chart.has_value(), "compare", "runs of this task are not drawn by length: leave -o out");
  write_picture(graphic_of(*comparison.chart), call.out);
}

}  // namespace

void add_compare(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("compare", "several runs on the same data: is the difference real?");
  examples_first(*verb, "Examples:\n  heed compare runs/attention runs/without --data unseen.tsv\n\n");
  const auto call = std::make_shared<CompareCall>();
  verb->add_option("RUNS", call->runs, "folders of runs; the first is what the others are compared with")->required();
  verb->add_flag("--json", call->json, "an array, an object a run and figure");
  verb->add_option("-o,--out", call->out, "quality by length as a picture: a file that ends in .svg or .png");
  add_fields_of_tasks(*verb, call->given, &TaskRow::evaluate_fields);
  verb->callback([call] { compare(*call); });
}

}  // namespace heed::cli
