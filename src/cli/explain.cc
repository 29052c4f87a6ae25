// heed explain RUN TEXT: where did it look, what mattered, and how far is either to be believed?
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>

#include "base/check.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "explain/drawing.h"
#include "explain/page.h"
#include "explain/seen_graphic.h"
#include "explain/seen_json.h"
#include "tasks/trained_run.h"

namespace heed::cli {
namespace {

constexpr const char* kExamplesOfExplain =
    "Examples:\n"
    "  heed explain runs/dates 'the 3rd of May, 2004'\n"
    "  heed explain runs/dates 'the 3rd of May, 2004' --target 2004-05-30\n"
    "                                     why would it say that?\n"
    "  heed explain runs/dates 'the 3rd of May, 2004' --layer 0 --head 2 --method occlusion\n"
    "  heed explain runs/dates 'the 3rd of May, 2004' --method rollout,integrated,occlusion\n"
    "                                     do they agree?\n"
    "  heed explain runs/dates 'the 3rd of May, 2004' --heads --counterfactual shuffled,uniform\n"
    "                                     which heads does it need, and does it care where it looked?\n"
    "  heed explain runs/dates 'the 3rd of May, 2004' --instead 2004-05-30\n"
    "                                     why this and not that?\n"
    "  heed explain runs/reviews 'a dull film with a good end' -o why.html\n"
    "\n";

struct ExplainCall {
  std::string run, text, out;
  std::map<std::string, std::string> given;
};

// A form of a file, by the end of its name.
struct Form {
  const char* ending;
  std::string (*write)(const explain::Seen& seen);
};
constexpr Form kForms[] = {
    {".html", explain::page},
    {".json", [](const explain::Seen& seen) { return explain::seen_json(seen) + "\n"; }},
    {".svg", [](const explain::Seen& seen) { return explain::svg(explain::graphic_of(seen)); }},
    {".png", [](const explain::Seen& seen) { return explain::png(explain::graphic_of(seen)); }},
    {".txt", [](const explain::Seen& seen) { return explain::drawing(seen, {}); }},
};

const Form& form_of(const std::string& path) {
  std::vector<std::string> endings;
  for (const Form& form : kForms) {
    if (std::filesystem::path(path).extension() == form.ending) return form;
    endings.emplace_back(form.ending);
  }
  fail(ErrorKind::usage, path, "wanted a name that ends in {}", fmt::join(endings, " or "));
}

void explain_text(const ExplainCall& call) {
  const Form* form = call.out.empty() ? nullptr : &form_of(call.out);
  const auto options = Fields(call.given).take<ExplainOptions>();
  const std::unique_ptr<TrainedRun> run = load_run(call.run);
  const explain::Seen seen = run->explain(call.text, options);
  Output out(call.out);
  out.write(form ? form->write(seen) : explain::drawing(seen, paper(terminal())));
  out.finish();
}

}  // namespace

void add_explain(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("explain", "where a trained model looked, what mattered, and what that proves");
  examples_first(*verb, kExamplesOfExplain);
  const auto call = std::make_shared<ExplainCall>();
  verb->add_option("RUN", call->run, "folder of the run")->required();
  verb->add_option("TEXT", call->text, "what it reads")->required();
  verb->add_option("-o,--out", call->out,
                   "FILE.html, a page that opens offline, .svg, .png, .json or .txt; stdout where not said");
  add_fields(*verb, call->given, fields_of<ExplainOptions>(), "Every run");
  verb->callback([call] { explain_text(*call); });
}

}  // namespace heed::cli
