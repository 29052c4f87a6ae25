#include "data/lines.h"

#include <sys/stat.h>
#include <zlib.h>

#include <cstring>

#include "base/check.h"
#include "tensor/unicode.h"

namespace heed::data {
namespace {

constexpr size_t kBuffer = 1 << 16;
constexpr std::string_view kMark = "\xef\xbb\xbf";  // of byte order

gzFile as_file(void* file) { return static_cast<gzFile>(file); }

}  // namespace

Lines::Lines(const std::string& path, int64_t longest) : path_(path), longest_(longest), buffer_(kBuffer) {
  check(longest >= 1, path, "lines of at most {} bytes, wanted 1 or more", longest);
  struct stat about = {};
  check_system(::stat(path.c_str(), &about) == 0, path, "cannot be opened");
  if (S_ISDIR(about.st_mode)) fail(ErrorKind::system, path, "is a folder");
  file_ = gzopen(path.c_str(), "rbe");
  check_system(file_ != nullptr, path, "cannot be opened");
  gzbuffer(as_file(file_), kBuffer);
  if (fill() && std::string_view(buffer_.data(), end_).starts_with(kMark)) begin_ = kMark.size();
}

Lines::~Lines() { gzclose(as_file(file_)); }

bool Lines::fill() {
  const int got = gzread(as_file(file_), buffer_.data(), static_cast<unsigned>(buffer_.size()));
  begin_ = 0, end_ = got > 0 ? static_cast<size_t>(got) : 0;
  if (got > 0) return true;
  int error = Z_OK;
  const char* what = gzerror(as_file(file_), &error);
  if (error != Z_OK) fail(ErrorKind::data, path_, "cannot be unpacked behind line {}: {}", number_, what);
  return false;
}

bool Lines::next(std::string* line, LineState* state) {
  line->clear();
  *state = LineState::good;
  bool any = false;
  for (bool ended = false; !ended && (begin_ < end_ || fill());) {
    any = true;
    const char* from = buffer_.data() + begin_;
    const void* found = std::memchr(from, '\n', end_ - begin_);
    const size_t size = found ? static_cast<size_t>(static_cast<const char*>(found) - from) : end_ - begin_;
    // One byte more than allowed may be a carriage return.
    const size_t room = static_cast<size_t>(longest_) + 1 - line->size();
    if (size > room) *state = LineState::too_long;
    line->append(from, std::min(size, room));
    ended = found != nullptr;
    begin_ += size + (ended ? 1 : 0);
  }
  if (!any) return false;
  ++number_;
  if (!line->empty() && line->back() == '\r' && *state == LineState::good) line->pop_back();
  if (static_cast<int64_t>(line->size()) > longest_) *state = LineState::too_long;
  if (*state == LineState::good && !valid_utf8(*line)) *state = LineState::no_utf8;
  return true;
}

}  // namespace heed::data
