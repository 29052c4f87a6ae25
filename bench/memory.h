// How much memory a piece of work holds.
#pragma once

#include <cstdint>

namespace heed::bench {

class MemoryWatch {
 public:
  MemoryWatch();
  // Live tensors at the beginning, and the most by which the process has grown since.
  double megabytes() const;

 private:
  int64_t tensors_, resident_;
};

}  // namespace heed::bench
