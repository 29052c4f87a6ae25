// heed inspect FILE: what is in a file of tensors, a line each.
#include "cli/inspect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/verbs.h"
#include "tensor/unicode.h"

namespace heed::cli {
namespace {

constexpr int kWidth = 80, kNumber = 10;

std::string shape_text(const std::vector<int64_t>& shape) { return fmt::format("({})", fmt::join(shape, ", ")); }

std::string number_text(const Number& number) {
  return std::visit(
      [](auto value) {
        std::string exact = fmt::format("{}", value);
        const bool whole = !std::is_floating_point_v<decltype(value)>;
        if (whole && exact.size() <= kNumber) return exact;
        std::string rounded = fmt::format("{:.4g}", static_cast<double>(value));
        return rounded.size() <= kNumber ? rounded : fmt::format("{:.3g}", static_cast<double>(value));
      },
      number);
}

std::string size_text(int64_t bytes) {
  constexpr const char* kUnits[] = {"bytes", "KB", "MB", "GB", "TB"};
  double size = static_cast<double>(bytes);
  size_t unit = 0;
  while (size >= 1000 && unit < 4) size /= 1000, ++unit;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", size, kUnits[unit]);
}

struct Cells {
  std::string name, dtype, shape, min, max, mean, nan;
};

Cells cells_of(const ArraySummary& array) {
  Cells cells{printable(array.name), printable(array.dtype), shape_text(array.shape), "-", "-", "-", "-"};
  if (!array.statistics) return cells;
  cells.nan = fmt::format("{}", array.statistics->nan);
  if (const auto& range = array.statistics->range)
    cells.min = number_text(range->min), cells.max = number_text(range->max), cells.mean = number_text(range->mean);
  return cells;
}

// fmt counts bytes or code points; a terminal counts columns.
std::string left(const std::string& text, int width) { return padded(shortened(text, width), width); }

struct Widths {
  int name = 4, dtype = 5, shape = 5, nan = 3;
};

// Names and shapes share what the numbers leave of the line; shapes are cut first.
Widths widths_of(const std::vector<Cells>& rows) {
  Widths widths;
  for (const Cells& row : rows) {
    widths.name = std::max(widths.name, columns(row.name));
    widths.dtype = std::max(widths.dtype, columns(row.dtype));
    widths.shape = std::max(widths.shape, columns(row.shape));
    widths.nan = std::max(widths.nan, columns(row.nan));
  }
  widths.dtype = std::min(widths.dtype, 11);
  const int room = kWidth - 3 * (kNumber + 1) - (widths.nan + 1) - (widths.dtype + 2) - 2;
  const int fair = room / 2;
  if (widths.name + widths.shape > room) {
    if (widths.shape <= fair)
      widths.name = room - widths.shape;
    else if (widths.name <= fair)
      widths.shape = room - widths.name;
    else
      widths.name = room - fair, widths.shape = fair;
  }
  return widths;
}

std::string line_of(const Cells& row, const Widths& widths) {
  return fmt::format("{}  {}  {} {:>{}} {:>{}} {:>{}} {:>{}}\n", left(row.name, widths.name),
                     left(row.dtype, widths.dtype), left(row.shape, widths.shape), row.min, kNumber, row.max, kNumber,
                     row.mean, kNumber, row.nan, widths.nan);
}

nlohmann::ordered_json json_of(const Number& number) {
  const auto value = [](auto value) -> nlohmann::ordered_json {
    if constexpr (std::is_floating_point_v<decltype(value)>)
      if (std::isinf(value)) return value > 0 ? "inf" : "-inf";  // JSON has no number for it
    return value;
  };
  return std::visit(value, number);
}

nlohmann::ordered_json json_of(const ArraySummary& array) {
  nlohmann::ordered_json json = {{"name", array.name}, {"dtype", array.dtype}, {"shape", array.shape}, {"min", nullptr},
                                 {"max", nullptr},     {"mean", nullptr},      {"nan", nullptr}};
  if (!array.statistics) return json;
  json["nan"] = array.statistics->nan;
  if (const auto& range = array.statistics->range)
    json["min"] = json_of(range->min), json["max"] = json_of(range->max), json["mean"] = json_of(Number(range->mean));
  return json;
}

}  // namespace

std::string table_of(const FileSummary& file, const std::string& path) {
  std::vector<Cells> rows{{"name", "dtype", "shape", "min", "max", "mean", "NaN"}};
  for (const ArraySummary& array : file.arrays) rows.push_back(cells_of(array));
  const Widths widths = widths_of(rows);
  std::string text = fmt::format("{}: {}, {} array{}, {}\n", printable(path), file.format, file.arrays.size(),
                                 file.arrays.size() == 1 ? "" : "s", size_text(file.bytes));
  for (const auto& [key, value] : file.metadata)
    text += shortened(fmt::format("  {}: {}", printable(key), printable(value)), kWidth) + "\n";
  for (const Cells& row : rows) text += line_of(row, widths);
  for (const std::string& other : file.others)
    text += shortened(fmt::format("no array: {}", printable(other)), kWidth) + "\n";
  return text;
}

std::string json_of(const FileSummary& file, const std::string& path) {
  nlohmann::ordered_json json = {{"file", path}, {"format", file.format}, {"bytes", file.bytes}};
  json["metadata"] = file.metadata;
  json["arrays"] = nlohmann::ordered_json::array();
  for (const ArraySummary& array : file.arrays) json["arrays"].push_back(json_of(array));
  json["others"] = file.others;
  return json.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

void add_inspect(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("inspect", "list what a safetensors, npy or npz file holds");
  struct Options {
    std::string path;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  verb->add_option("FILE", options->path, "the file; its format is found out from its content")->required();
  verb->add_flag("--json", options->json, "one JSON object, with every digit; infinities as text");
  verb->callback([options] {
    const FileSummary file = summarize(options->path);
    fmt::print("{}", options->json ? json_of(file, options->path) : table_of(file, options->path));
  });
}

}  // namespace heed::cli
