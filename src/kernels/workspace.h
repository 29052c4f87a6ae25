// Memory for the duration of a call, kept by the calling thread for its next call: the steady state of a training loop
// asks the system for nothing. First reserve all parts, then place them; one workspace a thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace heed::kernels {

class Workspace {
 public:
  // A part of that many bytes: where it begins, relative to what place() returns. Aligned to 64 bytes.
  size_t reserve(size_t bytes) {
    const size_t at = size_;
    size_ += (bytes + 63) / 64 * 64 + 64;  // parts of equal size would otherwise share their cache sets
    return at;
  }
  std::byte* place() {
    thread_local std::unique_ptr<std::byte[], Delete> block;
    thread_local size_t held = 0;
    if (held < size_) {
      block.reset();
      held = 0;
      block.reset(static_cast<std::byte*>(operator new[](size_, std::align_val_t{64})));
      held = size_;
    }
    return block.get();
  }

 private:
  struct Delete {
    void operator()(std::byte* block) const { operator delete[](block, std::align_val_t{64}); }
  };
  size_t size_ = 0;
};

}  // namespace heed::kernels
