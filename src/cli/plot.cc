// heed plot RUN…: how trainings went, in the terminal or as a picture.
#include <fmt/format.h>

#include <memory>

#include "cli/picture_file.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "tasks/run_curves.h"

namespace heed::cli {
namespace {

struct Call {
  std::vector<std::string> runs;
  std::string out;
};

void plot(const Call& call) {
  const std::vector<explain::Chart> charts = training_charts(call.runs);
  if (call.out.empty()) {
    for (const explain::Chart& chart : charts) fmt::print("{}\n\n", fmt::join(lines_of(chart), "\n"));
    return;
  }
  std::vector<explain::Graphic> graphics;
  for (const explain::Chart& chart : charts) graphics.push_back(graphic_of(chart));
  write_picture(stacked(graphics), call.out);
}

}  // namespace

void add_plot(CLI::App& app) {
  CLI::App* verb =
      app.add_subcommand("plot", "how trainings went: loss, learning rate, gradients and figures by steps");
  examples_first(*verb, "Examples:\n  heed plot runs/first\n  heed plot runs/first runs/second -o runs.svg\n\n");
  const auto call = std::make_shared<Call>();
  verb->add_option("RUNS", call->runs, "folders of runs, drawn together")->required();
  verb->add_option("-o,--out", call->out, "a file that ends in .svg or .png; without it the terminal");
  verb->callback([call] { plot(*call); });
}

}  // namespace heed::cli
