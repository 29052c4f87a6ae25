#include "tasks/two_columns.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/philox.h"

namespace heed {
namespace {

constexpr int64_t kHeldOut = 2000;  // rows at most, where a share is held out
constexpr int64_t kPiece = 50'000;  // rows

bool ends_in(std::string path, std::string_view ending) {
  if (path.ends_with(".gz")) path.resize(path.size() - 3);
  return path.ends_with(ending);
}

bool are_numbers(const std::string& columns) {
  return std::all_of(columns.begin(), columns.end(), [](char c) { return c == ',' || isdigit(c); });
}

RowReader open(const ColumnOptions& o, const DataFile& file, const char* columns) {
  RowOptions rows{.header = o.header, .bad_lines = o.skip_bad_lines ? BadLines::skip : BadLines::refuse};
  if (!o.columns.empty()) {
    rows.columns = split(o.columns, ',');
    check(rows.columns.size() == 2, "columns", "got '{}', wanted {}", o.columns, columns);
    check(!o.header || !are_numbers(o.columns), "columns", "got '{}', but with --header they have names", o.columns);
    rows.header = !are_numbers(o.columns);
  }
  if (!file.beside.empty()) return read_parallel(file.path, file.beside, rows);
  if (ends_in(file.path, ".jsonl") || ends_in(file.path, ".json")) {
    check(!o.columns.empty(), file.path, "its keys have no order: --columns {} says which are meant", columns);
    return read_json_lines(file.path, rows);
  }
  return ends_in(file.path, ".csv") ? read_csv(file.path, rows) : read_tsv(file.path, rows);
}

}  // namespace

std::vector<bool> held_out(int64_t first, int64_t count, double share, uint64_t seed) {
  std::vector<bool> out;
  for (int64_t n = first; n < first + count; ++n)
    out.push_back(philox(seed, 1 << 21, static_cast<uint64_t>(n))[0] * 0x1p-32 < share);
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
    : path_(file.path), words_(words), reader_(open(options, file, words.columns)) {}

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

HeldOut parse_held_out(const std::string& text) {
  HeldOut held;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), held.share);
  if (error == std::errc() && end == text.data() + text.size()) {
    check(held.share > 0 && held.share < 1, "validation", "got {}, wanted a share between 0 and 1, or a file", text);
    return held;
  }
  const std::vector<std::string> paths = split(text, ',');
  return {0, {paths[0], paths.size() > 1 ? paths[1] : ""}};
}

int64_t read_all(TwoColumnReader& reader, TwoColumns rows, double share, uint64_t seed, const TakeColumns& take) {
  int64_t read = 0;
  for (; rows.size() > 0; rows = reader.next(kPiece)) {
    const double of_these = std::min(share, kHeldOut / static_cast<double>(read + rows.size()));
    take(rows, held_out(read, rows.size(), of_these, seed));
    read += rows.size();
  }
  return read;
}

}  // namespace heed
