#include "cli/inspect.h"

#include <gtest/gtest.h>
#include <heed/io.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/close.h"
#include "support/files.h"
#include "tensor/unicode.h"

namespace heed::cli {
namespace {

using testing::refused;

TensorFile sample() {
  Tensor holes = tensor({{1, -2.5}, {NAN, 4}});
  return {.tensors = {{"encoder.layers.0.attention.query.weight.of.a.long.name", holes},
                      {"计数", tensor({1, 2, 3}, Dtype::i64)},
                      {"flag\x1b[31m", tensor({0, 1}, Dtype::boolean)},
                      {"nothing", Tensor::zeros({0, 3})},
                      {"only.nan", tensor({NAN}, Dtype::f64)},
                      {"infinite", tensor({INFINITY, 1}, Dtype::bf16)}},
          .metadata = {{"format", "pt\nnext line"}}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Inspect, TableIsAlignedAndHarmless) {
  const testing::Folder folder;
  save_safetensors(folder / "m", sample());
  const std::string table = table_of(summarize(folder / "m"), "m");
  const std::vector<std::string> lines = lines_of(table);
  ASSERT_EQ(lines.size(), 9u) << table;
  EXPECT_EQ(lines[0].substr(0, 26), "m: safetensors, 6 arrays, ");
  EXPECT_EQ(lines[1], "  format: pt\\u{a}next line");
  for (size_t i = 2; i < lines.size(); ++i) EXPECT_EQ(columns(lines[i]), 80) << lines[i];
  for (char c : table) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 32);
  const auto ends = [&](size_t i, const std::string& end) { return lines[i].ends_with(end) ? "" : lines[i]; };
  EXPECT_EQ(ends(2, "min        max       mean NaN"), "");
  EXPECT_EQ(ends(3, "(2, 2)       -2.5          4     0.8333   1"), "");
  EXPECT_EQ(ends(4, "(3)             1          3          2   0"), "");
  EXPECT_EQ(ends(5, "(2)             0          1        0.5   0"), "");
  EXPECT_EQ(ends(6, "(0, 3)          -          -          -   0"), "");
  EXPECT_EQ(ends(7, "(1)             -          -          -   1"), "");
  EXPECT_EQ(ends(8, "(2)             1        inf        inf   0"), "");
}

TEST(Inspect, TheLongestNumbersStayInTheirColumns) {
  FileSummary file{.format = "safetensors", .bytes = 123456789};
  const Statistics::Range range{INT64_MIN, UINT64_MAX, -1.23456789e-300};
  file.arrays.push_back(
      {std::string(300, 'n'), "F8_E5M2FNUZ", std::vector<int64_t>(20, 1000), Statistics{range, 123456}});
  for (const std::string& line : lines_of(table_of(file, "m"))) EXPECT_LE(columns(line), 80) << line;
}

TEST(Inspect, Json) {
  const testing::Folder folder;
  save_safetensors(folder / "m", sample());
  const auto json = nlohmann::json::parse(json_of(summarize(folder / "m"), folder / "m"));
  EXPECT_EQ(json["format"], "safetensors");
  EXPECT_EQ(json["metadata"]["format"], "pt\nnext line");
  ASSERT_EQ(json["arrays"].size(), 6u);
  EXPECT_EQ(json["arrays"][0]["shape"], (std::vector<int>{2, 2}));
  EXPECT_EQ(json["arrays"][0]["min"], -2.5);
  EXPECT_EQ(json["arrays"][0]["nan"], 1);
  EXPECT_EQ(json["arrays"][1]["dtype"], "I64");
  EXPECT_EQ(json["arrays"][1]["max"], 3);
  EXPECT_EQ(json["arrays"][2]["name"], "flag\x1b[31m");
  EXPECT_EQ(json["arrays"][4]["mean"], nullptr);
  EXPECT_EQ(json["arrays"][5]["max"], "inf");
}

// The same arrays from each format, whatever the file is called.
TEST(Inspect, FormatsByContent) {
  const testing::Folder folder;
  const Tensor large = tensor({1, 2, -7}, Dtype::i64);
  save_npy(folder / "a.txt", large);
  save_npz(folder / "b.npy", {.tensors = {{"x", large}}, .metadata = {}});
  save_safetensors(folder / "c.npz", {.tensors = {{"x", large}}, .metadata = {}});
  const auto format = [&](const char* name) {
    const FileSummary file = summarize(folder / name);
    EXPECT_EQ(file.arrays.at(0).shape, std::vector<int64_t>{3});
    EXPECT_EQ(std::get<int64_t>(file.arrays.at(0).statistics.value().range.value().min), -7);
    return file.format;
  };
  EXPECT_EQ(format("a.txt"), "npy");
  EXPECT_EQ(format("b.npy"), "npz");
  EXPECT_EQ(format("c.npz"), "safetensors");
  testing::write_file(folder / "d", "something else");
  EXPECT_TRUE(refused(ErrorKind::format, {folder / "d", "neither"}, [&] { summarize(folder / "d"); }));
  testing::write_file(folder / "e", "");
  EXPECT_TRUE(refused(ErrorKind::format, {folder / "e", "neither"}, [&] { summarize(folder / "e"); }));
}

TEST(Inspect, MembersThatAreNoArraysStandBelow) {
  const FileSummary file{.format = "npz", .others = {"README.txt", std::string(100, 'x')}};
  const std::vector<std::string> lines = lines_of(table_of(file, "m"));
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[2], "no array: README.txt");
  EXPECT_EQ(columns(lines[3]), 80);
  EXPECT_EQ(nlohmann::json::parse(json_of(file, "m"))["others"][0], "README.txt");
}

TEST(Inspect, WhatIsNoNumberIsListedWithoutStatistics) {
  const testing::Folder folder;
  const std::string header = "{'descr': [('a', '<f4'), ('b(', '|S3')], 'fortran_order': False, 'shape': (2,), }";
  testing::write_file(folder / "a",
                      std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header + "...");
  const FileSummary file = summarize(folder / "a");
  EXPECT_EQ(file.arrays.at(0).dtype, "record");
  EXPECT_EQ(file.arrays.at(0).shape, std::vector<int64_t>{2});
  EXPECT_FALSE(file.arrays.at(0).statistics);
}

}  // namespace
}  // namespace heed::cli
