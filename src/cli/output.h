// Where a verb's lines go: a file that is the old one or whole, or stdout.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tensor/file.h"

namespace heed::cli {

class Output {
 public:
  explicit Output(const std::string& path);  // empty: stdout
  void write(std::string_view text);
  void finish();  // Error(system) where something could not be written; without it no file is left
  void flush();   // what was written reaches stdout

 private:
  std::optional<AtomicFile> file_;
  std::string buffer_;
};

}  // namespace heed::cli
