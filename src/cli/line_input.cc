#include "cli/line_input.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/check.h"

namespace heed::cli {

LineInput::LineInput(const std::string& path)
    : path_(path.empty() ? "stdin" : path),
      descriptor_(path.empty() ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  check_system(descriptor_ >= 0, path_, "cannot be opened");
}
LineInput::~LineInput() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

std::vector<std::string> LineInput::next(size_t most) {
  std::vector<std::string> lines;
  for (std::string line; lines.size() < most;) {
    if (take(line))
      lines.push_back(std::move(line));
    else if (ended_ || (!lines.empty() && !more_is_there()))
      break;
    else
      ended_ = !fill();
  }
  return lines;
}

bool LineInput::more_is_there() const {
  pollfd wait{descriptor_, POLLIN, 0};
  return ::poll(&wait, 1, 0) > 0;
}

bool LineInput::fill() {
  buffer_.erase(0, std::exchange(begin_, 0));
  char part[1 << 16];
  ssize_t got = 0;
  do got = ::read(descriptor_, part, sizeof part);
  while (got < 0 && errno == EINTR);
  check_system(got >= 0, path_, "cannot be read");
  buffer_.append(part, static_cast<size_t>(got));
  return got > 0;
}

// Up to the end of a line, or of the file.
bool LineInput::take(std::string& line) {
  const size_t end = buffer_.find('\n', begin_);
  if (end == std::string::npos && (!ended_ || begin_ == buffer_.size())) return false;
  const size_t stop = std::min(end, buffer_.size());
  line = buffer_.substr(begin_, stop - begin_);
  if (line.ends_with('\r')) line.pop_back();
  begin_ = std::min(buffer_.size(), stop + 1);
  return true;
}

}  // namespace heed::cli
