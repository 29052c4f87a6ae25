#include "text/object.h"

#include <cmath>

#include "text/characters.h"

namespace heed::tokenize {

Json parse_json(std::string_view text, const std::string& where) {
  constexpr int kDeepest = 32;
  const auto limit = [&](int depth, Json::parse_event_t, Json&) {
    check_format(depth <= kDeepest, where, "nested deeper than {} levels", kDeepest);
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), limit);
  } catch (const Json::parse_error& error) {
    fail(ErrorKind::format, where, "not JSON at byte {}: {}", error.byte, printable(error.what()));
  } catch (const Json::exception& error) {  // a number that no double holds
    fail(ErrorKind::format, where, "{}", printable(error.what()));
  }
}

Object::Object(const Json& value, std::string where) : value_(&value), where_(std::move(where)) {
  require(value.is_object(), "is {}, wanted an object", value.type_name());
}

bool Object::has(const char* key) const {
  const auto found = value_->find(key);
  return found != value_->end() && !found->is_null();
}

const Json& Object::at(const char* key) const {
  const auto found = value_->find(key);
  require(found != value_->end(), "'{}' is missing", key);
  return *found;
}

template <class Is>
const Json& Object::typed(const char* key, const char* wanted, const Is& is) const {
  const Json& value = at(key);
  require(is(value), "'{}' is {}, wanted {}", key, value.type_name(), wanted);
  return value;
}

std::string Object::text(const char* key) const {
  return typed(key, "text", [](const Json& value) { return value.is_string(); }).get<std::string>();
}
bool Object::flag(const char* key) const {
  return typed(key, "true or false", [](const Json& value) { return value.is_boolean(); }).get<bool>();
}
double Object::number(const char* key) const {
  return typed(key, "a number", [](const Json& value) { return value.is_number(); }).get<double>();
}
const Json& Object::list(const char* key) const {
  return typed(key, "a list", [](const Json& value) { return value.is_array(); });
}
const Json& Object::map(const char* key) const {
  return typed(key, "an object", [](const Json& value) { return value.is_object(); });
}
Object Object::object(const char* key) const { return {at(key), place_of(key)}; }

int64_t Object::integer(const char* key, int64_t least, int64_t most) const {
  const Json& value = typed(key, "an integer", [](const Json& at) { return at.is_number_integer(); });
  const bool fits = !value.is_number_unsigned() || value.get<uint64_t>() <= INT64_MAX;
  const int64_t got = fits ? value.get<int64_t>() : INT64_MAX;
  require(fits && got >= least && got <= most, "'{}' is {}, wanted {} to {}", key, value.dump(), least, most);
  return got;
}

uint32_t Object::character(const char* key) const {
  const std::string value = text(key);
  require(!value.empty() && character_at(value, 0).bytes == value.size(), "'{}' is '{}', wanted one character", key,
          shortened(printable(value), 40));
  return character_at(value, 0).code;
}

}  // namespace heed::tokenize
