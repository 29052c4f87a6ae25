// heed bench: how close to the limits of the machine. ops: each kernel and op; attention: the engine and the
// mechanisms; text: tokenisers; training and decoding: whole models; serve: over HTTP.
#include <memory>

#include "bench/cases.h"
#include "bench/serve.h"
#include "cli/verbs.h"

namespace heed::cli {

namespace {

void add_attention(CLI::App& verb) {
  CLI::App* attention = verb.add_subcommand("attention", "attention: a table of cases, or the one that is described");
  const auto o = std::make_shared<bench::AttentionOptions>();
  const std::map<std::string, Dtype> dtypes = {{"f32", Dtype::f32}, {"f64", Dtype::f64}, {"bf16", Dtype::bf16}};
  attention->add_option("--filter", o->frame.filter, "only cases whose name contains this");
  attention->add_flag("--json", o->frame.json, "one JSON object a line");
  attention->add_option("--mechanism", o->mechanism, "one of heed mechanisms");
  attention->add_option("--shape", o->shape, "B,H,T,S,D: batch, heads, queries, keys, width")
      ->delimiter(',')
      ->expected(5);
  attention->add_flag("--causal", o->causal, "nobody looks into the future");
  attention->add_option("--window", o->window, "LEFT,RIGHT: so many keys on either side")->delimiter(',')->expected(2);
  attention->add_flag("--backward", o->backward, "the backward pass too");
  attention->add_option("--dtype", o->dtype, "f32, f64 (the limit stays that of f32) or bf16")
      ->transform(CLI::Transformer(dtypes));
  attention->callback([o] { bench::run_attention(*o); });
}

// A family whose only options are those of the frame.
void add_family(CLI::App& verb, const char* name, const char* what, void (*run)(const bench::Options&)) {
  CLI::App* family = verb.add_subcommand(name, what);
  const auto options = std::make_shared<bench::Options>();
  family->add_option("--filter", options->filter, "only cases whose name contains this");
  family->add_flag("--json", options->json, "one JSON object a line");
  family->callback([options, run] { run(*options); });
}

void add_serving(CLI::App& verb) {
  CLI::App* serving =
      verb.add_subcommand("serve", "a run over HTTP on this machine, beside the same run in the program");
  const auto o = std::make_shared<bench::ServeBench>();
  serving->add_option("RUN", o->run, "folder of a run")->required();
  serving->add_option("--lines", o->lines, "texts to ask, one a line, up to its first tab")->required();
  serving->add_option("--seconds", o->seconds, "of each load")->capture_default_str();
  serving->callback([o] { bench::run_serve(*o); });
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("bench", "measure heed against the limits of this machine");
  verb->require_subcommand(1);
  add_family(*verb, "ops", "kernels and ops, a line a case: time, rate, limit, ratio to it", bench::run_cases);
  add_attention(*verb);
  add_family(*verb, "text", "tokenisers on one core, beside what is promised", bench::run_text);
  add_family(*verb, "training", "steps of training, whole models", bench::run_training);
  add_family(*verb, "decoding", "encoding and decoding, whole models", bench::run_decoding);
  add_serving(*verb);
}

}  // namespace heed::cli
