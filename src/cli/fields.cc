#include "cli/fields.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace heed::cli {
namespace {

std::string dashed(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}
std::string environment(std::string name) {
  for (char& c : name) c = static_cast<char>(std::toupper(c));
  return "HEED_" + name;
}

void add_field(CLI::App& verb, std::map<std::string, std::string>& given, const ModelField& field,
               const std::string& group) {
  const std::string name = "--" + dashed(field.name);
  const auto take = [&given, field = field.name](const std::string& text) { given[field] = text; };
  CLI::Option* option = field.value == "true" || field.value == "false"
                            ? verb.add_flag_function(
                                  name, [take](int64_t count) { take(count > 0 ? "true" : "false"); }, field.help)
                            : verb.add_option_function<std::string>(name, take, field.help)->default_str(field.value);
  option->envname(environment(field.name))->group(group);
}

}  // namespace

void add_fields(CLI::App& verb, std::map<std::string, std::string>& given, const std::vector<ModelField>& fields,
                const std::string& group) {
  for (const ModelField& field : fields) add_field(verb, given, field, group);
}

void add_fields_of_tasks(CLI::App& verb, std::map<std::string, std::string>& given,
                         std::vector<ModelField> (*TaskRow::*of)()) {
  std::vector<ModelField> all;
  std::map<std::string, std::vector<std::string>> whose;
  for (const TaskRow& task : tasks())
    for (const ModelField& field : (task.*of)()) {
      if (whose[field.name].empty()) all.push_back(field);
      whose[field.name].emplace_back(task.name);
    }
  for (const ModelField& field : all) {
    const bool every = whose[field.name].size() == tasks().size();
    add_field(verb, given, field, every ? "Every run" : fmt::format("Runs of {}", fmt::join(whose[field.name], ", ")));
  }
}

}  // namespace heed::cli
