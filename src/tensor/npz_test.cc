#include "tensor/npz.h"

#include <gtest/gtest.h>
#include <heed/base.h>
#include <heed/io.h>
#include <zip.h>

#include "support/close.h"
#include "support/files.h"
#include "support/small_files.h"
#include "tensor/contents.h"

namespace heed {
namespace {

using testing::close;
using testing::refused;

TensorFile sample() {
  return {.tensors = {{"weights", tensor({{1, 2, 3}, {4, 5, 6}})},
                      {"偏置", tensor({1, 0, 1}, Dtype::boolean)},
                      {"folder/scalar", scalar(2.5, Dtype::f64)},
                      {"empty", Tensor::zeros({0, 3}, Dtype::i64)},
                      {"half", tensor({1.5, -2}, Dtype::bf16)}},
          .metadata = {}};
}

// The bytes of an archive that heed itself wrote.
std::string archive_of(const TensorFile& content, bool compress = false) {
  const testing::Folder folder;
  save_npz(folder / "a.npz", content, {.compress = compress});
  return testing::file_content(folder / "a.npz");
}

TensorFile load(const std::string& content, const LoadOptions& options = {}) {
  const testing::Folder folder;
  testing::write_file(folder / "archive.npz", content);
  const testing::SmallFileLimits watch(content);
  return load_npz(folder / "archive.npz", options);
}
void expect_refused(const std::string& content, std::vector<std::string> parts, const LoadOptions& options = {}) {
  parts.push_back("archive.npz");
  EXPECT_TRUE(refused(ErrorKind::format, parts, [&] { load(content, options); }));
}

// Overwrites bytes in the central directory's entry number 0 or in the local header (which stands at 0).
constexpr size_t kCentralMethod = 10, kCentralCrc = 16, kCentralPacked = 20, kCentralSize = 24, kCentralFlags = 8;
constexpr size_t kLocalMethod = 8, kLocalCrc = 14, kLocalPacked = 18, kLocalSize = 22, kLocalFlags = 6;
void put(std::string* file, size_t at, uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) (*file)[at + static_cast<size_t>(i)] = static_cast<char>(value >> 8 * i);
}
size_t central(const std::string& file) { return file.find("PK\x01\x02"); }

TEST(Npz, RoundTrip) {
  const TensorFile content = sample();
  for (bool compress : {false, true}) {
    const TensorFile back = load(archive_of(content, compress));
    ASSERT_EQ(back.tensors.size(), content.tensors.size());
    for (size_t i = 0; i < content.tensors.size(); ++i) {
      EXPECT_EQ(back.tensors[i].first, content.tensors[i].first);
      EXPECT_EQ(back.tensors[i].second.shape(), content.tensors[i].second.shape());
      EXPECT_EQ(back.tensors[i].second.values(), content.tensors[i].second.values());
    }
    EXPECT_EQ(back["偏置"].dtype(), Dtype::boolean);
    EXPECT_EQ(back["half"].dtype(), Dtype::f32);
  }
  EXPECT_TRUE(load(archive_of({})).tensors.empty());
}

TEST(Npz, TheSameContentGivesTheSameBytes) { EXPECT_EQ(archive_of(sample()), archive_of(sample())); }

// NumPy lists such members and gives their bytes; only numbers become tensors.
TEST(Npz, WhatNoTensorHoldsIsNamed) {
  const testing::Folder folder;
  const std::string path = folder / "a.npz", header = npy::header_text(tensor({1, 2}));
  std::string labels = header;
  labels.replace(labels.find("'<f4'"), 5, "'<U2'");
  const float elements[4] = {1, 2, 3, 4};
  AtomicFile file(path);
  write_zip(file, path,
            {{"README.txt", "read me", nullptr, 0},
             {"labels.npy", labels, elements, 16},
             {"with.npy", header, elements, 8},
             {"without", header, elements + 2, 8}},
            true);
  file.commit();
  zip_t* archive = zip_open(path.c_str(), 0, nullptr);
  ASSERT_NE(archive, nullptr);
  EXPECT_GE(zip_dir_add(archive, "folder", ZIP_FL_ENC_UTF_8), 0);
  ASSERT_EQ(zip_close(archive), 0);
  const TensorFile content = load_npz(path);
  EXPECT_EQ(content.others, (std::vector<std::string>{"README.txt", "folder/", "labels"}));
  ASSERT_EQ(content.tensors.size(), 2u);
  EXPECT_EQ(content["with"].values(), (std::vector<double>{1, 2}));
  EXPECT_EQ(content["without"].values(), (std::vector<double>{3, 4}));
  EXPECT_FALSE(content.contains("labels"));
  EXPECT_TRUE(refused(ErrorKind::data, {"'labels'", "nothing that tensors hold"}, [&] { content["labels"]; }));
  const FileSummary summary = summarize(path);
  EXPECT_EQ(summary.others, (std::vector<std::string>{"README.txt", "folder/"}));
  EXPECT_EQ(summary.arrays.at(0).dtype, "<U2");
}

TEST(Npz, LargeArraysPackAndUnpack) {
  const TensorFile content{.tensors = {{"zeros", Tensor::zeros({3'000'000})}}, .metadata = {}};
  const std::string packed = archive_of(content, true);
  EXPECT_LT(packed.size(), 20'000u);
  EXPECT_EQ(load(packed)["zeros"].numel(), 3'000'000);
}

TEST(NpzRules, BeginsAsAZipArchive) {
  expect_refused("", {"no zip archive"});
  expect_refused("PK\x03\x05", {"no zip archive"});
  expect_refused("PK\x03\x04 and nothing that follows", {"no usable zip archive"});
}
TEST(NpzRules, CutShort) {
  const std::string whole = archive_of(sample());
  for (size_t length = 4; length < whole.size(); length += 13)
    expect_refused(whole.substr(0, length), {"no usable zip archive"});
}
TEST(NpzRules, WrongCrc) {
  for (bool compress : {false, true}) {
    std::string file = archive_of({.tensors = {{"a", tensor({1, 2, 3})}}, .metadata = {}}, compress);
    const size_t entry = central(file);
    put(&file, entry + kCentralCrc, 12345, 4);
    put(&file, kLocalCrc, 12345, 4);
    expect_refused(file, {"'a.npy'", "CRC"});
  }
}
TEST(NpzRules, ChangedElement) {
  std::string file = archive_of({.tensors = {{"a", tensor({1, 2, 3})}}, .metadata = {}});
  file[central(file) - 1] ^= 1;
  expect_refused(file, {"'a.npy'", "CRC"});
}
// A size that deflate cannot reach: refused before anything of that size is allocated.
TEST(NpzRules, BombByRatio) {
  std::string file = archive_of({.tensors = {{"a", Tensor::zeros({1000})}}, .metadata = {}}, true);
  const size_t entry = central(file);
  put(&file, entry + kCentralSize, 0xfffffff0, 4);
  put(&file, kLocalSize, 0xfffffff0, 4);
  const int64_t held = memory_use().held;
  expect_refused(file, {"'a.npy'", "zip bomb"});
  EXPECT_EQ(memory_use().held, held);
}
TEST(NpzRules, BombBySum) {
  const std::string file =
      archive_of({.tensors = {{"a", Tensor::zeros({1000})}, {"b", Tensor::zeros({1000})}}, .metadata = {}}, true);
  expect_refused(file, {"'b.npy'", "zip bomb", "8000"}, {.most_bytes = 8000});
  EXPECT_EQ(load(file, {.most_bytes = 8256}).tensors.size(), 2u);
}
TEST(NpzRules, StoredSizesAgree) {
  std::string file = archive_of({.tensors = {{"a", tensor({1, 2, 3})}}, .metadata = {}});
  const size_t entry = central(file);
  put(&file, entry + kCentralSize, 1000, 4);
  put(&file, kLocalSize, 1000, 4);
  expect_refused(file, {"'a.npy'", "size"});
}
TEST(NpzRules, PackedBytesAreInTheArchive) {
  std::string file = archive_of({.tensors = {{"a", tensor({1, 2, 3})}}, .metadata = {}});
  const size_t entry = central(file);
  for (size_t at : {entry + kCentralSize, entry + kCentralPacked, kLocalSize, kLocalPacked}) put(&file, at, 100'000, 4);
  expect_refused(file, {"zip"});
}
TEST(NpzRules, DeclaredLargerThanUnpacked) {
  std::string file = archive_of({.tensors = {{"a", Tensor::zeros({1000})}}, .metadata = {}}, true);
  const size_t entry = central(file);
  put(&file, entry + kCentralSize, 4132, 4);  // four bytes more
  put(&file, kLocalSize, 4132, 4);
  expect_refused(file, {"'a'", "wrong shape"});
}
TEST(NpzRules, Method) {
  std::string file = archive_of({.tensors = {{"a", tensor({1, 2, 3})}}, .metadata = {}});
  const size_t entry = central(file);
  put(&file, entry + kCentralMethod, 12, 2);
  put(&file, kLocalMethod, 12, 2);
  expect_refused(file, {"'a.npy'", "method", "12"});
}
TEST(NpzRules, Encrypted) {
  std::string file = archive_of({.tensors = {{"a", tensor({1, 2, 3})}}, .metadata = {}});
  const size_t entry = central(file);
  put(&file, entry + kCentralFlags, 0x0801, 2);
  put(&file, kLocalFlags, 0x0801, 2);
  expect_refused(file, {"'a.npy'", "encrypted"});
}
TEST(NpzRules, Duplicate) {
  std::string file = archive_of({.tensors = {{"a", tensor({1})}, {"b", tensor({1})}}, .metadata = {}});
  for (size_t at = file.find("b.npy"); at != std::string::npos; at = file.find("b.npy")) file[at] = 'a';
  expect_refused(file, {"duplicate"});
  file = archive_of({.tensors = {{"a", tensor({1})}, {"b", tensor({1})}}, .metadata = {}});
  for (size_t at = file.find("b.npy"); at != std::string::npos; at = file.find("b.npy")) file.replace(at, 5, "a.npz");
  EXPECT_EQ(load(file).tensors[1].first, "a.npz");
}
TEST(NpzRules, MembersAreArrays) {
  std::string file = archive_of({.tensors = {{"a", tensor({1, 2, 3})}}, .metadata = {}});
  const size_t entry = central(file), front = file.find("\x93NUMPY");
  file[front] = 'x';
  for (size_t at : {entry + kCentralCrc, kLocalCrc}) put(&file, at, 0, 4);
  expect_refused(file, {"no npy file"});
}

TEST(NpzRules, WhatCannotBeSaved) {
  const testing::Folder folder;
  const auto save = [&](const std::string& name, const Tensor& tensor) {
    return [&folder, name, tensor] {
      save_npz(folder / "a.npz", {.tensors = {{"a", scalar(1)}, {name, tensor}}, .metadata = {}});
    };
  };
  EXPECT_TRUE(refused(ErrorKind::usage, {"'a'", "twice"}, save("a", scalar(1))));
  EXPECT_TRUE(refused(ErrorKind::usage, {"'b'", "undefined"}, save("b", Tensor())));
  EXPECT_TRUE(refused(ErrorKind::usage, {"UTF-8"}, save("\xff", scalar(1))));
  EXPECT_TRUE(refused(ErrorKind::usage, {"zero"}, save(std::string("a\0b", 3), scalar(1))));
  EXPECT_EQ(folder.count(), 0u);
}

TEST(Npz, SmallFilesStayWithinTheirLimits) {
  const auto read = [](const std::string& path) {
    for (const auto& [name, tensor] : load_npz(path).tensors) tensor.values();
    summarize(path);
  };
  const TensorFile content{.tensors = {{"a", tensor({{1, 2, 3}})}, {"b", Tensor::zeros({50})}}};
  const std::string stored = archive_of(content), packed = archive_of(content, true);
  ASSERT_LT(std::max(stored.size(), packed.size()), 1024u);
  testing::expect_small_files_within_limits(
      1000, [&](auto& faults) { return faults(stored); }, read);
  testing::expect_small_files_within_limits(
      1000, [&](auto& faults) { return faults(packed); }, read);
  // A whole archive of an array with faults.
  const std::string header = npy::header_text(Tensor::zeros({100}));
  const testing::Folder folder;
  const auto archive = [&](auto& faults) {
    const std::string array = faults(header + std::string(400, '\0'));
    AtomicFile file(folder / "a.npz");
    write_zip(file, folder / "a.npz", {{"a.npy", array + " ", nullptr, 0}}, true);
    file.commit();
    return testing::file_content(folder / "a.npz");
  };
  testing::expect_small_files_within_limits(500, archive, read);
}

}  // namespace
}  // namespace heed
