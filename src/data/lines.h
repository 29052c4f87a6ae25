// Lines of a file, plain or gzip, from a buffer of fixed size.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace heed::data {

enum class LineState { good, too_long, no_utf8 };

class Lines {
 public:
  Lines(const std::string& path, int64_t longest);  // Error(system) where it cannot be opened
  ~Lines();
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  // The next line without its end; of one that is too long only its beginning. False at the end of the file.
  bool next(std::string* line, LineState* state);
  int64_t number() const { return number_; }  // of the last line, from 1
  const std::string& path() const { return path_; }

 private:
  bool fill();  // false at the end

  std::string path_;
  int64_t longest_, number_ = 0;
  void* file_ = nullptr;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;
};

}  // namespace heed::data
