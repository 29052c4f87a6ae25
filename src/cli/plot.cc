// heed plot RUN…: how trainings went, and what each head does, in the terminal or as a picture.
#include <fmt/format.h>

#include <memory>

#include "base/check.h"
#include "cli/fields.h"
#include "cli/picture_file.h"
#include "cli/terminal.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "explain/head_map.h"
#include "tasks/run_curves.h"

namespace heed::cli {
namespace {

constexpr const char* kExamplesOfPlot =
    "Examples:\n"
    "  heed plot runs/first\n"
    "  heed plot runs/first runs/second -o runs.svg\n"
    "  heed plot runs/first --heads --data unseen.tsv\n"
    "                                     what each head does, a mean over these rows\n"
    "\n";

struct PlotCall {
  std::vector<std::string> runs;
  std::string out;
  bool heads = false;
  int64_t lines = 32;
  std::map<std::string, std::string> given;
};

// What may be drawn either way.
struct Drawn {
  std::vector<std::string> lines;
  explain::Graphic graphic;
};

std::vector<Drawn> trainings(const PlotCall& call, const explain::Paper& paper) {
  std::vector<Drawn> all;
  for (const explain::Chart& chart : training_charts(call.runs))
    all.push_back({lines_of(chart, paper.columns), graphic_of(chart)});
  return all;
}

std::vector<Drawn> heads_of(const PlotCall& call, const explain::Paper& paper) {
  std::vector<Drawn> all;
  for (const std::string& folder : call.runs) {
    const std::unique_ptr<TrainedRun> run = load_run(folder);
    Fields fields(call.given);
    const std::vector<Question> questions = run->questions(fields, call.lines);
    fields.check_all_taken(folder);
    for (explain::HeadMap& map : explain::head_maps(questions)) {
      if (call.runs.size() > 1) map.of = folder;
      all.push_back({lines_of(map, paper.ink, paper.columns), graphic_of(heat_map_of(map))});
    }
  }
  return all;
}

void plot(const PlotCall& call) {
  check(call.heads || call.given.empty(), "plot",
        "rows of data are read for heads: say --heads too, or leave --data out");
  check(call.lines > 0, "lines", "got {}, wanted at least 1", call.lines);
  const explain::Paper paper = cli::paper(terminal());
  std::vector<explain::Graphic> graphics;
  for (Drawn& drawn : call.heads ? heads_of(call, paper) : trainings(call, paper)) {
    if (call.out.empty()) fmt::print("{}\n\n", fmt::join(drawn.lines, "\n"));
    graphics.push_back(std::move(drawn.graphic));
  }
  if (!call.out.empty()) write_picture(stacked(graphics), call.out);
}

}  // namespace

void add_plot(CLI::App& app) {
  CLI::App* verb = app.add_subcommand(
      "plot", "how trainings went: loss, learning rate, gradients and figures by steps; and what each head does");
  examples_first(*verb, kExamplesOfPlot);
  const auto call = std::make_shared<PlotCall>();
  verb->add_option("RUNS", call->runs, "folders of runs, drawn together")->required();
  verb->add_option("-o,--out", call->out, "a file that ends in .svg or .png; without it the terminal");
  verb->add_flag("--heads", call->heads, "a map of the heads of all layers: entropy, distance, importance");
  verb->add_option("--lines", call->lines, "rows of --data that heads are drawn for, from the first on")
      ->capture_default_str();
  add_fields_of_tasks(*verb, call->given, &TaskRow::data_fields);
  verb->callback([call] { plot(*call); });
}

}  // namespace heed::cli
