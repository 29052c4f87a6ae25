#include "cli/usage.h"

#include <fmt/format.h>
#include <heed/base.h>

#include <algorithm>

#include "base/nearest.h"
#include "base/runtime.h"

namespace heed::cli {
namespace {

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands(nullptr)) names.push_back(verb->get_name());
  return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::string unknown(const char* what, const std::string& word, const std::vector<std::string>& candidates) {
  const std::string meant = nearest(word, candidates);
  return fmt::format("no {} '{}'{}", what, word, meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant));
}

class ExamplesFirst : public CLI::Formatter {
 public:
  explicit ExamplesFirst(std::string examples) : examples_(std::move(examples)) {}
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    return examples_ + CLI::Formatter::make_help(app, std::move(name), mode);
  }

 private:
  std::string examples_;
};

}  // namespace

void examples_first(CLI::App& verb, const std::string& examples) {
  verb.formatter(std::make_shared<ExamplesFirst>(examples));
}

const char* const kExamples =
    "Examples:\n"
    "  heed mechanisms                    every attention mechanism, a few lines each\n"
    "  heed mechanisms alibi --lang zh    one of them: formula, worked numbers, picture, cost, traps, code\n"
    "  heed attend alibi in.safetensors -o out.safetensors\n"
    "                                     a mechanism on the tensors q, k, v of a file\n"
    "  heed explain runs/dates '3 May 2004'   where it looked, what mattered, what that proves\n"
    "  heed convert runs/lm -o folder     a trained model as Hugging Face's transformers reads it, and back\n"
    "  heed plot runs/first -o loss.svg   how a training went, in the terminal or as a picture\n"
    "  heed data dates -o dates.tsv       made data to try a model on: written dates and what they mean\n"
    "  heed view weights.safetensors --tokens tokens.json -o page.html\n"
    "                                     attention that any program saved, as a page to look at\n"
    "  heed bench attention               attention beside the limits of this machine\n"
    "  heed bench ops                     how close each kernel and op comes to the limits of this machine\n"
    "  heed bench ops --filter softmax    only the cases with this in their name\n"
    "  heed --version                     heed, the libraries below it, instruction set and threads\n"
    "\n"
    "heed: attention in C++. Each verb explains itself: heed VERB --help\n";

std::string version_text() {
  std::string text = fmt::format("heed {}\n", version());
  for (const LibraryVersion& library : libraries()) text += fmt::format("{:<16}{}\n", library.name, library.version);
  return text + fmt::format("{:<16}{}\n{:<16}{}\n{:<16}{}", "instruction set", instruction_set(), "compiled for",
                            compiled_for(), "threads", threads());
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t least = std::max<size_t>(2, word.size() / 2);  // further away is another word
  for (const std::string& candidate : candidates) {
    const size_t away = candidate.rfind(word, 0) == 0 ? 1 : edit_distance(word, candidate);
    if (away < least || (away == least && best.empty())) {
      least = away;
      best = candidate;
    }
  }
  return best;
}

std::string explain(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const CLI::App* at = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("--", 0) == 0) {
      const std::string name = word.substr(0, word.find('='));
      if (!at->get_option_no_throw(name)) return unknown("option", name, options_of(*at));
    } else if (const std::vector<std::string> verbs = verbs_of(*at); !verbs.empty()) {
      if (std::find(verbs.begin(), verbs.end(), word) == verbs.end()) return unknown("verb", word, verbs);
      at = at->get_subcommand(word);
    }
  }
  return error.what();
}

}  // namespace heed::cli
