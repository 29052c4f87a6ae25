#include "base/memory_reserve.h"

#include <malloc.h>
#include <sys/mman.h>

#include <atomic>
#include <mutex>
#include <new>

namespace heed {
namespace {

constexpr int64_t kLeast = 8 << 20, kLeftToOthers = 4 << 20;
constexpr int kMapped = 256 << 10;  // from so many bytes on a block is the system's again when it is freed

// No block of malloc's, which keeps for small blocks what a large one has left.
struct Reserve {
  std::mutex mutex;
  int64_t wanted = 0, size = 0;
  void* memory = nullptr;
  uint64_t times_given_up = 0;
  std::atomic<bool> is_short = false;

  void give_up() {
    if (!memory) return;
    ::munmap(memory, static_cast<size_t>(size));
    memory = nullptr, is_short = true;
    ++times_given_up;
  }
};
Reserve& reserve() {
  static Reserve& one = *new Reserve;
  return one;
}

// Called by operator new, which then tries again. Whoever comes a moment after another has given it up tries again too.
void find_memory() {
  thread_local uint64_t seen = 0;
  Reserve& all = reserve();
  const std::lock_guard lock(all.mutex);
  all.give_up();
  if (seen == all.times_given_up) throw std::bad_alloc();
  seen = all.times_given_up;
}

}  // namespace

void keep_memory_in_reserve(int64_t bytes) {
  Reserve& all = reserve();
  all.wanted = bytes, all.is_short = true;
  ::mallopt(M_MMAP_THRESHOLD, kMapped);  // and no longer what malloc finds best, up to 32 MB
  refill_memory_reserve();
  std::set_new_handler(find_memory);
}

void give_up_memory_reserve() {
  const std::lock_guard lock(reserve().mutex);
  reserve().give_up();
}

bool memory_is_short() { return reserve().is_short.load(std::memory_order_relaxed); }

bool refill_memory_reserve() {
  Reserve& all = reserve();
  if (!all.is_short) return true;
  const std::lock_guard lock(all.mutex);
  for (int64_t size = all.wanted; all.is_short && size >= kLeast; size /= 2) {
    void* const memory = ::mmap(nullptr, static_cast<size_t>(size + kLeftToOthers), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) continue;
    ::munmap(static_cast<char*>(memory) + size, kLeftToOthers);  // or what comes next would find nothing
    all.memory = memory, all.size = size, all.is_short = false;
  }
  return !all.is_short;
}

}  // namespace heed
