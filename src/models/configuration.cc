#include "models/configuration.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/nearest.h"

namespace heed {
namespace {

template <class Number>
void read_number(const std::string& name, const std::string& text, const char* wanted, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc() && end == text.data() + text.size(), name, "got '{}', wanted {}", text, wanted);
}

}  // namespace

void read_field(const std::string&, const std::string& text, std::string& value) { value = text; }
void read_field(const std::string& name, const std::string& text, bool& value) {
  check(text == "true" || text == "false", name, "got '{}', wanted true or false", text);
  value = text == "true";
}
void read_field(const std::string& name, const std::string& text, int64_t& value) {
  read_number(name, text, "a whole number", value);
}
void read_field(const std::string& name, const std::string& text, double& value) {
  read_number(name, text, "a number", value);
  check(std::isfinite(value), name, "got '{}', wanted a finite number", text);
}
void read_field(const std::string& name, const std::string& text, Count& value) {
  read_field(name, text, value.value);
  check(value >= 1, name, "got {}, wanted 1 or more", text);
}
void read_field(const std::string& name, const std::string& text, Amount& value) {
  read_field(name, text, value.value);
  check(value >= 0, name, "got {}, wanted 0 or more", text);
}
void read_field(const std::string& name, const std::string& text, Share& value) {
  read_field(name, text, value.value);
  check(value >= 0 && value < 1, name, "got {}, wanted at least 0 and less than 1", text);
}
void read_field(const std::string& name, const std::string& text, Strength& value) {
  read_field(name, text, value.value);
  check(value >= 0, name, "got {}, wanted 0 or more", text);
}

void refuse_choice(const std::string& name, const std::string& text, const std::vector<std::string>& all) {
  fail(ErrorKind::usage, name, "got '{}', wanted {}; the nearest is {}", text, fmt::join(all, ", "),
       nearest(text, all));
}

void check_known(const std::string& who, const std::string& field, const std::vector<std::string>& known) {
  check(std::find(known.begin(), known.end(), field) != known.end(), who, "it has no option {}; it has {}", field,
        fmt::join(known, ", "));
}

}  // namespace heed
