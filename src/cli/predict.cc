// heed predict RUN: an answer a line.
#include <fmt/format.h>
#include <heed/base.h>

#include <memory>

#include "base/check.h"
#include "cli/fields.h"
#include "cli/line_input.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "tasks/training_run.h"

namespace heed::cli {
namespace {

constexpr const char* kExamplesOfPredict =
    "Examples:\n"
    "  echo 'the 3rd of May, 2004' | heed predict runs/dates\n"
    "  heed predict runs/dates -i lines.txt -o answers.txt --beam 8\n"
    "  heed predict runs/dates -i lines.txt --json --alignment --n-best 3\n"
    "\n";
constexpr size_t kTogether = 1024;  // lines

struct PredictCall {
  std::string run, in, out;
  bool json = false, draw = false;
  std::map<std::string, std::string> given;
};

// A line an input; of several answers each has a line, and numbers before it.
void write(Output& out, const std::vector<Prediction>& several, int64_t line, bool json, const explain::Paper& paper) {
  for (size_t n = 0; n < several.size(); ++n) {
    if (json) {
      nlohmann::json details = several[n].details;
      details["line"] = line;
      if (several.size() > 1) details["rank"] = n + 1;
      out.write(details.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    } else {
      const std::string number = several.size() > 1 ? fmt::format("{}\t{}\t", line, n + 1) : "";
      out.write(number + several[n].text + "\n");
      if (!several[n].drawing) continue;
      for (const std::string& drawn : several[n].drawing(paper)) out.write(drawn + "\n");
    }
  }
}

void predict(const PredictCall& call) {
  const std::unique_ptr<TrainedRun> run = load_run(call.run);
  Fields fields(call.given);
  LineInput input(call.in);
  Output out(call.out);
  int64_t line = 0;
  const explain::Paper paper = call.out.empty() ? cli::paper(terminal()) : explain::Paper();
  const Showing showing = call.json ? Showing::details : call.draw ? Showing::drawing : Showing::text;
  for (auto lines = input.next(kTogether); !lines.empty(); lines = input.next(kTogether)) {
    for (const auto& several : run->predict(lines, fields, showing)) write(out, several, ++line, call.json, paper);
    fields.check_all_taken(call.run);
    if (call.out.empty()) out.flush();
  }
  out.finish();
}

}  // namespace

void add_predict(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("predict", "what a trained model makes of lines of text");
  examples_first(*verb, kExamplesOfPredict);
  const auto call = std::make_shared<PredictCall>();
  verb->add_option("RUN", call->run, "folder of the run")->required();
  verb->add_option("-i,--in", call->in, "the lines; stdin where not said");
  verb->add_option("-o,--out", call->out, "the answers; stdout where not said");
  verb->add_flag("--json", call->json, "an object a line: text, tokens, scores");
  verb->add_flag("--draw", call->draw, "below each answer where it looked")->excludes("--json");
  add_fields_of_tasks(*verb, call->given, &TaskRow::predict_fields);
  verb->callback([call] { predict(*call); });
}

}  // namespace heed::cli
