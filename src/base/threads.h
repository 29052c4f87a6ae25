// Threads: OpenMP with a static partition. What a thread computes never depends on how many there are: a sum over
// elements is cut into blocks of a fixed size (not into one part a thread), so the bits are the same for one thread and
// for many.
#pragma once

#include <heed/base.h>
#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace heed {

// Calls body(begin, end) on disjoint, contiguous parts of [0, n), at least `grain` long each, one part a thread.
// body must not throw.
template <class Body>
void parallel(int64_t n, int64_t grain, const Body& body) {
  const int64_t wanted = grain > 0 ? (n + grain - 1) / grain : n;
  const int count = static_cast<int>(std::min<int64_t>(threads(), wanted));
  if (count <= 1 || omp_in_parallel()) {
    if (n > 0) body(int64_t{0}, n);
    return;
  }
#pragma omp parallel num_threads(count)
  {
    const int64_t parts = omp_get_num_threads(), part = omp_get_thread_num();
    const int64_t begin = n * part / parts, end = n * (part + 1) / parts;
    if (begin < end) body(begin, end);
  }
}

// Calls body(i) for each i of [0, n), in whatever order suits: items of unequal cost, each independent of the others.
// worth: whether a second thread brings more than it costs.
template <class Body>
void parallel_items(int64_t n, bool worth, const Body& body) {
  const int count = worth ? static_cast<int>(std::min<int64_t>(threads(), n)) : 1;
  if (count <= 1 || omp_in_parallel()) {
    for (int64_t i = 0; i < n; ++i) body(i);
    return;
  }
#pragma omp parallel for num_threads(count) schedule(dynamic, 1)
  for (int64_t i = 0; i < n; ++i) body(i);
}
template <class Body>
void parallel_items(int64_t n, const Body& body) {
  parallel_items(n, true, body);
}

}  // namespace heed
