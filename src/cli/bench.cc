// heed bench ops: how close each kernel and op is to the limit of the machine.
#include <memory>

#include "bench/cases.h"
#include "cli/verbs.h"

namespace heed::cli {

void add_bench(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("bench", "measure heed against the limits of this machine");
  verb->require_subcommand(1);
  CLI::App* ops = verb->add_subcommand("ops", "kernels and ops, a line a case: time, rate, limit, ratio to it");
  const auto options = std::make_shared<bench::Options>();
  ops->add_option("--filter", options->filter, "only cases whose name contains this");
  ops->add_flag("--json", options->json, "one JSON object a line");
  ops->callback([options] { bench::run_cases(*options); });
}

}  // namespace heed::cli
