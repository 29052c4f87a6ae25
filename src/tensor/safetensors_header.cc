#include "tensor/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/check.h"
#include "tensor/unicode.h"

namespace heed::safetensors {
namespace {

constexpr int kDeepest = 16;  // of values under keys that the format does not know, which are passed over

// What the JSON reader meets, a call each. Nothing is built but the header itself.
class Events {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = std::string;
  using binary_t = nlohmann::json::binary_t;

  Events(std::string_view where, Header* header) : where_(where), header_(*header) {}

  bool null() { return scalar("null"); }
  bool boolean(bool) { return scalar("true or false"); }
  bool number_integer(number_integer_t value) { return scalar(fmt::format("the negative number {}", value)); }
  bool number_float(number_float_t, const string_t& text) {
    return scalar(fmt::format("{}, which is no integer below 2^63", shortened(text, 40)));
  }
  bool number_unsigned(number_unsigned_t value) {
    const bool fits = value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (!fits || !in_list()) return scalar(fmt::format("the number {}", value));
    (level_ == Level::shape ? entry_.shape : offsets_).push_back(static_cast<int64_t>(value));
    return true;
  }
  bool string(string_t& text);
  bool binary(binary_t&) { return scalar("bytes"); }
  bool start_object(size_t);
  bool key(string_t& text);
  bool end_object();
  bool start_array(size_t);
  bool end_array();
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& error) {
    fail(ErrorKind::format, where_, "header: not JSON at byte {}: {}", position, printable(error.what()));
  }

 private:
  enum class Level { outside, top, metadata, entry, shape, offsets, unknown };

  bool in_list() const { return level_ == Level::shape || level_ == Level::offsets; }
  template <class... Args>
  void require(bool ok, fmt::format_string<Args...> text, Args&&... args) const {
    if (!ok) fail(ErrorKind::format, here(), text, std::forward<Args>(args)...);
  }
  std::string here() const { return name_.empty() ? std::string(where_) : place(where_, name_); }
  bool scalar(const std::string& what) { return misplaced(what); }
  // A value where the format has no such value, unless it is under a key that the format does not know.
  bool misplaced(std::string_view what);
  void enter_unknown();
  void finish_entry();

  std::string_view where_;
  Header& header_;
  Level level_ = Level::outside;
  int depth_ = 0;           // within an unknown value
  std::string name_, key_;  // of the tensor, of its field
  Entry entry_ = {};
  std::vector<int64_t> offsets_;
  bool has_dtype_ = false, has_shape_ = false, has_offsets_ = false;
  std::unordered_set<std::string> names_, fields_;
};

bool Events::misplaced(std::string_view what) {
  switch (level_) {
    case Level::unknown:
      if (depth_ == 0) level_ = Level::entry;
      return true;
    case Level::metadata:
      fail(ErrorKind::format, where_, "__metadata__: '{}' is {}, wanted text", printable(key_), what);
    case Level::shape: fail(ErrorKind::format, here(), "shape: holds {}, wanted sizes of zero or more", what);
    case Level::offsets: fail(ErrorKind::format, here(), "data_offsets: holds {}, wanted two positions", what);
    case Level::entry: fail(ErrorKind::format, here(), "{}: is {}", key_, what);
    default: fail(ErrorKind::format, here(), "header: {} stands where an object must", what);
  }
}

bool Events::string(string_t& text) {
  if (level_ == Level::metadata) {
    header_.metadata.emplace(key_, std::move(text));
    return true;
  }
  if (level_ != Level::entry || key_ != "dtype") return misplaced("text");
  const std::optional<Encoding> encoding = encoding_named(text);
  require(encoding.has_value(), "unknown dtype: '{}'", shortened(printable(text), 40));
  entry_.encoding = *encoding, entry_.dtype = std::move(text), has_dtype_ = true;
  return true;
}

void Events::enter_unknown() { require(++depth_ <= kDeepest, "header: nested deeper than {} levels", kDeepest); }

bool Events::start_object(size_t) {
  switch (level_) {
    case Level::outside: level_ = Level::top; return true;
    case Level::top:
      level_ = name_ == "__metadata__" ? Level::metadata : Level::entry;
      fields_.clear();
      entry_ = {}, offsets_.clear(), has_dtype_ = has_shape_ = has_offsets_ = false;
      return true;
    case Level::unknown: return enter_unknown(), true;
    default: return misplaced("an object");
  }
}

bool Events::key(string_t& text) {
  switch (level_) {
    case Level::top:
      name_ = text;
      require(names_.insert(std::move(text)).second, "duplicate: the name is in the header twice");
      return true;
    case Level::metadata:
      require(header_.metadata.count(text) == 0, "duplicate: '{}' is in __metadata__ twice", printable(text));
      key_ = std::move(text);
      return true;
    case Level::entry:
      require(fields_.insert(text).second, "duplicate: '{}' is given twice", printable(text));
      key_ = std::move(text);
      if (key_ != "dtype" && key_ != "shape" && key_ != "data_offsets") level_ = Level::unknown;
      return true;
    default: return true;
  }
}

bool Events::end_object() {
  switch (level_) {
    case Level::entry: finish_entry(); [[fallthrough]];
    case Level::metadata: level_ = Level::top, name_.clear(); return true;
    case Level::unknown:
      if (--depth_ == 0) level_ = Level::entry;
      return true;
    default: level_ = Level::outside; return true;
  }
}

bool Events::start_array(size_t) {
  if (level_ == Level::unknown) return enter_unknown(), true;
  if (level_ == Level::entry && key_ == "shape")
    level_ = Level::shape, has_shape_ = true;
  else if (level_ == Level::entry && key_ == "data_offsets")
    level_ = Level::offsets, has_offsets_ = true;
  else
    return misplaced("a list");
  return true;
}

bool Events::end_array() {
  if (level_ == Level::unknown && --depth_ > 0) return true;
  level_ = Level::entry;
  return true;
}

void Events::finish_entry() {
  require(has_dtype_, "missing: it has no dtype");
  require(has_shape_, "missing: it has no shape");
  require(has_offsets_ && offsets_.size() == 2, "data_offsets: {} positions, wanted two", offsets_.size());
  entry_.name = name_, entry_.begin = offsets_[0], entry_.end = offsets_[1];
  header_.entries.push_back(std::move(entry_));
}

}  // namespace

void parse_json(std::string_view json, std::string_view where, Header* header) {
  Events events(where, header);
  nlohmann::json::sax_parse(json.begin(), json.end(), &events);
}

// An object a time: one large ordered object would look for each name among all before it.
std::string to_json(const Header& header, std::string_view where) {
  using Json = nlohmann::ordered_json;
  std::string text;
  const auto add = [&](const std::string& name, const Json& value) {
    text += fmt::format("{}{}:{}", text.empty() ? "{" : ",", Json(name).dump(), value.dump());
  };
  try {
    if (!header.metadata.empty()) add("__metadata__", header.metadata);
    for (const Entry& entry : header.entries)
      add(entry.name, {{"dtype", entry.dtype}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}});
  } catch (const nlohmann::json::type_error&) {
    fail(ErrorKind::usage, where, "a name or the metadata is not UTF-8");
  }
  return text.empty() ? "{}" : text + "}";
}

}  // namespace heed::safetensors
