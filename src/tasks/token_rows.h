// Texts as numbers of tokens, however many: they live in a file without a name, and memory holds where each begins.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace heed {

class TokenRows {
 public:
  TokenRows();
  ~TokenRows();
  TokenRows(TokenRows&&) noexcept;
  TokenRows& operator=(TokenRows&&) noexcept;

  void add(std::span<const int32_t> ids);
  int64_t size() const { return static_cast<int64_t>(begins_.size()) - 1; }
  int64_t length(int64_t row) const;
  std::span<const int32_t> operator[](int64_t row) const;

 private:
  struct File;
  std::unique_ptr<File> file_;
  std::vector<int64_t> begins_ = {0};
};

}  // namespace heed
