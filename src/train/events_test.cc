#include "train/events.h"

#include <gtest/gtest.h>

#include <cstring>

#include "support/files.h"

namespace heed {
namespace {

using testing::file_content;
using testing::Folder;

TEST(Events, ChecksumsAreThoseOfTheStandard) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
}

// Length, its checksum, data, its checksum: to the end of the file.
std::vector<std::string> records_of(const std::string& content) {
  std::vector<std::string> records;
  for (size_t at = 0; at < content.size();) {
    uint64_t length = 0;
    uint32_t sum = 0;
    std::memcpy(&length, content.data() + at, 8);
    records.push_back(content.substr(at + 12, length));
    std::memcpy(&sum, content.data() + at + 12 + length, 4);
    const uint32_t crc = crc32c(records.back());
    EXPECT_EQ(sum, ((crc >> 15) | (crc << 17)) + 0xa282ead8U);
    at += length + 16;
  }
  return records;
}

TEST(Events, AreRecordsOfFigures) {
  const Folder folder;
  {
    EventFile file(folder.path().string());
    file.add(300, {{"loss", 0.5}, {"rate", 2}});
  }
  std::string path;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) path = entry.path().string();
  const std::vector<std::string> records = records_of(file_content(path));
  ASSERT_EQ(records.size(), 2U);
  EXPECT_TRUE(
      records[0].ends_with("\x1a\x0d"
                           "brain.Event:2"));
  using std::string_literals::operator""s;
  EXPECT_TRUE(
      records[1].ends_with("\x10\xac\x02\x2a\x1a"
                           "\x0a\x0b\x0a\x04loss\x15\x00\x00\x00\x3f"
                           "\x0a\x0b\x0a\x04rate\x15\x00\x00\x00\x40"s));
}

}  // namespace
}  // namespace heed
