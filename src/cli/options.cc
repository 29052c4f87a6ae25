// heed options: every option of every verb, and which of them each model has, as the page docs/options.md.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/verbs.h"
#include "tasks/training_run.h"

namespace heed::cli {
namespace {

// What a cell of a table may hold.
std::string cell(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '|' ? "\\|" : c == '\n' ? "<br>" : std::string(1, c);
  return safe;
}

std::string row(const CLI::Option& option) {
  const std::string value = option.get_default_str();
  return fmt::format("| `{}` | {} | {} |\n", option.get_name(false, true),
                     value.empty() ? "" : fmt::format("`{}`", value), cell(option.get_description()));
}

std::string table(const CLI::App& verb) {
  std::string rows;
  for (const CLI::Option* option : verb.get_options())
    if (option != verb.get_help_ptr()) rows += row(*option);
  return rows.empty() ? "" : "| option | default | what |\n|---|---|---|\n" + rows + "\n";
}

std::string section(const CLI::App& verb, const std::string& name) {
  std::string text = fmt::format("## {}\n\n{}\n\n{}", name, verb.get_description(), table(verb));
  for (const CLI::App* below : verb.get_subcommands(nullptr)) text += section(*below, name + " " + below->get_name());
  return text;
}

std::string of_model(const ModelInfo& model) {
  std::vector<std::string> fields;
  for (const ModelField& field : model.fields) fields.push_back(fmt::format("`{} {}`", field.name, field.value));
  return fmt::format("| `{}` | {} |\n", model.name, fmt::join(fields, ", "));
}

std::string models() {
  std::string rows;
  for (const TaskRow& task : tasks())
    for (const ModelInfo& model : task.models()) rows += of_model(model);
  return "## What each model has\n\nWith the default of that model, where the size of the data suggests no other.\n\n"
         "| model | options |\n|---|---|\n" +
         rows;
}

std::string page(const CLI::App& program) {
  std::string text =
      "# All options\n\nWhat `heed options` prints. Those of `train`, `predict`, `eval` and `compare` have a twin in "
      "the "
      "environment (`--batch-tokens`: `HEED_BATCH_TOKENS`); those of `train` may stand in a file (`--config run.toml`, "
      "with `batch_tokens = 4096`).\nThe command line goes before both. A switch that is on is turned off by "
      "`--tied=false`.\n\n";
  for (const CLI::App* verb : program.get_subcommands(nullptr)) text += section(*verb, "heed " + verb->get_name());
  return text + models();
}

}  // namespace

void add_options(CLI::App& app) {
  app.add_subcommand("options", "all options of all verbs, as a page of Markdown")->callback([&app] {
    fmt::print("{}", page(app));
  });
}

}  // namespace heed::cli
