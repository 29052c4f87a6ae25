#include "serve/body.h"

#include <fmt/ranges.h>

#include <cmath>

#include "models/field_values.h"

namespace heed::serve {
namespace {

constexpr int kDeepest = 16;

Json described(Json schema, const Rule& rule) {
  schema["description"] = rule.help;
  if (std::isfinite(rule.least)) schema["minimum"] = rule.least;
  if (std::isfinite(rule.most)) schema["maximum"] = rule.most;
  return schema;
}

double number_in(const std::string& name, const Json& json, const Rule& rule) {
  check_format(json.is_number(), name, "is {}, wanted a number", json.type_name());
  const double value = json.get<double>();
  check_format(value >= rule.least, name, "is {}, wanted {} or more", value, rule.least);
  check_format(value <= rule.most, name, "is {}, wanted {} or less", value, rule.most);
  return value;
}

void take_text(const std::string& name, const Json& json, std::vector<std::string>& into) {
  check_format(json.is_string(), name, "holds {}, wanted texts", json.type_name());
  into.push_back(json.get<std::string>());
}

}  // namespace

Json parse_body(const std::string& body) {
  const auto bounded = [](int depth, Json::parse_event_t, Json&) {
    check_format(depth < kDeepest, "the body", "is nested deeper than {} levels", kDeepest);
    return true;
  };
  try {
    return Json::parse(body, bounded);
  } catch (const Json::parse_error& error) {
    fail(ErrorKind::format, "the body", "is no JSON in UTF-8: it breaks at byte {}", error.byte);
  } catch (const Json::exception&) {
    fail(ErrorKind::format, "the body", "holds a number beyond all that a double can be");
  }
}

void refuse_field(const std::string& name, const std::vector<std::string>& known) {
  constexpr size_t kShown = 40;
  fail(ErrorKind::format, "the body", "has a field '{}', which is not known here; there are {}",
       name.size() > kShown ? "…" : name, fmt::join(known, ", "));
}

void read_value(const std::string& name, const Json& json, const Rule&, std::string& value) {
  check_format(json.is_string(), name, "is {}, wanted a string", json.type_name());
  value = json.get<std::string>();
}
void read_value(const std::string& name, const Json& json, const Rule&, bool& value) {
  check_format(json.is_boolean(), name, "is {}, wanted true or false", json.type_name());
  value = json.get<bool>();
}
void read_value(const std::string& name, const Json& json, const Rule& rule, int64_t& value) {
  const double given = number_in(name, json, rule);
  check_format(std::floor(given) == given && std::abs(given) < 9e15, name, "is {}, wanted a whole number", given);
  value = json.is_number_integer() ? json.get<int64_t>() : static_cast<int64_t>(given);
}
void read_value(const std::string& name, const Json& json, const Rule& rule, double& value) {
  value = number_in(name, json, rule);
}
void read_value(const std::string& name, const Json& json, const Rule&, Texts& value) {
  value.several = json.is_array();
  check_format(json.is_string() || value.several, name, "is {}, wanted a text or an array of them", json.type_name());
  if (!value.several) return take_text(name, json, value.all);
  check_format(!json.empty() && json.size() <= kMostTexts, name, "holds {} texts, wanted 1 to {}", json.size(),
               kMostTexts);
  for (const Json& each : json) take_text(name, each, value.all);
}
void read_value(const std::string& name, const Json& json, const Rule&, Options& value) {
  check_format(json.is_object(), name, "is {}, wanted an object", json.type_name());
  for (const auto& [option, given] : json.items()) {
    check_format(given.is_string() || given.is_number() || given.is_boolean(), name,
                 "holds {}, wanted strings, numbers, true and false", given.type_name());
    value[option] = value_text(given);
  }
}

Json schema_of(const Rule& rule, const std::string&) { return described({{"type", "string"}}, rule); }
Json schema_of(const Rule& rule, bool) { return described({{"type", "boolean"}}, rule); }
Json schema_of(const Rule& rule, int64_t) { return described({{"type", "integer"}}, rule); }
Json schema_of(const Rule& rule, double) { return described({{"type", "number"}}, rule); }
Json schema_of(const Rule& rule, const Texts&) {
  const Json text = {{"type", "string"}};
  const Json several = {{"type", "array"}, {"items", text}, {"minItems", 1}, {"maxItems", kMostTexts}};
  return described({{"anyOf", Json::array({text, several})}}, rule);
}
Json schema_of(const Rule& rule, const Options&) {
  return described(
      {{"type", "object"}, {"additionalProperties", {{"type", Json::array({"string", "number", "boolean"})}}}}, rule);
}

}  // namespace heed::serve
