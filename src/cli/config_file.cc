#include "cli/config_file.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>

#include "base/check.h"
#include "cli/usage.h"
#include "tensor/unicode.h"

namespace heed::cli {
namespace {

std::vector<std::string> names_in(const std::vector<ModelField>& fields) {
  std::vector<std::string> names;
  for (const ModelField& field : fields) names.push_back(field.name);
  return names;
}

bool is_bare(const std::string& text) {  // a number or a truth value
  char* end = nullptr;
  std::strtod(text.c_str(), &end);
  return text == "true" || text == "false" || (!text.empty() && *end == '\0');
}

std::string value_text(const std::string& text) {
  if (is_bare(text)) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

void read_config(const std::string& path, const std::vector<ModelField>& fields,
                 std::map<std::string, std::string>& given) {
  std::ifstream in(path);
  check_system(in.good(), path, "cannot be opened");
  const std::vector<std::string> known = names_in(fields);
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(in)) {
    std::string name = item.name;
    std::replace(name.begin(), name.end(), '-', '_');
    const bool knows = std::find(known.begin(), known.end(), name) != known.end();
    check(item.parents.empty() && knows, path, "there is no option {}; the nearest is {}", printable(item.fullname()),
          nearest(name, known));
    check(item.inputs.size() == 1, path, "the option {} has {} values, wanted one", name, item.inputs.size());
    given.emplace(name, item.inputs[0]);
  }
}

std::string config_text(const std::vector<ModelField>& fields, const std::map<std::string, std::string>& given) {
  std::string text;
  for (const ModelField& field : fields) {
    const auto at = given.find(field.name);
    if (at != given.end())
      text += fmt::format("{} = {}\n", field.name, value_text(at->second));
    else
      text += fmt::format("# {} = {}    {}\n", field.name, value_text(field.value), field.help);
  }
  return text;
}

}  // namespace heed::cli
