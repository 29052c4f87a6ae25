// Fields of a configuration as values of JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace heed {

// Numbers, truth values and objects are written as such.
inline nlohmann::json field_value(const std::string& text) {
  const nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
  return value.is_number() || value.is_boolean() || value.is_object() ? value : nlohmann::json(text);
}
inline std::string value_text(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace heed
