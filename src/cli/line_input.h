// Lines from a file or from stdin: as many as are there at once, so that somebody who types gets an answer to each, and
// a file is worked on in large pieces.
#pragma once

#include <string>
#include <vector>

namespace heed::cli {

class LineInput {
 public:
  explicit LineInput(const std::string& path);  // empty: stdin
  ~LineInput();
  LineInput(const LineInput&) = delete;
  LineInput& operator=(const LineInput&) = delete;
  std::vector<std::string> next(size_t most);  // waits for one line; nothing at the end

 private:
  bool more_is_there() const;
  bool fill();  // false at the end
  bool take(std::string& line);

  std::string path_, buffer_;
  size_t begin_ = 0;
  int descriptor_;
  bool ended_ = false;
};

}  // namespace heed::cli
