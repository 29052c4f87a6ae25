// heed serve RUN…: models over HTTP.
#include "serve/server.h"

#include <memory>

#include "cli/fields.h"
#include "cli/usage.h"
#include "cli/verbs.h"

namespace heed::cli {
namespace {

constexpr const char* kExamplesOfServe =
    "Examples:\n"
    "  heed serve runs/dates\n"
    "  heed serve runs/dates runs/reviews --port 9000 --api-key-file keys.txt\n"
    "  curl http://127.0.0.1:8080/v1/predict --json '{\"input\": \"the 3rd of May, 2004\"}'\n"
    "\n";

struct ServeCall {
  std::vector<std::string> runs;
  std::map<std::string, std::string> given;
};

}  // namespace

void add_serve(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("serve", "models over HTTP: heed's own paths, and those of OpenAI's clients");
  examples_first(*verb, kExamplesOfServe);
  const auto call = std::make_shared<ServeCall>();
  verb->add_option("RUNS", call->runs, "folders of runs; each is named by the last part of its path")->required();
  add_fields(*verb, call->given, fields_of<serve::ServeOptions>(), "Options");
  verb->callback([call] { serve::serve(call->runs, Fields(call->given).take<serve::ServeOptions>()); });
}

}  // namespace heed::cli
