// heed convert FROM -o TO: a run in the layout of Hugging Face's transformers, and back.
#include <fmt/format.h>

#include <memory>

#include "cli/usage.h"
#include "cli/verbs.h"
#include "tasks/convert.h"

namespace heed::cli {
namespace {

constexpr const char* kExamplesOfConvert =
    "Examples:\n"
    "  heed convert runs/lm -o for-transformers      GPT2LMHeadModel.from_pretrained(\"for-transformers\")\n"
    "  heed convert gpt2 -o runs/gpt2                a folder of theirs, which heed predict then takes\n"
    "\n"
    "transformer becomes MarianMTModel; decoder-lm becomes GPT2LMHeadModel, or LlamaForCausalLM with the options\n"
    "  --norm rms --position rope --activation swiglu --bias=false\n"
    "\n";

struct ConvertCall {
  std::string from, to;
};

void convert(const ConvertCall& call) {
  if (is_run(call.from)) {
    export_run(call.from, call.to);
    fmt::print(stderr, "{} is what transformers reads.\n", call.to);
  } else {
    import_run(call.from, call.to);
    fmt::print(stderr, "{0} is a run. Next:\n  heed predict {0}\n", call.to);
  }
}

}  // namespace

void add_convert(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("convert", "a run as Hugging Face's transformers reads it, and back");
  examples_first(*verb, kExamplesOfConvert);
  const auto call = std::make_shared<ConvertCall>();
  verb->add_option("FROM", call->from, "folder of a run, or of a model of theirs")->required();
  verb->add_option("-o,--out", call->to, "folder for the other")->required();
  verb->callback([call] { convert(*call); });
}

}  // namespace heed::cli
