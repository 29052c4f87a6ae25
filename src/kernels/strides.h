// Walking several arrays at once, each with strides of its own: what broadcasting is for a kernel.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/threads.h"

namespace heed::kernels {

// The result is contiguous over `shape`; input number i has stride[i][d] elements from one index of dimension d to the
// next, 0 where it repeats itself.
template <int N>
struct Strides {
  static constexpr int kMaxRank = 8;
  int rank = 0;
  std::array<int64_t, kMaxRank> shape{};
  std::array<std::array<int64_t, kMaxRank>, N> stride{};

  int64_t count() const {
    int64_t product = 1;
    for (int d = 0; d < rank; ++d) product *= shape[static_cast<size_t>(d)];
    return product;
  }
};

// Neighbouring dimensions through which every input walks evenly become one; those of size one vanish. At least one is
// left.
template <int N>
Strides<N> collapsed(const Strides<N>& from) {
  Strides<N> to;
  for (size_t d = 0; d < static_cast<size_t>(from.rank); ++d) {
    if (from.shape[d] == 1) continue;
    bool joins = to.rank > 0;
    const size_t last = static_cast<size_t>(std::max(to.rank - 1, 0));
    for (size_t i = 0; i < N; ++i) joins = joins && to.stride[i][last] == from.stride[i][d] * from.shape[d];
    const size_t at = joins ? last : static_cast<size_t>(to.rank++);
    to.shape[at] = joins ? to.shape[at] * from.shape[d] : from.shape[d];
    for (size_t i = 0; i < N; ++i) to.stride[i][at] = from.stride[i][d];
  }
  if (to.rank == 0) to.rank = 1, to.shape[0] = 1;
  return to;
}

// Calls row(out, offsets, n) for pieces of the last dimension: the piece begins at element `out` of the result and at
// offsets[i] of input i, and goes on with stride[i][rank - 1]. `strides` is collapsed. Pieces begin at multiples of 64
// of the last dimension, whatever the number of threads.
template <int N, class Row>
void for_rows(const Strides<N>& strides, const Row& row) {
  const size_t last = static_cast<size_t>(strides.rank - 1);
  const int64_t n = strides.shape[last], rows = n == 0 ? 0 : strides.count() / n;
  constexpr int64_t kGrain = 1 << 14;  // elements that are worth a thread
  if (rows == 1) {
    parallel((n + 63) / 64, kGrain / 64, [&](int64_t begin, int64_t end) {
      std::array<int64_t, N> at{};
      for (size_t i = 0; i < N; ++i) at[i] = begin * 64 * strides.stride[i][last];
      row(begin * 64, at, std::min(n, end * 64) - begin * 64);
    });
    return;
  }
  parallel(rows, kGrain / std::max<int64_t>(n, 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      std::array<int64_t, N> at{};
      int64_t rest = r;
      for (size_t d = last; d-- > 0;) {
        const int64_t index = rest % strides.shape[d];
        rest /= strides.shape[d];
        for (size_t i = 0; i < N; ++i) at[i] += index * strides.stride[i][d];
      }
      row(r * n, at, n);
    }
  });
}

}  // namespace heed::kernels
