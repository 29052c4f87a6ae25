// An object of a tokenizer's JSON: fields taken by name and type, and errors that say where it stands.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "tensor/unicode.h"

namespace heed::tokenize {

using Json = nlohmann::json;

// The JSON of a whole file, of limited depth.
Json parse_json(std::string_view text, const std::string& where);

class Object {
 public:
  Object(const Json& value, std::string where);  // Error(format) where the value is no object

  const std::string& where() const { return where_; }
  const Json& json() const { return *value_; }
  bool has(const char* key) const;  // and is not null
  std::string type() const { return text("type"); }
  std::string text(const char* key) const;
  std::string text(const char* key, const std::string& otherwise) const { return has(key) ? text(key) : otherwise; }
  bool flag(const char* key) const;
  bool flag(const char* key, bool otherwise) const { return has(key) ? flag(key) : otherwise; }
  int64_t integer(const char* key, int64_t least, int64_t most) const;
  double number(const char* key) const;
  uint32_t character(const char* key) const;  // a text of one character
  Object object(const char* key) const;
  const Json& list(const char* key) const;
  const Json& map(const char* key) const;
  // The objects of a list.
  template <class Body>
  void each(const char* key, const Body& body) const {
    size_t i = 0;
    for (const Json& value : list(key)) body(Object(value, fmt::format("{}.{}[{}]", where_, key, i++)));
  }
  template <class... Args>
  void require(bool ok, fmt::format_string<Args...> format, Args&&... args) const {
    check_format(ok, where_, format, std::forward<Args>(args)...);
  }
  std::string place_of(const char* key) const { return where_ + "." + key; }

 private:
  const Json& at(const char* key) const;
  template <class Is>
  const Json& typed(const char* key, const char* wanted, const Is& is) const;

  const Json* value_;
  std::string where_;
};

// A row of a table of steps: the type as the file names it, and who makes it.
template <class Step>
struct Maker {
  std::string_view type;
  std::unique_ptr<Step> (*make)(const Object&);
};
// The step of a table that the object's type names; Error(format) that lists the table where there is none.
template <class Step, size_t N>
std::unique_ptr<Step> make_step(const Maker<Step> (&table)[N], std::string_view what, const Object& object) {
  const std::string type = object.type();
  std::string known;
  for (const Maker<Step>& row : table) {
    if (row.type == type) {
      auto step = row.make(object);
      for (const auto& [key, value] : object.json().items())
        if (key != "vocab" && key != "merges") step->settings[key] = value;  // models write these from their tables
      return step;
    }
    known += known.empty() ? "" : ", ";
    known += row.type;
  }
  fail(ErrorKind::format, object.where(), "the {} '{}' is not supported; supported are {}", what,
       shortened(printable(type), 40), known);
}

}  // namespace heed::tokenize
