#include "tasks/token_rows.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>

#include "base/check.h"

namespace heed {

// Written through a buffer; mapped when rows are read. Growing makes the map anew.
struct TokenRows::File {
  std::FILE* file = std::tmpfile();
  const int32_t* map = nullptr;
  int64_t mapped = 0, written = 0;  // tokens

  File() { check_system(file != nullptr, "temporary file", "cannot be made"); }
  ~File() {
    unmap();
    std::fclose(file);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void unmap() {
    if (map) ::munmap(const_cast<int32_t*>(map), static_cast<size_t>(mapped) * sizeof(int32_t));
    map = nullptr, mapped = 0;
  }
  void write(std::span<const int32_t> ids) {
    const size_t done = std::fwrite(ids.data(), sizeof(int32_t), ids.size(), file);
    check_system(done == ids.size(), "temporary file", "cannot be written");
    written += static_cast<int64_t>(ids.size());
  }
  const int32_t* tokens() {
    if (mapped == written) return map;
    unmap();
    check_system(std::fflush(file) == 0, "temporary file", "cannot be written");
    void* at =
        ::mmap(nullptr, static_cast<size_t>(written) * sizeof(int32_t), PROT_READ, MAP_SHARED, ::fileno(file), 0);
    check_system(at != MAP_FAILED, "temporary file", "cannot be mapped");
    map = static_cast<const int32_t*>(at), mapped = written;
    return map;
  }
};

TokenRows::TokenRows() : file_(std::make_unique<File>()) {}
TokenRows::~TokenRows() = default;
TokenRows::TokenRows(TokenRows&&) noexcept = default;
TokenRows& TokenRows::operator=(TokenRows&&) noexcept = default;

void TokenRows::add(std::span<const int32_t> ids) {
  file_->write(ids);
  begins_.push_back(begins_.back() + static_cast<int64_t>(ids.size()));
}

int64_t TokenRows::length(int64_t row) const {
  return begins_[static_cast<size_t>(row) + 1] - begins_[static_cast<size_t>(row)];
}

std::span<const int32_t> TokenRows::operator[](int64_t row) const {
  return {file_->tokens() + begins_[static_cast<size_t>(row)], static_cast<size_t>(length(row))};
}

}  // namespace heed
