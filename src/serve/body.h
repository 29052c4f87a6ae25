// The body of a request: strict JSON into a struct that names its fields once. From the same names follow the sentences
// that refuse it and the schema in /openapi.json.
//
//   struct Ask {
//     std::string text;
//     std::optional<int64_t> seed;
//     void visit(auto&& field) {
//       field("text", text, Rule{"what to translate"}.must());
//       field("seed", seed, Rule{"of samples"}.within(0, 1e9));
//     }
//   };
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "models/configuration.h"

namespace heed::serve {

using Json = nlohmann::json;

// Whole JSON, no deeper than any request needs, in UTF-8, without numbers that a double does not hold. Error(format)
// saying what is wrong; never the text itself.
Json parse_body(const std::string& body);

struct Rule {
  const char* help;
  bool wanted = false;
  double least = -std::numeric_limits<double>::infinity(), most = std::numeric_limits<double>::infinity();

  Rule must() const { return {help, true, least, most}; }
  Rule within(double from, double to) const { return {help, wanted, from, to}; }
};

// One text or several.
struct Texts {
  std::vector<std::string> all;
  bool several = false;
};
// Values by the names of fields of a configuration: {"beam": 4}.
using Options = std::map<std::string, std::string>;

constexpr size_t kMostTexts = 1024;

void read_value(const std::string& name, const Json& json, const Rule& rule, std::string& value);
void read_value(const std::string& name, const Json& json, const Rule& rule, bool& value);
void read_value(const std::string& name, const Json& json, const Rule& rule, int64_t& value);
void read_value(const std::string& name, const Json& json, const Rule& rule, double& value);
void read_value(const std::string& name, const Json& json, const Rule& rule, Texts& value);
void read_value(const std::string& name, const Json& json, const Rule& rule, Options& value);

Json schema_of(const Rule& rule, const std::string&);
Json schema_of(const Rule& rule, bool);
Json schema_of(const Rule& rule, int64_t);
Json schema_of(const Rule& rule, double);
Json schema_of(const Rule& rule, const Texts&);
Json schema_of(const Rule& rule, const Options&);

// A choice among names, as a configuration has them.
template <Choice Value>
void read_value(const std::string& name, const Json& json, const Rule& rule, Value& value) {
  std::string text;
  read_value(name, json, rule, text);
  read_field(name, text, value);
}
template <Choice Value>
Json schema_of(const Rule& rule, Value) {
  Json schema = schema_of(rule, std::string());
  for (const auto& [name, choice] : names_of(Value{})) schema["enum"].push_back(name);
  return schema;
}

// Several of them: one alone, or an array.
template <Choice Value>
void read_value(const std::string& name, const Json& json, const Rule& rule, std::vector<Value>& values) {
  values.clear();
  if (!json.is_array()) return read_value(name, json, rule, values.emplace_back());
  check_format(json.size() <= names_of(Value{}).size(), name, "has {} names, wanted {} or less", json.size(),
               names_of(Value{}).size());
  for (const Json& each : json) read_value(name, each, rule, values.emplace_back());
}
template <Choice Value>
Json schema_of(const Rule& rule, const std::vector<Value>&) {
  const Json one = schema_of(rule, Value{});
  const Json several = {{"type", "array"}, {"items", one}, {"maxItems", names_of(Value{}).size()}};
  return {{"anyOf", Json::array({one, several})}, {"description", rule.help}};
}

[[noreturn]] void refuse_field(const std::string& name, const std::vector<std::string>& known);

template <class Body>
concept Described = requires(Body& body) {
  body.visit([](const char*, auto&, const Rule&) {});
};

// null is what was left out.
template <class Value>
void read_value(const std::string& name, const Json& json, const Rule& rule, std::optional<Value>& value) {
  if (!json.is_null()) read_value(name, json, rule, value.emplace());
}
template <Described Body>
Json schema_of();
template <class Value>
Json schema_of(const Rule& rule, const std::optional<Value>&) {
  Json schema = schema_of(rule, Value{});
  if (schema.contains("type")) schema["type"] = Json::array({schema["type"], "null"});
  if (schema.contains("anyOf")) schema["anyOf"].push_back({{"type", "null"}});
  return schema;
}

template <Described Body>
void read_object(const std::string& where, const Json& json, Body& body) {
  check_format(json.is_object(), where, "is {}, wanted an object", json.type_name());
  std::vector<std::string> known;
  body.visit([&](const char* name, auto& value, const Rule& rule) {
    known.emplace_back(name);
    if (const auto at = json.find(name); at != json.end()) return read_value(name, *at, rule, value);
    check_format(!rule.wanted, name, "is missing: {}", rule.help);
  });
  for (const auto& [name, value] : json.items())
    if (std::find(known.begin(), known.end(), name) == known.end()) refuse_field(name, known);
}

// Objects within: one, or an array of them.
template <Described Body>
void read_value(const std::string& name, const Json& json, const Rule&, Body& value) {
  read_object(name, json, value);
}
template <Described Body>
Json schema_of(const Rule& rule, const Body&) {
  Json schema = schema_of<Body>();
  schema["description"] = rule.help;
  return schema;
}
template <Described Body>
void read_value(const std::string& name, const Json& json, const Rule&, std::vector<Body>& value) {
  check_format(json.is_array() && !json.empty() && json.size() <= kMostTexts, name,
               "is {}, wanted an array of 1 to {} objects", json.type_name(), kMostTexts);
  for (const Json& each : json) read_object(name, each, value.emplace_back());
}
template <Described Body>
Json schema_of(const Rule& rule, const std::vector<Body>&) {
  return {{"type", "array"},
          {"minItems", 1},
          {"maxItems", kMostTexts},
          {"items", schema_of<Body>()},
          {"description", rule.help}};
}

template <Described Body>
Json schema_of() {
  Json schema = {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
  Body body;
  body.visit([&](const char* name, auto& value, const Rule& rule) {
    schema["properties"][name] = schema_of(rule, value);
    if (rule.wanted) schema["required"].push_back(name);
  });
  return schema;
}

template <Described Body>
Body read_body(const std::string& text) {
  Body body;
  read_object("the body", parse_body(text), body);
  return body;
}

}  // namespace heed::serve
