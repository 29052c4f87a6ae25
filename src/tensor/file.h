// Files: bytes mapped or read in, and a writer after which the file is the old one or the new one, whatever happens.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace heed {

// Bytes and who keeps them alive. They may be written to; the file that they came from does not change.
struct Bytes {
  uint8_t* data = nullptr;
  int64_t size = 0;
  std::shared_ptr<void> owner;

  std::span<const uint8_t> span() const { return {data, static_cast<size_t>(size)}; }
  Bytes part(int64_t begin, int64_t end) const { return {data + begin, end - begin, owner}; }  // caller checks bounds
};

// The content of a regular file; Error(system) naming the file.
Bytes map_file(const std::string& path);
Bytes read_file(const std::string& path);
inline Bytes file_bytes(const std::string& path, bool map) { return map ? map_file(path) : read_file(path); }

// Writes into a new file beside `path`, which takes its place in commit(). Without commit() the new file is removed.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, int64_t bytes);  // at the end of what write() wrote so far
  void write_at(int64_t offset, const void* data, int64_t bytes);
  void commit();

 private:
  std::string path_, beside_;
  int descriptor_ = -1;
  int64_t end_ = 0;
};

}  // namespace heed
