#include "tensor/safetensors.h"

#include <gtest/gtest.h>
#include <heed/base.h>
#include <heed/io.h>
#include <rapidcheck/gtest.h>

#include "support/close.h"
#include "support/files.h"
#include "support/small_files.h"
#include "tensor/contents.h"

namespace heed {
namespace {

using testing::close;
using testing::refused;

// A file of a header and elements that count up.
std::string file_of(const std::string& header, size_t data_bytes) {
  std::string file;
  for (size_t i = 0; i < 8; ++i) file += static_cast<char>(header.size() >> 8 * i);
  file += header;
  for (size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i);
  return file;
}

std::string tensor_text(const std::string& name, const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":{}}})", name, dtype, shape, offsets);
}

std::string object(const std::string& inside) { return fmt::format("{{{}}}", inside); }

TensorFile load(const std::string& content) {
  const testing::Folder folder;
  testing::write_file(folder / "model.safetensors", content);
  const testing::SmallFileLimits watch(content);
  return load_safetensors(folder / "model.safetensors");
}

// The file's name and the rule are in the error, and the tensor's where there is one.
void expect_refused(const std::string& content, std::vector<std::string> parts) {
  parts.push_back("model.safetensors");
  EXPECT_TRUE(refused(ErrorKind::format, parts, [&] { load(content); }));
}
void expect_header_refused(const std::string& header, size_t data_bytes, const std::vector<std::string>& parts) {
  expect_refused(file_of(header, data_bytes), parts);
}

TEST(SafetensorsRules, HeaderLengthNeedsEightBytes) {
  expect_refused("", {"header length", "0 bytes"});
  expect_refused("1234567", {"header length", "7 bytes"});
}
TEST(SafetensorsRules, HeaderLengthBeyondTheFile) {
  expect_refused(std::string("\x10\0\0\0\0\0\0\0{}", 10), {"header length", "16 bytes"});
}
TEST(SafetensorsRules, HeaderLengthAtMostAHundredMegabytes) {
  expect_refused(std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10), {"header length", "100000001"});
  expect_refused(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), {"header length"});
}
TEST(SafetensorsRules, HeaderBeginsWithABrace) {
  expect_header_refused("", 0, {"does not begin with '{'"});
  expect_header_refused(" {}", 0, {"does not begin with '{'"});
  expect_header_refused("[]", 0, {"does not begin with '{'"});
}
TEST(SafetensorsRules, HeaderIsUtf8) {
  expect_header_refused("{\"\xff\":{}}", 0, {"not UTF-8"});
  expect_header_refused("{\"\xed\xa0\x80\":{}}", 0, {"not UTF-8"});      // a surrogate
  expect_header_refused("{\"\xc0\xaf\":{}}", 0, {"not UTF-8"});          // overlong
  expect_header_refused("{\"\xf4\x90\x80\x80\":{}}", 0, {"not UTF-8"});  // beyond U+10FFFF
}
TEST(SafetensorsRules, HeaderIsJson) {
  expect_header_refused("{", 0, {"not JSON"});
  expect_header_refused("{}x", 0, {"not JSON"});
  expect_header_refused("{'a':1}", 0, {"not JSON"});
  expect_header_refused("{\"a\":", 0, {"not JSON"});
}
TEST(SafetensorsRules, HeaderHoldsObjects) {
  expect_header_refused(R"({"a":3})", 0, {"'a'", "where an object must"});
  expect_header_refused(R"({"a":null})", 0, {"'a'", "where an object must"});
  expect_header_refused(R"({"a":[{}]})", 0, {"'a'", "where an object must"});
}
TEST(SafetensorsRules, NestingIsLimited) {
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  expect_header_refused(R"({"a":{"other":)" + deep + "}}", 0, {"'a'", "nested deeper"});
}
TEST(SafetensorsRules, DuplicateTensor) {
  const std::string a = tensor_text("a", "U8", "[1]", "[0,1]");
  expect_header_refused(object(a + "," + a), 1, {"'a'", "duplicate"});
}
TEST(SafetensorsRules, DuplicateField) {
  expect_header_refused(R"({"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})", 1,
                        {"'a'", "duplicate", "dtype"});
}
TEST(SafetensorsRules, DuplicateMetadata) {
  expect_header_refused(R"({"__metadata__":{"k":"v","k":"w"}})", 0, {"duplicate", "'k'"});
  expect_header_refused(R"({"__metadata__":{},"__metadata__":{}})", 0, {"duplicate", "__metadata__"});
}
TEST(SafetensorsRules, MetadataIsTextToText) {
  expect_header_refused(R"({"__metadata__":{"k":1}})", 0, {"__metadata__", "'k'", "wanted text"});
  expect_header_refused(R"({"__metadata__":{"k":{"deeper":"v"}}})", 0, {"__metadata__", "'k'", "wanted text"});
  expect_header_refused(R"({"__metadata__":"text"})", 0, {"__metadata__", "where an object must"});
}
TEST(SafetensorsRules, UnknownDtype) {
  expect_header_refused(object(tensor_text("a", "F33", "[1]", "[0,4]")), 4, {"'a'", "unknown dtype", "F33"});
  expect_header_refused(object(tensor_text("a", "f32", "[1]", "[0,4]")), 4, {"'a'", "unknown dtype", "f32"});
}
TEST(SafetensorsRules, FieldsAreComplete) {
  expect_header_refused(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1, {"'a'", "missing", "dtype"});
  expect_header_refused(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1, {"'a'", "missing", "shape"});
  expect_header_refused(R"({"a":{"dtype":"U8","shape":[1]}})", 1, {"'a'", "data_offsets"});
  expect_header_refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1, {"'a'", "data_offsets"});
  expect_header_refused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}})", 1, {"'a'", "data_offsets"});
}
TEST(SafetensorsRules, SizesAreNotNegativeNorFractions) {
  for (const char* shape : {"[-1]", "[1.0]", "[1e0]", "[\"1\"]", "[null]", "[true]", "[[1]]", "[9223372036854775808]",
                            "[99999999999999999999]"})
    expect_header_refused(object(tensor_text("a", "U8", shape, "[0,1]")), 1, {"'a'", "shape"});
  expect_header_refused(object(tensor_text("a", "U8", "3", "[0,1]")), 1, {"'a'", "shape"});
  for (const char* offsets : {"[0,-1]", "[0,1.0]", "[0,18446744073709551615]", "[0,\"1\"]"})
    expect_header_refused(object(tensor_text("a", "U8", "[1]", offsets)), 1, {"'a'", "data_offsets"});
}
TEST(SafetensorsRules, OverflowOfShapeTimesSize) {
  expect_header_refused(object(tensor_text("a", "F32", "[4611686018427387904,4]", "[0,0]")), 0, {"'a'", "64 bits"});
  expect_header_refused(object(tensor_text("a", "F64", "[1152921504606846976]", "[0,0]")), 0, {"'a'", "64 bits"});
  expect_header_refused(object(tensor_text("a", "F4", "[3]", "[0,2]")), 2, {"'a'", "whole bytes"});
}
TEST(SafetensorsRules, WrongShape) {
  expect_header_refused(object(tensor_text("a", "F32", "[2,3]", "[0,20]")), 20, {"'a'", "wrong shape", "24", "20"});
  expect_header_refused(object(tensor_text("a", "F32", "[0]", "[0,4]")), 4, {"'a'", "wrong shape"});
}
TEST(SafetensorsRules, OffsetsBackwards) {
  expect_header_refused(object(tensor_text("a", "U8", "[1]", "[2,1]")), 2, {"'a'", "data_offsets"});
}
TEST(SafetensorsRules, OutOfBounds) {
  expect_header_refused(object(tensor_text("a", "U8", "[8]", "[0,8]")), 7, {"'a'", "out of bounds"});
}
TEST(SafetensorsRules, Gap) {
  expect_header_refused(object(tensor_text("a", "U8", "[1]", "[1,2]")), 2, {"'a'", "gap"});
  expect_header_refused(object(tensor_text("a", "U8", "[1]", "[0,1]") + "," + tensor_text("b", "U8", "[1]", "[2,3]")),
                        3, {"'b'", "gap"});
}
TEST(SafetensorsRules, Overlap) {
  expect_header_refused(object(tensor_text("a", "U8", "[2]", "[0,2]") + "," + tensor_text("b", "U8", "[2]", "[1,3]")),
                        3, {"'b'", "overlap"});
}
TEST(SafetensorsRules, TrailingBytes) {
  expect_header_refused(object(tensor_text("a", "U8", "[1]", "[0,1]")), 2, {"trailing bytes"});
  expect_header_refused("{}", 1, {"trailing bytes"});
}
TEST(SafetensorsRules, BoolsAreZeroOrOne) {
  expect_header_refused(object(tensor_text("a", "BOOL", "[3]", "[0,3]")), 3, {"'a'", "bool", "element 2"});
}

TEST(Safetensors, WhatTheFormatAllows) {
  EXPECT_EQ(load(file_of("{}", 0)).tensors.size(), 0u);
  EXPECT_EQ(load(file_of("{}   \n", 0)).tensors.size(), 0u);
  EXPECT_EQ(load(file_of(object(tensor_text("", "U8", "[]", "[0,1]")), 1))[""].rank(), 0);
  EXPECT_EQ(load(file_of(object(tensor_text("a", "F64", "[3,0,2]", "[0,0]")), 0))["a"].shape(), (Shape{3, 0, 2}));
  const TensorFile file =
      load(file_of(R"({"b":{"more":[{"x":[1,null]},2],"data_offsets":[1,2],"shape":[1],"dtype":"U8"},)" +
                       tensor_text("a", "U8", "[1]", "[0,1]") + R"(,"__metadata__":{"k":"v"}})",
                   2));
  EXPECT_EQ(file.tensors[0].first, "b");  // in the header's order, wherever the bytes are
  EXPECT_EQ(file["b"].item(), 1);
  EXPECT_EQ(file["a"].item(), 0);
  EXPECT_EQ(file.metadata.at("k"), "v");
}

TEST(Safetensors, EightDimensionsAtMostInTensorsButAnyInTheList) {
  const testing::Folder folder;
  testing::write_file(folder / "m", file_of(object(tensor_text("a", "U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]")), 1));
  const SafetensorsReader reader(folder / "m");
  EXPECT_EQ(reader.entries()[0].shape.size(), 9u);
  EXPECT_TRUE(refused(ErrorKind::data, {"'a'", "9 dimensions"}, [&] { reader.tensor(reader.entries()[0]); }));
}

TEST(Safetensors, EveryDtypeOfTheFormat) {
  std::string header = "{";
  size_t at = 0;
  for (int i = 0; i < kEncodings; ++i) {
    const auto encoding = static_cast<Encoding>(i);
    const size_t bytes = static_cast<size_t>(bits_of(encoding));
    header += i ? "," : "";
    header += tensor_text(name(encoding), name(encoding), "[8]", fmt::format("[{},{}]", at, at + bytes));
    at += bytes;
  }
  std::string content = file_of(header + "}", 0);
  for (size_t i = 0; i < at; ++i) content += static_cast<char>(i < 8 ? i % 2 : i % 100);
  const testing::Folder folder;
  testing::write_file(folder / "m", content);
  const SafetensorsReader reader(folder / "m");
  ASSERT_EQ(reader.entries().size(), static_cast<size_t>(kEncodings));
  for (const TensorEntry& entry : reader.entries()) {
    const Encoding encoding = *encoding_named(entry.dtype);
    if (dtype_for(encoding))
      EXPECT_EQ(reader.tensor(entry).dtype(), *dtype_for(encoding)) << entry.dtype;
    else
      EXPECT_TRUE(refused(ErrorKind::data, {entry.name, "cannot hold"}, [&] { reader.tensor(entry); }));
  }
}

TEST(Safetensors, WiderThanTensorsAndTooLarge) {
  const std::string header = object(tensor_text("a", "U64", "[1]", "[0,8]"));
  EXPECT_EQ(load(file_of(header, 0) + std::string("\x05\0\0\0\0\0\0\0", 8))["a"].value({0}), 5);
  EXPECT_TRUE(
      refused(ErrorKind::data, {"'a'", "i64 cannot hold"}, [&] { load(file_of(header, 0) + std::string(8, '\xff')); }));
}

TensorFile every_dtype() {
  TensorFile content;
  content.metadata = {{"format", "pt"}, {"文", "\"quoted\"\n"}};
  for (Dtype dtype :
       {Dtype::boolean, Dtype::f32, Dtype::u8, Dtype::f64, Dtype::bf16, Dtype::f16, Dtype::i64, Dtype::i32})
    content.tensors.emplace_back(std::string("层.") + name(dtype), tensor({{0, 1, 1}, {1, 0, 1}}, dtype));
  content.tensors.emplace_back("view", tensor({{1, 2, 3}, {4, 5, 6}}).transpose(0, 1));
  content.tensors.emplace_back("scalar", scalar(3.5));
  content.tensors.emplace_back("empty", Tensor::zeros({2, 0}));
  return content;
}

TEST(Safetensors, RoundTrip) {
  const testing::Folder folder;
  const TensorFile content = every_dtype();
  save_safetensors(folder / "m", content);
  for (bool map : {true, false}) {
    const TensorFile back = load_safetensors(folder / "m", {.map = map});
    EXPECT_EQ(back.metadata, content.metadata);
    ASSERT_EQ(back.tensors.size(), content.tensors.size());
    for (size_t i = 0; i < content.tensors.size(); ++i) {
      EXPECT_EQ(back.tensors[i].first, content.tensors[i].first);
      EXPECT_EQ(back.tensors[i].second.dtype(), content.tensors[i].second.dtype());
      EXPECT_EQ(back.tensors[i].second.shape(), content.tensors[i].second.shape());
      EXPECT_EQ(back.tensors[i].second.values(), content.tensors[i].second.values());
    }
  }
  EXPECT_EQ(folder.count(), 1u);
}

RC_GTEST_PROP(Safetensors, AnyNamesAndTextRoundTrip, ()) {
  const auto names = *rc::gen::unique<std::vector<std::string>>(rc::gen::string<std::string>());
  TensorFile content;
  bool is_text = true;
  for (const std::string& name : names) {
    content.tensors.emplace_back(name, scalar(static_cast<double>(content.tensors.size())));
    content.metadata[name] = name;
    for (char c : name) is_text = is_text && static_cast<unsigned char>(c) < 0x80;
  }
  const testing::Folder folder;
  if (!is_text) return;
  save_safetensors(folder / "m", content);
  const TensorFile back = load_safetensors(folder / "m");
  RC_ASSERT(back.metadata == content.metadata);
  RC_ASSERT(back.tensors.size() == names.size());
  for (size_t i = 0; i < names.size(); ++i) RC_ASSERT(back[names[i]].item() == static_cast<double>(i));
}

TEST(Safetensors, MappedElementsAreViewsAndTheFileStaysAsItIs) {
  const testing::Folder folder;
  save_safetensors(folder / "m", {.tensors = {{"a", tensor({1, 2, 3})}}, .metadata = {}});
  const std::string before = testing::file_content(folder / "m");
  const int64_t used = memory_use().in_use;
  Tensor a = load_safetensors(folder / "m")["a"];
  EXPECT_EQ(memory_use().in_use, used);  // nothing was copied
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a.raw()) % 64, 0u);
  a.fill(7);
  save_safetensors(folder / "m", {.tensors = {{"a", a}}, .metadata = {}});  // over the file that it looks at
  EXPECT_TRUE(close(load_safetensors(folder / "m")["a"].values(), std::vector<double>{7, 7, 7}, 0));
  EXPECT_NE(testing::file_content(folder / "m"), before);
}

TEST(Safetensors, UnalignedElementsAreCopied) {
  const std::string header =
      object(tensor_text("a", "U8", "[1]", "[0,1]") + "," + tensor_text("b", "F32", "[1]", "[1,5]"));
  EXPECT_EQ(load(file_of(header, 1) + std::string("\0\0\x80\x3f", 4))["b"].item(), 1);
}

TEST(Safetensors, WhatCannotBeSaved) {
  const testing::Folder folder;
  const auto save = [&](const std::string& name, const Tensor& tensor) {
    return [&folder, name, tensor] {
      save_safetensors(folder / "m", {.tensors = {{"a", scalar(1)}, {name, tensor}}, .metadata = {}});
    };
  };
  EXPECT_TRUE(refused(ErrorKind::usage, {"'a'", "twice"}, save("a", scalar(1))));
  EXPECT_TRUE(refused(ErrorKind::usage, {"reserved"}, save("__metadata__", scalar(1))));
  EXPECT_TRUE(refused(ErrorKind::usage, {"'b'", "undefined"}, save("b", Tensor())));
  EXPECT_TRUE(refused(ErrorKind::usage, {"UTF-8"}, save("\xff", scalar(1))));
  EXPECT_EQ(folder.count(), 0u);
}

TEST(Safetensors, EntriesOfOtherFilesAreRefused) {
  const testing::Folder folder;
  save_safetensors(folder / "m", {.tensors = {{"a", tensor({1, 2, 3})}}, .metadata = {}});
  const SafetensorsReader reader(folder / "m");
  TensorEntry entry = reader.entries()[0];
  entry.end += 4, entry.shape[0] += 1;
  EXPECT_TRUE(refused(ErrorKind::usage, {"'a'", "not of this file"}, [&] { reader.tensor(entry); }));
}

TEST(Safetensors, NamesInErrorsCannotSteerTheTerminal) {
  try {
    load(file_of(object(tensor_text("\\u001b[31m", "X", "[1]", "[0,1]")), 1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\x1b'), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("\\u{1b}[31m"), std::string::npos);
  }
}

TEST(Safetensors, AHundredThousandTensorsInASecond) {
  TensorFile content;
  const Tensor one = scalar(1);
  for (int i = 0; i < 100'000; ++i) content.tensors.emplace_back(fmt::format("layer.{}.weight", i), one);
  const testing::Folder folder;
  save_safetensors(folder / "m", content);
  EXPECT_EQ(load_safetensors(folder / "m").tensors.size(), content.tensors.size());
}

TEST(Safetensors, SmallFilesStayWithinTheirLimits) {
  const std::string header = object(tensor_text("a", "F32", "[2,3]", "[0,24]") + "," +
                                    tensor_text("b", "I64", "[]", "[24,32]") + R"(,"__metadata__":{"format":"pt"})");
  const auto read = [](const std::string& path) {
    for (const auto& [name, tensor] : load_safetensors(path).tensors) tensor.values();
    summarize(path);
  };
  testing::expect_small_files_within_limits(
      1000, [&](auto& faults) { return faults(file_of(header, 32)); }, read);
  testing::expect_small_files_within_limits(
      1000, [&](auto& faults) { return file_of(faults(header), 32); }, read);
}

}  // namespace
}  // namespace heed
