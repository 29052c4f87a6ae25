#include "kernels/thread_memory.h"

#include <new>
#include <utility>

#include "base/memory_reserve.h"
#include "hwy/aligned_allocator.h"

namespace heed::kernels {
namespace {

struct OfThread {
  ThreadMemory* first = nullptr;
  ~OfThread() {
    for (ThreadMemory* each = first; each; each = each->next) hwy::FreeAlignedBytes(each->block, nullptr, nullptr);
  }
};

}  // namespace

void ThreadMemory::grow(size_t bytes) {
  thread_local OfThread all;
  if (!std::exchange(known, true)) next = std::exchange(all.first, this);
  size = 0;
  hwy::FreeAlignedBytes(std::exchange(block, nullptr), nullptr, nullptr);
  block = static_cast<std::byte*>(hwy::AllocateAlignedBytes(bytes, nullptr, nullptr));
  if (!block) give_up_memory_reserve(), throw std::bad_alloc();
  size = bytes;
}

}  // namespace heed::kernels
