// heed mechanisms [NAME]: the table of mechanisms, or what there is to say of one.
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "cli/verbs.h"
#include "explain/mechanism_page.h"

namespace heed::cli {
namespace {

struct MechanismsCall {
  std::string name, folder;
  explain::Language language = explain::Language::english;
  bool json = false;
};

explain::Ink ink() {
  const char *plain = std::getenv("NO_COLOR"), *terminal = std::getenv("TERM");
  const bool dumb = terminal && std::string(terminal) == "dumb";
  return (plain && *plain) || dumb ? explain::Ink::ascii : explain::Ink::blocks;
}

std::string answer(const MechanismsCall& o) {
  if (o.name.empty()) return o.json ? explain::mechanism_table_json(o.language) : explain::mechanism_table(o.language);
  const attention::Mechanism& row = attention::mechanism(o.name);
  return o.json ? explain::mechanism_json(row, o.language) : explain::mechanism_text(row, o.language, ink());
}

}  // namespace

void add_mechanisms(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("mechanisms", "what each attention mechanism is, does, costs");
  const auto options = std::make_shared<MechanismsCall>();
  verb->add_option("NAME", options->name, "one of them: formula, numbers, picture, cost, traps, code");
  verb->add_flag("--json", options->json, "JSON, every digit");
  const std::map<std::string, explain::Language> languages = {{"en", explain::Language::english},
                                                              {"zh", explain::Language::chinese}};
  verb->add_option("--lang", options->language, "en or zh")->transform(CLI::Transformer(languages));
  verb->add_option("--write", options->folder, "write all pages, in both languages, as Markdown into this folder")
      ->check(CLI::ExistingDirectory);
  verb->callback([options] {
    if (options->folder.empty())
      fmt::print("{}", answer(*options));
    else
      explain::write_mechanism_pages(options->folder);
  });
}

}  // namespace heed::cli
