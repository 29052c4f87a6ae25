#include "tasks/two_columns.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>

#include "base/check.h"
#include "base/philox.h"
#include "tasks/two_numbers.h"

namespace heed {
namespace {

constexpr int64_t kHeldOut = 2000;       // rows at most, where a share is held out
constexpr int64_t kRowsAtOnce = 50'000;  // rows

bool ends_in(std::string path, std::string_view ending) {
  if (path.ends_with(".gz")) path.resize(path.size() - 3);
  return path.ends_with(ending);
}

enum class FileKind { parallel, json_lines, csv, tsv };
FileKind kind_of(const DataFile& file) {
  if (!file.beside.empty()) return FileKind::parallel;
  if (ends_in(file.path, ".jsonl") || ends_in(file.path, ".json")) return FileKind::json_lines;
  return ends_in(file.path, ".csv") ? FileKind::csv : FileKind::tsv;
}

bool are_numbers(const std::string& columns) {
  return std::all_of(columns.begin(), columns.end(), [](char c) { return c == ',' || isdigit(c); });
}

RowOptions row_options(const ColumnOptions& o, const char* columns) {
  RowOptions rows{.header = o.header, .bad_lines = o.skip_bad_lines ? BadLines::skip : BadLines::refuse};
  if (!o.columns.empty()) {
    rows.columns = split(o.columns, ',');
    check(rows.columns.size() == 2, "columns", "got '{}', wanted {}", o.columns, columns);
    check(!o.header || !are_numbers(o.columns), "columns", "got '{}', but with --header they have names", o.columns);
    rows.header = !are_numbers(o.columns);
  }
  return rows;
}

RowReader open(const DataFile& file, const RowOptions& rows, const char* columns) {
  switch (kind_of(file)) {
    case FileKind::parallel: return read_parallel(file.path, file.beside, rows);
    case FileKind::json_lines:
      check(!rows.columns.empty(), file.path, "its keys have no order: --columns {} says which are meant", columns);
      return read_json_lines(file.path, rows);
    case FileKind::csv: return read_csv(file.path, rows);
    case FileKind::tsv: return read_tsv(file.path, rows);
  }
  fail(ErrorKind::usage, file.path, "is of an unknown kind");
}

bool names_columns(const DataFile& file, const RowOptions& rows) {
  const FileKind kind = kind_of(file);
  return rows.header && (kind == FileKind::csv || kind == FileKind::tsv);
}

}  // namespace

static uint32_t word_of(int64_t row, uint64_t seed) { return philox(seed, 1 << 21, static_cast<uint64_t>(row))[0]; }

// Of as many rows as there are parts, side by side, each part gets one: this one whose word is less than those of so
// many others.
static bool in_part(int64_t row, const HeldOut& held, uint64_t seed) {
  const int64_t begin = row - row % held.parts;
  const auto of_row = std::pair(word_of(row, seed), row);
  int64_t less = 0;
  for (int64_t n = begin; n < begin + held.parts; ++n) less += std::pair(word_of(n, seed), n) < of_row;
  return less + 1 == held.part;
}

std::vector<bool> held_out(int64_t first, int64_t count, const HeldOut& held, uint64_t seed) {
  const double share = std::min(held.share, kHeldOut / static_cast<double>(first + count));
  std::vector<bool> out;
  for (int64_t n = first; n < first + count; ++n)
    out.push_back(held.parts > 0 ? in_part(n, held, seed) : word_of(n, seed) * 0x1p-32 < share);
  return out;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(at, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

TwoColumnReader::TwoColumnReader(const ColumnOptions& options, const DataFile& file, const Words& words)
    : path_(file.path),
      words_(words),
      rows_(row_options(options, words.columns)),
      reader_(open(file, rows_, words.columns)),
      above_(names_columns(file, rows_) ? 1 : 0) {}

TwoColumns TwoColumnReader::next(int64_t most) {
  TwoColumns rows;
  for (Row row; rows.size() < most && reader_.next(&row);) {
    if (row.values.size() < 2)
      throw Error(ErrorKind::data, fmt::format("{}:{}", path_, row.line),
                  fmt::format("has one column, wanted {}", words_.wanted), words_.hint);
    if ((row.values[0].empty() && !words_.first_may_be_empty) || row.values[1].empty()) continue;
    rows.lines.push_back(row.line);
    rows.first.push_back(std::move(row.values[0])), rows.second.push_back(std::move(row.values[1]));
  }
  return rows;
}

// NUMBER/OF; nothing where the text is something else, as a file in a folder.
static std::optional<HeldOut> parse_part(const std::string& text) {
  const auto numbers = two_numbers<int64_t>(text, '/');
  if (!numbers) return {};
  HeldOut held;
  std::tie(held.part, held.parts) = *numbers;
  check(held.parts > 1 && held.part >= 1 && held.part <= held.parts, "validation",
        "got {}, wanted one of two or more parts, as 2/5", text);
  return held;
}

HeldOut parse_held_out(const std::string& text) {
  if (const auto part = parse_part(text)) return *part;
  HeldOut held;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), held.share);
  if (error == std::errc() && end == text.data() + text.size()) {
    check(held.share > 0 && held.share < 1, "validation", "got {}, wanted a share between 0 and 1, or a file", text);
    return held;
  }
  const std::vector<std::string> paths = split(text, ',');
  return {.file = {paths[0], paths.size() > 1 ? paths[1] : ""}};
}

int64_t read_all(TwoColumnReader& reader, TwoColumns rows, const HeldOut& held, uint64_t seed,
                 const TakeColumns& take) {
  int64_t read = 0;
  for (; rows.size() > 0; rows = reader.next(kRowsAtOnce)) {
    take(rows, held_out(read, rows.size(), held, seed));
    read += rows.size();
  }
  return read;
}

}  // namespace heed
