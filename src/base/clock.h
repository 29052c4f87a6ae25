// Seconds on a clock that never goes back.
#pragma once

#include <chrono>

namespace heed {

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace heed
