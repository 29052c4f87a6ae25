#include "tensor/arena.h"

#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/memory_reserve.h"
#include "base/runtime.h"

namespace heed {
namespace arena {
namespace {

// Sizes are rounded up to a class: four classes between neighbouring powers of two, so at most a fifth is lost.
constexpr int kClasses = 4 * 64;
struct Class {
  int index;
  int64_t bytes;
};
Class size_class(int64_t bytes) {
  const uint64_t wanted = std::max<uint64_t>(static_cast<uint64_t>(bytes), 64);
  const int exponent = 63 - std::countl_zero((wanted - 1) | 1);  // wanted is in (2^exponent, 2^(exponent+1)]
  const uint64_t step = std::max<uint64_t>(uint64_t{1} << exponent >> 2, 1);
  const uint64_t quarter = (wanted - (uint64_t{1} << exponent) + step - 1) / step;
  return {exponent * 4 + static_cast<int>(quarter), static_cast<int64_t>((uint64_t{1} << exponent) + quarter * step)};
}

// Stands in the 64 bytes before a block's elements. Free blocks of a class are a list: to give one back takes no
// memory.
struct Header {
  int64_t bytes;
  int index;
  Header* next;
};

class Arena {
 public:
  Arena() { start_runtime(); }

  void* allocate(int64_t bytes) {
    const Class wanted = size_class(bytes);
    std::lock_guard lock(mutex_);
    Header*& free = free_[static_cast<size_t>(wanted.index)];
    Header* const block = free ? std::exchange(free, free->next) : from_system(wanted);
    use_.in_use += block->bytes;
    use_.peak = std::max(use_.peak, use_.in_use);
    return reinterpret_cast<char*>(block) + kAlignment;
  }

  void give_back(void* elements) {
    auto* block = reinterpret_cast<Header*>(static_cast<char*>(elements) - kAlignment);
    std::lock_guard lock(mutex_);
    use_.in_use -= block->bytes;
    block->next = std::exchange(free_[static_cast<size_t>(block->index)], block);
  }

  void release() {
    std::lock_guard lock(mutex_);
    release_locked();
  }

  MemoryUse use() {
    std::lock_guard lock(mutex_);
    return use_;
  }
  void reset_peak() {
    std::lock_guard lock(mutex_);
    use_.peak = use_.in_use;
  }

 private:
  // What is left when memory is short is for others.
  static void* ask(size_t bytes) {
    return memory_is_short() ? nullptr : std::aligned_alloc(kAlignment, (bytes + 63) / 64 * 64);
  }

  Header* from_system(const Class& wanted) {
    ++use_.system_requests;
    const size_t bytes = static_cast<size_t>(wanted.bytes + kAlignment);
    void* memory = ask(bytes);
    if (!memory) {
      release_locked();
      memory = ask(bytes);
    }
    if (!memory) {
      give_up_memory_reserve();
      throw Error(ErrorKind::system, "memory", fmt::format("no {} bytes to be had", wanted.bytes),
                  "use smaller tensors");
    }
    use_.held += wanted.bytes;
    return new (memory) Header{wanted.bytes, wanted.index, nullptr};
  }

  void release_locked() {
    for (Header*& free : free_)
      while (free) {
        use_.held -= free->bytes;
        std::free(std::exchange(free, free->next));
      }
  }

  std::mutex mutex_;
  std::array<Header*, kClasses> free_ = {};
  MemoryUse use_;
};

// Never destroyed: tensors with static storage may outlive everything.
Arena& instance() {
  static Arena& arena = *new Arena;
  return arena;
}

}  // namespace

void* allocate(int64_t bytes) { return instance().allocate(bytes); }
void give_back(void* block) noexcept { instance().give_back(block); }

}  // namespace arena

MemoryUse memory_use() { return arena::instance().use(); }
void reset_memory_peak() { arena::instance().reset_peak(); }
void release_memory() { arena::instance().release(); }

}  // namespace heed
