// heed align RUN --data PAIRS: which words of two texts belong together.
#include <fmt/format.h>

#include <memory>

#include "cli/fields.h"
#include "cli/output.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "tasks/align.h"

namespace heed::cli {
namespace {

constexpr const char* kExamplesOfAlign =
    "Examples:\n"
    "  heed align runs/en-de --data pairs.tsv -o pairs.align\n"
    "  heed align runs/en-de --data pairs.tsv --reverse runs/de-en --symmetrize grow-diag -o pairs.align\n"
    "  heed align runs/en-de --data test.tsv --layer 4 --gold test.align -o found.align\n"
    "                                     how far is it from what people say?\n"
    "\n"
    "A line a pair in the Pharaoh format: 0-0 1-2 …, words between spaces, the source's before the target's.\n"
    "\n";

struct AlignCall {
  std::string run, out;
  std::map<std::string, std::string> given;
};

void align_pairs(const AlignCall& call) {
  Fields fields(call.given);
  const Alignments found = align(call.run, fields.take<AlignOptions>());
  Output out(call.out);
  for (const std::vector<Link>& links : found.links) out.write(pharaoh(links) + "\n");
  out.finish();
  if (found.error_rate) fmt::print(stderr, "alignment error rate {:.4f}\n", *found.error_rate);
}

}  // namespace

void add_align(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("align", "which words of two texts belong together, as a translator sees them");
  examples_first(*verb, kExamplesOfAlign);
  const auto call = std::make_shared<AlignCall>();
  verb->add_option("RUN", call->run, "folder of the run, a translator")->required();
  verb->add_option("-o,--out", call->out, "a file of links; stdout where not said");
  add_fields(*verb, call->given, fields_of<AlignOptions>(), "Translators");
  verb->callback([call] { align_pairs(*call); });
}

}  // namespace heed::cli
