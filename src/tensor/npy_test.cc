#include "tensor/npy.h"

#include <gtest/gtest.h>
#include <heed/base.h>
#include <heed/io.h>

#include "support/close.h"
#include "support/files.h"
#include "support/small_files.h"
#include "tensor/contents.h"

namespace heed {
namespace {

using testing::close;
using testing::refused;

std::string npy_of(const std::string& dictionary, const std::string& data, int major = 1, int minor = 0) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(major);
  file += static_cast<char>(minor);
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) file += static_cast<char>(dictionary.size() >> 8 * i);
  return file + dictionary + data;
}
std::string described(const std::string& dtype, const std::string& shape, const std::string& order = "False") {
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", dtype, order, shape);
}
std::string counting(int from, int to) {
  std::string bytes;
  for (int i = from; i < to; ++i) bytes += static_cast<char>(i);
  return bytes;
}

Tensor load(const std::string& content) {
  const testing::Folder folder;
  testing::write_file(folder / "array.npy", content);
  const testing::SmallFileLimits watch(content);
  return load_npy(folder / "array.npy");
}
void expect_refused(const std::string& content, std::vector<std::string> parts, ErrorKind kind = ErrorKind::format) {
  parts.push_back("array.npy");
  EXPECT_TRUE(refused(kind, parts, [&] { load(content); }));
}

TEST(NpyRules, BeginsWithItsMagic) {
  expect_refused("", {"no npy file"});
  expect_refused("\x93NUMPX\x01", {"no npy file"});
}
TEST(NpyRules, Version) {
  for (int major : {0, 4, 255}) expect_refused(npy_of(described("<f4", "()"), "0123", major), {"version"});
  expect_refused(npy_of(described("<f4", "()"), "0123", 1, 1), {"version", "1.1"});
}
TEST(NpyRules, HeaderLength) {
  expect_refused("\x93NUMPY\x01", {"header length"});
  expect_refused(std::string("\x93NUMPY\x01\0\x10", 9), {"header length"});
  expect_refused(std::string("\x93NUMPY\x01\0\x10\0{}", 12), {"header length", "16 bytes"});
  expect_refused(std::string("\x93NUMPY\x02\0\xff\xff\xff\xff{}", 14), {"header length"});
  expect_refused(std::string("\x93NUMPY\x02\0\x10", 9) + std::string(2, '\0'), {"header length"});
}
TEST(NpyRules, HeaderIsADictionary) {
  expect_refused(npy_of("", ""), {"header", "'{' is missing"});
  expect_refused(npy_of("{'descr'", ""), {"header", "':' is missing"});
  expect_refused(npy_of("{'descr", ""), {"header", "unfinished text"});
  expect_refused(npy_of("{'de\\scr': 1}", ""), {"header", "unfinished text"});
  expect_refused(npy_of(described("<f4", "()") + "x", "0123"), {"header", "follows"});
  expect_refused(npy_of("{'descr': '<f4' 'shape': ()}", ""), {"header", "'}' is missing"});
  expect_refused(npy_of("{'descr': '<f4', 'other': 1}", ""), {"header", "unknown key 'other'"});
}
TEST(NpyRules, KeysOnceEach) {
  expect_refused(npy_of("{'descr': '<f4', 'shape': ()}", "0123"), {"missing"});
  expect_refused(npy_of("{'descr': '<f4', 'descr': '<f8', 'shape': (), 'fortran_order': False}", "0123"),
                 {"duplicate"});
}
TEST(NpyRules, Version3IsUtf8) { expect_refused(npy_of(described("<f4\xff", "()"), "0123", 3), {"header", "UTF-8"}); }
TEST(NpyRules, Shape) {
  for (const char* shape : {"(-1,)", "(1.0,)", "(1e3,)", "('1',)", "(None,)", "(,)", "(1 2)", "4", "[4]", "(4)", "(4",
                            "(99999999999999999999,)", "(9223372036854775808,)"})
    expect_refused(npy_of(described("<f4", shape), "0123"), {"shape"});
  std::string many = "(";
  for (int i = 0; i < 65; ++i) many += "1,";
  expect_refused(npy_of(described("<f4", many + ")"), "0123"), {"shape", "64 dimensions"});
}
TEST(NpyRules, Order) { expect_refused(npy_of(described("<f4", "()", "Maybe"), "0123"), {"fortran_order"}); }
TEST(NpyRules, OverflowOfShapeTimesSize) {
  expect_refused(npy_of(described("<f4", "(4611686018427387904, 4)"), ""), {"shape", "64 bits"});
}
TEST(NpyRules, WrongShape) {
  expect_refused(npy_of(described("<f4", "(2,)"), "0123"), {"wrong shape", "8", "4"});
  expect_refused(npy_of(described("<f4", "(2,)"), std::string(9, '0')), {"wrong shape", "8", "9"});
}
TEST(NpyRules, Dtype) {
  expect_refused(npy_of(described("f4", "()"), "0123"), {"dtype", "byte order"});
  expect_refused(npy_of(described("", "()"), "0123"), {"dtype"});
}
TEST(NpyRules, ObjectsAreRefused) {
  expect_refused(npy_of(described("|O", "()"), "0123"), {"|O", "never read"}, ErrorKind::data);
}
TEST(NpyRules, WhatIsNoNumberIsRefused) {
  for (const char* dtype : {"<U5", "|S3", "<M8[ns]", "<m8[s]", "|V2", "<c16", "<f16", "<i3"})
    expect_refused(npy_of(described(dtype, "()"), "0123"), {dtype, "no kind of number"}, ErrorKind::data);
  expect_refused(npy_of("{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,), }", "01234567"),
                 {"record", "no kind of number"}, ErrorKind::data);
  expect_refused(npy_of(described("<c8", "()"), "01234567"), {"C64"}, ErrorKind::data);
}
TEST(NpyRules, NineDimensions) {
  expect_refused(npy_of(described("|u1", "(1,1,1,1,1,1,1,1,1)"), "0"), {"9 dimensions"}, ErrorKind::data);
}
TEST(NpyRules, BoolsAreZeroOrOne) { expect_refused(npy_of(described("|b1", "(3,)"), counting(0, 3)), {"bool"}); }

TEST(Npy, Versions) {
  for (int major : {1, 2, 3}) EXPECT_EQ(load(npy_of(described("|u1", "(1,)"), "\x07", major)).item(), 7);
}

TEST(Npy, HeadersAsPythonWritesThem) {
  EXPECT_EQ(load(npy_of("{\"shape\": (2L, 1L), \"descr\": \"|u1\",\t'fortran_order':False}   \n", "ab")).shape(),
            (Shape{2, 1}));
  EXPECT_EQ(load(npy_of(described("|u1", "( 2 , )"), "ab")).shape(), (Shape{2}));
  EXPECT_EQ(load(npy_of(described("|u1", "()"), "a")).rank(), 0);
  EXPECT_EQ(load(npy_of(described("|u1", "(0, 5)"), "")).shape(), (Shape{0, 5}));
}

// Each width and kind, in both byte orders, against the value of the bytes 1, 2, 3, ...
TEST(Npy, WidthsAndByteOrders) {
  struct Case {
    const char *kind, *little;
    Dtype dtype;
    double value;
  };
  const Case cases[] = {{"u1", "\x81", Dtype::u8, 129},
                        {"i1", "\x81", Dtype::i32, -127},
                        {"i2", "\x01\x82", Dtype::i32, -32255},
                        {"u2", "\x01\x82", Dtype::i32, 33281},
                        {"i4", "\x01\x02\x03\x84", Dtype::i32, -2080177663},
                        {"u4", "\x01\x02\x03\x84", Dtype::i64, 2214789633},
                        {"i8", "\x01\x02\x03\x04\x05\x06\x07\xff", Dtype::i64, -70080650589044223.0},
                        {"u8", "\x01\x02\x03\x04\x05\x01\x01\x01", Dtype::i64, 72340190068408833.0},
                        {"f2", "\x01\x3e", Dtype::f16, 1.5009765625},
                        {"f4", "\x01\x02\x43\xc1", Dtype::f32, -12.187989234924316},
                        {"f8", "\x01\x02\x03\x04\x05\x06\x07\x40", Dtype::f64, 2.8779392541330258}};
  for (const Case& c : cases) {
    const std::string little(c.little, static_cast<size_t>(c.kind[1] - '0')), big(little.rbegin(), little.rend());
    for (const auto& [order, bytes] : {std::pair('<', little), std::pair('>', big)}) {
      const Tensor tensor = load(npy_of(described(order + std::string(c.kind), "(2,)"), bytes + bytes));
      EXPECT_EQ(tensor.dtype(), c.dtype) << c.kind;
      EXPECT_TRUE(close(tensor.values(), std::vector<double>{c.value, c.value}, 1e-15)) << order << c.kind;
    }
  }
}

TEST(Npy, ColumnsFirst) {
  const Tensor tensor = load(npy_of(described("|u1", "(2, 3)", "True"), counting(0, 6)));
  EXPECT_EQ(tensor.shape(), (Shape{2, 3}));
  EXPECT_TRUE(close(tensor.values(), std::vector<double>{0, 2, 4, 1, 3, 5}, 0));
  EXPECT_TRUE(tensor.contiguous());
}

TEST(Npy, RoundTrip) {
  const testing::Folder folder;
  for (Dtype dtype :
       {Dtype::boolean, Dtype::f32, Dtype::u8, Dtype::f64, Dtype::bf16, Dtype::f16, Dtype::i64, Dtype::i32})
    for (const Tensor& tensor :
         {tensor({{0, 1, 1}, {1, 0, 1}}, dtype), scalar(1, dtype), tensor({1, 0}, dtype),
          Tensor::zeros({2, 0, 3}, dtype), tensor({{0, 1}, {1, 1}, {0, 0}}, dtype).transpose(0, 1),
          Tensor::zeros({1, 1, 1, 1, 1, 1, 1, 2}, dtype)})
      for (bool map : {true, false}) {
        save_npy(folder / "a.npy", tensor);
        const Tensor back = load_npy(folder / "a.npy", {.map = map});
        EXPECT_EQ(back.dtype(), dtype == Dtype::bf16 ? Dtype::f32 : dtype);
        EXPECT_EQ(back.shape(), tensor.shape());
        EXPECT_EQ(back.values(), tensor.values());
      }
  EXPECT_TRUE(refused(ErrorKind::usage, {"undefined"}, [&] { save_npy(folder / "b.npy", Tensor()); }));
  EXPECT_EQ(folder.count(), 1u);
}

TEST(Npy, ElementsAreMapped) {
  const testing::Folder folder;
  save_npy(folder / "a.npy", tensor({1, 2, 3}));
  const int64_t used = memory_use().in_use;
  const Tensor mapped = load_npy(folder / "a.npy");
  EXPECT_EQ(memory_use().in_use, used);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(mapped.raw()) % 64, 0u);
}

TEST(Npy, SmallFilesStayWithinTheirLimits) {
  const std::string data = counting(0, 48);
  const auto read = [](const std::string& path) {
    load_npy(path).values();
    summarize(path);
  };
  testing::expect_small_files_within_limits(
      1000, [&](auto& faults) { return faults(npy_of(described("<f4", "(3, 4)"), data)); }, read);
  testing::expect_small_files_within_limits(
      1000, [&](auto& faults) { return npy_of(faults(described(">i8", "(2, 3)", "True")), data); }, read);
}

}  // namespace
}  // namespace heed
