// Threads: OpenMP with a static partition. What a thread computes never depends on how many there are: a sum over
// elements is cut into blocks of a fixed size (not into one part a thread), so the bits are the same for one thread and
// for many.
#pragma once

#include <heed/base.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>
#include <utility>

namespace heed {

// The error of the parts of one piece of work, carried out of their threads: one that left a thread by itself would end
// the program. Of several it is the first's, whichever thread came first; only one is held at a time, since where
// memory is short there is not the room for many.
class PartError {
 public:
  // Calls body(), unless a part before `part` has failed.
  template <class Body>
  void guard(int64_t part, const Body& body) noexcept {
    if (part > failed_.load(std::memory_order_relaxed)) return;
    try {
      body();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (part < failed_) failed_ = part, error_ = std::current_exception();
    }
  }
  void rethrow() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  std::atomic<int64_t> failed_ = std::numeric_limits<int64_t>::max();
  std::exception_ptr error_;
  std::mutex mutex_;
};

// Calls body(begin, end) on disjoint, contiguous parts of [0, n), at least `grain` long each, one part a thread.
// What body throws comes out, once all parts have ended.
template <class Body>
void parallel(int64_t n, int64_t grain, const Body& body) {
  const int64_t wanted = grain > 0 ? (n + grain - 1) / grain : n;
  const int count = static_cast<int>(std::min<int64_t>(threads(), wanted));
  if (count <= 1 || omp_in_parallel()) {
    if (n > 0) body(int64_t{0}, n);
    return;
  }
  PartError error;
#pragma omp parallel num_threads(count)
  {
    const int64_t parts = omp_get_num_threads(), part = omp_get_thread_num();
    const int64_t begin = n * part / parts, end = n * (part + 1) / parts;
    if (begin < end) error.guard(part, [&] { body(begin, end); });
  }
  error.rethrow();
}

// Calls body(i) for each i of [0, n), in whatever order suits: items of unequal cost, each independent of the others.
// What body throws comes out: the error of the first item that fails, as if they had gone one after the other.
// worth: whether a second thread brings more than it costs.
template <class Body>
void parallel_items(int64_t n, bool worth, const Body& body) {
  const int count = worth ? static_cast<int>(std::min<int64_t>(threads(), n)) : 1;
  if (count <= 1 || omp_in_parallel()) {
    for (int64_t i = 0; i < n; ++i) body(i);
    return;
  }
  PartError error;
#pragma omp parallel for num_threads(count) schedule(dynamic, 1)
  for (int64_t i = 0; i < n; ++i) error.guard(i, [&] { body(i); });
  error.rethrow();
}
template <class Body>
void parallel_items(int64_t n, const Body& body) {
  parallel_items(n, true, body);
}

}  // namespace heed
