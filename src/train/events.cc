// A record is its length (8 bytes), a masked crc32c of that, the data, a masked crc32c of the data; numbers are little
// endian. The data is a protocol buffer, `Event` of TensorFlow: wall_time = 1 (double), step = 2, file_version = 3 or
// summary = 5; a `Summary` repeats value = 1: tag = 1, simple_value = 2 (float).
#include "train/events.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>

#include "base/check.h"

namespace heed {
namespace {

std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table = {};
  for (uint32_t n = 0; n < 256; ++n) {
    uint32_t c = n;
    for (int bit = 0; bit < 8; ++bit) c = c & 1 ? 0x82f63b78U ^ (c >> 1) : c >> 1;
    table[n] = c;
  }
  return table;
}

template <class Number>
std::string bytes_of(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

std::string record(const std::string& data) {
  const auto masked = [](const std::string& of) {
    const uint32_t crc = crc32c(of);
    return bytes_of(((crc >> 15) | (crc << 17)) + 0xa282ead8U);
  };
  const std::string length = bytes_of(static_cast<uint64_t>(data.size()));
  return length + masked(length) + data + masked(data);
}

// ---- protocol buffers: a field is its number and kind, then its value
// ------------------------------------------------

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>(value | 128);
  return bytes + static_cast<char>(value);
}
enum Kind { kVarint = 0, kEight = 1, kBytes = 2, kFour = 5 };
std::string key(int number, Kind kind) { return varint(static_cast<uint64_t>(number) << 3 | kind); }
std::string text_field(int number, const std::string& text) { return key(number, kBytes) + varint(text.size()) + text; }

std::string event(const std::string& content) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return key(1, kEight) + bytes_of(std::chrono::duration<double>(now).count()) + content;
}

}  // namespace

uint32_t crc32c(const std::string& data) {
  static const std::array<uint32_t, 256> table = crc_table();
  uint32_t crc = ~0U;
  for (const char c : data) crc = table[(crc ^ static_cast<uint8_t>(c)) & 255] ^ (crc >> 8);
  return ~crc;
}

EventFile::EventFile(const std::string& folder) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  path_ = fmt::format("{}/events.out.tfevents.{}.heed.{}", folder,
                      std::chrono::duration_cast<std::chrono::seconds>(now).count(), ::getpid());
  file_ = std::fopen(path_.c_str(), "wbe");
  check_system(file_ != nullptr, path_, "cannot be made");
  const std::string first = record(event(text_field(3, "brain.Event:2")));
  std::fwrite(first.data(), 1, first.size(), file_);
}
EventFile::~EventFile() { std::fclose(file_); }

// A curve with a gap is better than a training that ends: what cannot be written is left out.
void EventFile::add(int64_t step, const std::vector<std::pair<std::string, double>>& figures) {
  std::string summary;
  for (const auto& [tag, value] : figures)
    summary += text_field(1, text_field(1, tag) + key(2, kFour) + bytes_of(static_cast<float>(value)));
  const std::string data =
      record(event(key(2, kVarint) + varint(static_cast<uint64_t>(step)) + text_field(5, summary)));
  if (std::fwrite(data.data(), 1, data.size(), file_) == data.size()) std::fflush(file_);
}

}  // namespace heed
