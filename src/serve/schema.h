// Schemas of answers, in the words of JSON Schema.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace heed::serve::schema {

using Json = nlohmann::json;

inline Json string() { return {{"type", "string"}}; }
inline Json number() { return {{"type", "number"}}; }
inline Json integer() { return {{"type", "integer"}}; }
inline Json boolean() { return {{"type", "boolean"}}; }
inline Json array(const Json& of) { return {{"type", "array"}, {"items", of}}; }
inline Json or_null(Json schema) {
  schema["type"] = Json::array({schema["type"], "null"});
  return schema;
}
// All fields are there, unless they are named in `may`.
inline Json object(const std::vector<std::pair<const char*, Json>>& fields,
                   const std::vector<std::pair<const char*, Json>>& may = {}) {
  Json schema = {{"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}};
  for (const auto& [name, field] : fields) schema["properties"][name] = field, schema["required"].push_back(name);
  for (const auto& [name, field] : may) schema["properties"][name] = field;
  return schema;
}

}  // namespace heed::serve::schema
