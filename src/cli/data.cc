// heed data NAME: made data, to try a model on.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "base/check.h"
#include "cli/output.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "data/made/made.h"

namespace heed::cli {
namespace {

constexpr const char* kExamplesOfData =
    "Examples:\n"
    "  heed data dates -o dates.tsv                         20,000 written dates and what they mean\n"
    "  heed data reviews -n 5 --seed 7 --lang en --marked   a few lines to look at\n"
    "  heed data copy --length 20,40                        longer strings\n"
    "\n";

struct DataCall {
  std::string name, out;
  int64_t lines = 20000;
  std::vector<int64_t> length;
  MadeOptions made;
};

std::string names() {
  std::string text;
  for (const data::MadeKind& kind : data::made_kinds()) text += fmt::format("\n{}: {}", kind.name, kind.what);
  return text;
}

void run(const DataCall& o) {
  const data::MadeKind& kind = data::made_kind(o.name);
  MadeOptions made = o.made;
  if (!o.length.empty()) made.length = {o.length.at(0), o.length.at(1)};
  check(o.lines >= 0, "data", "{} lines, wanted at least 0", o.lines);
  data::check_options(kind, made);
  Output out(o.out);
  for (int64_t line = 1; line <= o.lines; ++line)
    out.write(fmt::format("{}\n", fmt::join(data::made_row(kind, line, made).values, "\t")));
  out.finish();
}

}  // namespace

void add_data(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("data", "made data: dates, numbers, reviews, copy, reverse");
  examples_first(*verb, kExamplesOfData);
  const auto o = std::make_shared<DataCall>();
  const std::map<std::string, MadeLanguage> languages = {
      {"en", MadeLanguage::english}, {"zh", MadeLanguage::chinese}, {"both", MadeLanguage::both}};
  verb->add_option("NAME", o->name, "what is made, in columns with a tab between them" + names())->required();
  verb->add_option("-n,--lines", o->lines, "how many lines; 20000 where not said");
  verb->add_option("--seed", o->made.seed, "1 where not said; the same seed makes the same lines");
  verb->add_option("--length", o->length, "MIN,MAX: digits, clauses or letters")->delimiter(',')->expected(2);
  verb->add_option("--lang", o->made.language, "en, zh or both")
      ->transform(CLI::Transformer(languages))
      ->option_text("en|zh|both");
  verb->add_flag("--marked", o->made.marked, "reviews: a third column, «» around the words that decide");
  verb->add_option("-o,--out", o->out, "the file to write; stdout where not said");
  verb->callback([o] { run(*o); });
}

}  // namespace heed::cli
