#include "cli/config_file.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <fstream>
#include <sstream>

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

// As the option would have it on the command line; none of dates, lists and tables.
std::optional<std::string> text_of(const toml::node& value) {
  if (const auto* text = value.as_string()) return text->get();
  if (const auto* truth = value.as_boolean()) return truth->get() ? "true" : "false";
  if (const auto* whole = value.as_integer()) return fmt::format("{}", whole->get());
  if (const auto* number = value.as_floating_point()) return fmt::format("{}", number->get());
  return {};
}

// Numbers and truth values stand bare, where they are read as they were written.
bool is_bare(const std::string& text) {
  try {
    const toml::table table = toml::parse("x = " + text);
    const toml::node* value = table.get("x");
    return table.size() == 1 && !value->is_string() && text_of(*value) == text;
  } catch (const toml::parse_error&) {
    return false;
  }
}

std::string value_text(const std::string& text) {
  if (is_bare(text)) return text;
  std::ostringstream quoted;
  quoted << toml::value<std::string>(text);
  return quoted.str();
}

toml::table parsed(const std::string& path) {
  std::ifstream in(path);
  check_system(in.good(), path, "cannot be opened");
  try {
    return toml::parse(in);
  } catch (const toml::parse_error& error) {
    fail(ErrorKind::data, path, "line {}: {}", error.source().begin.line, printable(std::string(error.description())));
  }
}

}  // namespace

void read_config(const std::string& path, const std::vector<ModelField>& fields,
                 std::map<std::string, std::string>& given) {
  const std::vector<std::string> known = names_in(fields);
  std::map<std::string, std::string> read;
  for (const auto& [key, value] : parsed(path)) {
    std::string name(key.str());
    std::replace(name.begin(), name.end(), '-', '_');
    check(std::find(known.begin(), known.end(), name) != known.end(), path, "there is no option {}; the nearest is {}",
          printable(std::string(key.str())), nearest(name, known));
    const std::optional<std::string> text = text_of(value);
    check(text.has_value(), path, "line {}: the option {} wants a number, a truth value or a text",
          value.source().begin.line, name);
    check(read.emplace(name, *text).second, path, "the option {} stands there twice", name);
  }
  given.merge(read);
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
