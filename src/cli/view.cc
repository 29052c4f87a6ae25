// heed view WEIGHTS --tokens TOKENS -o PAGE: attention that any program saved, as a page to look at.
#include <fmt/format.h>

#include <memory>

#include "cli/output.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "explain/page.h"
#include "explain/seen_file.h"

namespace heed::cli {
namespace {

constexpr const char* kExamplesOfView =
    "Examples:\n"
    "  heed view weights.safetensors --tokens tokens.json -o page.html\n"
    "\n"
    "weights.safetensors holds a tensor (heads, queries, keys) for each layer, tokens.json the words:\n"
    "  {\"tokens\": [\"the\", \"cat\"]}                    one text that looks at itself\n"
    "  {\"source\": [\"die\", …], \"target\": [\"the\", …]}    two; tensors are named encoder…, decoder… or …cross…\n"
    "docs/view.md has the rest, and how to save them from PyTorch and Keras.\n"
    "\n";

struct ViewCall {
  std::string weights, tokens, out, title;
};

void view(const ViewCall& call) {
  explain::Seen seen = explain::read_seen(call.weights, call.tokens);
  if (!call.title.empty()) seen.title = call.title;
  Output out(call.out);
  out.write(explain::page(seen));
  out.finish();
}

}  // namespace

void add_view(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("view", "attention that any program saved, as a page to look at");
  examples_first(*verb, kExamplesOfView);
  const auto call = std::make_shared<ViewCall>();
  verb->add_option("WEIGHTS", call->weights, "safetensors: a tensor (heads, queries, keys) for each layer")->required();
  verb->add_option("--tokens", call->tokens, "JSON: the words that look at each other")->required();
  verb->add_option("-o,--out", call->out, "the page, one HTML file that needs no network")->required();
  verb->add_option("--title", call->title, "what stands above it");
  verb->callback([call] { view(*call); });
}

}  // namespace heed::cli
