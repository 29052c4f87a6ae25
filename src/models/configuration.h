// A configuration names its fields once: visit calls field(name, value, help) for each. From it follow the fields as
// text, config.json, the command line's options and their help.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <heed/models.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"

namespace heed {

// An enumeration that a configuration holds: names_of(Choice{}) gives its values by name.
template <class Value>
concept Choice = std::is_enum_v<Value>;

// Numbers that a configuration holds within bounds.
struct Count {  // 1 or more
  int64_t value;
  constexpr Count(int64_t value) : value(value) {}
  constexpr operator int64_t() const { return value; }
};
struct Amount {  // 0 or more
  int64_t value;
  constexpr Amount(int64_t value) : value(value) {}
  constexpr operator int64_t() const { return value; }
  constexpr int64_t or_else(int64_t usual) const { return value > 0 ? value : usual; }
};
struct Share {  // at least 0, less than 1
  double value;
  constexpr Share(double value) : value(value) {}
  constexpr operator double() const { return value; }
};
struct Strength {  // 0 or more
  double value;
  constexpr Strength(double value) : value(value) {}
  constexpr operator double() const { return value; }
};

inline std::string field_text(const std::string& value) { return value; }
inline std::string field_text(bool value) { return value ? "true" : "false"; }
inline std::string field_text(int64_t value) { return fmt::format("{}", value); }
inline std::string field_text(double value) { return fmt::format("{}", value); }
inline std::string field_text(Count value) { return field_text(value.value); }
inline std::string field_text(Amount value) { return field_text(value.value); }
inline std::string field_text(Share value) { return field_text(value.value); }
inline std::string field_text(Strength value) { return field_text(value.value); }
template <Choice Value>
std::string field_text(Value value) {
  for (const auto& [name, each] : names_of(value))
    if (each == value) return name;
  return "";
}

void read_field(const std::string& name, const std::string& text, std::string& value);
void read_field(const std::string& name, const std::string& text, bool& value);
void read_field(const std::string& name, const std::string& text, int64_t& value);
void read_field(const std::string& name, const std::string& text, double& value);
void read_field(const std::string& name, const std::string& text, Count& value);
void read_field(const std::string& name, const std::string& text, Amount& value);
void read_field(const std::string& name, const std::string& text, Share& value);
void read_field(const std::string& name, const std::string& text, Strength& value);
[[noreturn]] void refuse_choice(const std::string& name, const std::string& text, const std::vector<std::string>& all);
template <Choice Value>
void read_field(const std::string& name, const std::string& text, Value& value) {
  std::vector<std::string> all;
  for (const auto& [of, each] : names_of(value)) {
    if (text == of) return void(value = each);
    all.push_back(of);
  }
  refuse_choice(name, text, all);
}

// Several of them, with commas between; or none.
template <Choice Value>
std::string field_text(const std::vector<Value>& values) {
  std::vector<std::string> texts;
  for (const Value value : values) texts.push_back(field_text(value));
  return fmt::format("{}", fmt::join(texts, ","));
}
template <Choice Value>
void read_field(const std::string& name, const std::string& text, std::vector<Value>& values) {
  values.clear();
  for (size_t begin = 0, end; !text.empty() && begin <= text.size(); begin = end + 1) {
    end = std::min(text.find(',', begin), text.size());
    read_field(name, text.substr(begin, end - begin), values.emplace_back());
  }
}

template <class Config>
std::map<std::string, std::string> field_texts(const Config& config) {
  std::map<std::string, std::string> texts;
  const_cast<Config&>(config).visit(
      [&](const char* name, const auto& value, const char*) { texts[name] = field_text(value); });
  return texts;
}

// What a configuration has to choose, with its defaults.
template <class Config>
std::vector<ModelField> fields_of() {
  std::vector<ModelField> fields;
  Config config;
  config.visit([&](const char* name, const auto& value, const char* help) {
    fields.push_back({name, field_text(value), help});
  });
  return fields;
}

template <class... Configs>
std::vector<ModelField> all_fields_of() {
  std::vector<ModelField> all;
  const auto add = [&](const std::vector<ModelField>& more) { all.insert(all.end(), more.begin(), more.end()); };
  (add(fields_of<Configs>()), ...);
  return all;
}

// Error naming a field that the configuration of `who` does not have.
void check_known(const std::string& who, const std::string& field, const std::vector<std::string>& known);

// A field whose default lies outside of its bounds has to be given.
template <class Config>
Config configured(const std::string& who, const std::map<std::string, std::string>& fields) {
  Config config;
  std::vector<std::string> known;
  config.visit([&](const char* name, auto& value, const char*) {
    known.emplace_back(name);
    if (const auto given = fields.find(name); given != fields.end()) read_field(name, given->second, value);
  });
  for (const auto& [name, text] : fields) check_known(who, name, known);
  config.visit([](const char* name, auto& value, const char*) { read_field(name, field_text(value), value); });
  return config;
}

}  // namespace heed
