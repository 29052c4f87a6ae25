#include "cli/output.h"

#include <cstdio>

#include "base/check.h"

namespace heed::cli {

constexpr size_t kBuffer = size_t{1} << 16;

Output::Output(const std::string& path) {
  if (!path.empty()) file_.emplace(path);
}

void Output::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBuffer) flush();
}

void Output::flush() {
  if (file_)
    file_->write(buffer_.data(), static_cast<int64_t>(buffer_.size()));
  else
    check_system(std::fwrite(buffer_.data(), 1, buffer_.size(), stdout) == buffer_.size() && std::fflush(stdout) == 0,
                 "stdout", "cannot be written");
  buffer_.clear();
}

void Output::finish() {
  flush();
  if (file_) file_->commit();
}

}  // namespace heed::cli
