#include <heed/text.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/check.h"
#include "data/fields.h"
#include "data/lines.h"
#include "tensor/unicode.h"

namespace heed {

using data::Lines;
using data::LineState;
using Json = nlohmann::json;

// A format gives the fields of the next row, or what is wrong with it.
struct RowReader::Impl {
  struct Outcome {
    bool end = false, empty = false;
    std::string wrong = {};
  };
  Impl(const std::string& path, const RowOptions& row_options)
      : options(row_options), lines(path, row_options.longest) {}
  virtual ~Impl() = default;
  virtual Outcome read(std::vector<std::string>* fields) = 0;

  // The next line; what is wrong with it by itself.
  Outcome read_line(Lines& from, std::string* line) const {
    LineState state = LineState::good;
    if (!from.next(line, &state)) return {.end = true};
    if (state == LineState::too_long) return {.wrong = fmt::format("longer than {} bytes", options.longest)};
    if (state == LineState::no_utf8) return {.wrong = "is not UTF-8"};
    return {.empty = line->empty()};
  }

  // Which fields become the columns that are wanted.
  void choose(const std::vector<std::string>& names) {
    for (size_t i = 0; i < names.size(); ++i)
      if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
          names.begin() + static_cast<std::ptrdiff_t>(i))
        fail(ErrorKind::data, lines.path(), "two columns are named '{}'", shortened(printable(names[i]), 40));
    width = names.size(), columns = options.columns.empty() ? names : options.columns;
    for (const std::string& name : columns) {
      const auto found = std::find(names.begin(), names.end(), name);
      if (found == names.end())
        fail(ErrorKind::data, lines.path(), "has no column '{}'; it has {}", printable(name),
             shortened(printable(fmt::format("{}", fmt::join(names, ", "))), 200));
      chosen.push_back(static_cast<size_t>(found - names.begin()));
    }
  }
  // Takes the first row for the header, or counts its columns.
  void read_header() {
    std::vector<std::string> fields;
    Outcome outcome;
    do outcome = read(&fields);
    while (outcome.empty);
    if (outcome.end) fail(ErrorKind::data, lines.path(), "is empty, wanted at least a line");
    if (!outcome.wrong.empty()) fail(ErrorKind::data, place(), "{}", outcome.wrong);
    if (options.header) return choose(fields);
    std::vector<std::string> names;
    for (size_t i = 0; i < fields.size(); ++i) names.push_back(std::to_string(i));
    choose(names);
    first = std::move(fields);
  }

  std::string place() const { return fmt::format("{}:{}", lines.path(), line); }
  void refuse(const std::string& wrong) {
    if (options.bad_lines == BadLines::refuse) fail(ErrorKind::data, place(), "{}", wrong);
    if (++bad.count <= 10) bad.named.push_back(place() + ": " + wrong);
  }

  bool next(Row* row) {
    std::vector<std::string> fields;
    for (;;) {
      Outcome outcome;
      if (first)
        fields = *std::exchange(first, std::nullopt);
      else
        outcome = read(&fields);
      if (outcome.end) return false;
      if (outcome.empty) continue;
      if (outcome.wrong.empty() && fields.size() != width)
        outcome.wrong = fmt::format("{} column{}, wanted {}", fields.size(), fields.size() == 1 ? "" : "s", width);
      if (!outcome.wrong.empty()) {
        refuse(outcome.wrong);
        continue;
      }
      row->line = line, row->values.clear();
      for (const size_t i : chosen) row->values.push_back(fields[i]);
      return true;
    }
  }

  RowOptions options;
  Lines lines;
  std::vector<std::string> columns;
  std::vector<size_t> chosen;  // of the fields, for each column
  size_t width = 0;            // of a row of the file
  int64_t line = 0;            // where the last row began
  std::optional<std::vector<std::string>> first;
  BadRows bad;
};

namespace {

using Impl = RowReader::Impl;
using Fields = std::vector<std::string>;

struct PlainRows : Impl {
  PlainRows(const std::string& path, const RowOptions& row_options) : Impl(path, row_options) { choose({"text"}); }
  Outcome read(Fields* fields) override {
    fields->resize(1);
    Outcome outcome = read_line(lines, fields->data());
    line = lines.number(), outcome.empty = false;
    return outcome;
  }
};

struct ParallelRows : Impl {
  ParallelRows(const std::string& source, const std::string& target, const RowOptions& row_options)
      : Impl(source, row_options), other(target, row_options.longest) {
    choose({"source", "target"});
  }
  Outcome read(Fields* fields) override {
    fields->resize(2);
    Outcome one = read_line(lines, &(*fields)[0]), two = read_line(other, &(*fields)[1]);
    line = lines.number();
    if (one.end && two.end) return {.end = true};
    if (one.end != two.end)
      fail(ErrorKind::data, (one.end ? lines : other).path(), "has {} lines, but {} has more",
           std::min(lines.number(), other.number()), (one.end ? other : lines).path());
    if (!one.wrong.empty()) return one;
    if (!two.wrong.empty()) return {.wrong = fmt::format("{}:{}: {}", other.path(), other.number(), two.wrong)};
    if (one.empty != two.empty)
      return {.wrong = fmt::format("{} is empty, the other language is not", one.empty ? "source" : "target")};
    return {.empty = one.empty};
  }
  Lines other;
};

struct TsvRows : Impl {
  TsvRows(const std::string& path, const RowOptions& row_options) : Impl(path, row_options) { read_header(); }
  Outcome read(Fields* fields) override {
    std::string text;
    Outcome outcome = read_line(lines, &text);
    line = lines.number();
    *fields = data::split_tabs(text);
    return outcome;
  }
};

struct CsvRows : Impl {
  CsvRows(const std::string& path, const RowOptions& row_options) : Impl(path, row_options) { read_header(); }
  Outcome read(Fields* fields) override {
    std::string text, more;
    Outcome outcome = read_line(lines, &text);
    line = lines.number();
    if (outcome.end || outcome.empty || !outcome.wrong.empty()) return outcome;
    data::CsvFields found = data::split_csv(text);
    // Open quotes take in the lines below, up to one with an odd number of them; each line is looked at once.
    for (bool open = found.open; open;) {
      Outcome next = read_line(lines, &more);
      if (next.end) return {.wrong = "its quotes are never closed"};
      if (!next.wrong.empty()) return next;
      text += '\n' + more;
      if (static_cast<int64_t>(text.size()) > options.longest)
        return {.wrong = fmt::format("longer than {} bytes; are its quotes closed?", options.longest)};
      open = std::count(more.begin(), more.end(), '"') % 2 == 0;
      if (!open) found = data::split_csv(text);
    }
    *fields = std::move(found.fields);
    return {.wrong = std::move(found.wrong)};
  }
};

struct JsonRows : Impl {
  JsonRows(const std::string& path, const RowOptions& row_options)
      : Impl(path, row_options), names(row_options.columns) {
    if (names.empty()) find_names();
    choose(names);
  }
  Outcome read(Fields* fields) override {
    if (held) return *fields = *std::exchange(held, std::nullopt), Outcome{};
    std::string text;
    Outcome outcome = read_line(lines, &text);
    line = lines.number();
    if (outcome.end || outcome.empty || !outcome.wrong.empty()) return outcome;
    const std::optional<Json> object = parsed(text, &outcome.wrong);
    if (object) fill(*object, fields, &outcome.wrong);
    return outcome;
  }

 private:
  static std::optional<Json> parsed(const std::string& text, std::string* wrong) {
    constexpr int kDeepest = 64;
    bool deep = false;
    try {
      Json object =
          Json::parse(text, [&](int depth, Json::parse_event_t, Json&) { return !(deep = deep || depth > kDeepest); });
      if (deep) return *wrong = fmt::format("nested deeper than {} levels", kDeepest), std::nullopt;
      if (!object.is_object()) return *wrong = fmt::format("is {}, wanted an object", object.type_name()), std::nullopt;
      return object;
    } catch (const Json::exception& error) {
      return *wrong = "not JSON: " + shortened(printable(error.what()), 160), std::nullopt;
    }
  }
  static std::string value_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump();
  }
  void fill(const Json& object, Fields* fields, std::string* wrong) const {
    fields->clear();
    for (const std::string& name : names) {
      const auto found = object.find(name);
      if (found == object.end()) return void(*wrong = fmt::format("has no '{}'", shortened(printable(name), 40)));
      fields->push_back(value_of(*found));
    }
  }
  void find_names() {
    std::string text, wrong;
    Outcome outcome;
    do outcome = read_line(lines, &text);
    while (outcome.empty);
    line = lines.number();
    if (outcome.end) fail(ErrorKind::data, lines.path(), "is empty, wanted at least a line");
    if (!outcome.wrong.empty()) fail(ErrorKind::data, place(), "{}", outcome.wrong);
    const std::optional<Json> object = parsed(text, &wrong);
    if (!object) fail(ErrorKind::data, place(), "{}", wrong);
    held.emplace();
    for (const auto& [key, value] : object->items()) names.push_back(key), held->push_back(value_of(value));
  }
  Fields names;
  std::optional<Fields> held;  // the first line's, read for its names
};

}  // namespace

RowReader::RowReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RowReader::~RowReader() = default;
RowReader::RowReader(RowReader&&) noexcept = default;
RowReader& RowReader::operator=(RowReader&&) noexcept = default;
const std::vector<std::string>& RowReader::columns() const { return impl_->columns; }
bool RowReader::next(Row* row) { return impl_->next(row); }
const BadRows& RowReader::bad() const { return impl_->bad; }

RowReader read_lines(const std::string& path, const RowOptions& options) {
  return RowReader(std::make_unique<PlainRows>(path, options));
}
RowReader read_parallel(const std::string& source, const std::string& target, const RowOptions& options) {
  return RowReader(std::make_unique<ParallelRows>(source, target, options));
}
RowReader read_tsv(const std::string& path, const RowOptions& options) {
  return RowReader(std::make_unique<TsvRows>(path, options));
}
RowReader read_csv(const std::string& path, const RowOptions& options) {
  return RowReader(std::make_unique<CsvRows>(path, options));
}
RowReader read_json_lines(const std::string& path, const RowOptions& options) {
  return RowReader(std::make_unique<JsonRows>(path, options));
}

}  // namespace heed
