// Walking several arrays of one shape at once, each with strides of its own: what broadcasting, views and transposed
// copies are for a kernel.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/threads.h"

namespace heed::kernels {

// Array number i has stride[i][d] elements from one index of dimension d to the next, 0 where it repeats itself.
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

// n elements of the last dimension: numbers `first` and following of them all, in array i from at[i] on, step[i] apart.
template <int N>
struct Piece {
  int64_t first, n;
  std::array<int64_t, N> at, step;
};

// Neighbouring dimensions through which every array walks evenly become one, those of size one vanish; one is left.
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

// Calls body(piece) for elements [begin, end) of collapsed strides, at least one, in order.
template <int N, class Body>
void walk(const Strides<N>& strides, int64_t begin, int64_t end, const Body& body) {
  const size_t last = static_cast<size_t>(strides.rank - 1);
  const int64_t width = strides.shape[last];
  std::array<int64_t, Strides<N>::kMaxRank> index{};
  Piece<N> piece{begin, 0, {}, {}};
  int64_t rest = begin / width, column = begin % width;
  for (size_t i = 0; i < N; ++i) piece.step[i] = strides.stride[i][last], piece.at[i] = column * piece.step[i];
  for (size_t d = last; d-- > 0;) {
    index[d] = rest % strides.shape[d];
    rest /= strides.shape[d];
    for (size_t i = 0; i < N; ++i) piece.at[i] += index[d] * strides.stride[i][d];
  }
  for (;;) {
    piece.n = std::min(width - column, end - piece.first);
    body(std::as_const(piece));
    piece.first += piece.n;
    if (piece.first >= end) return;
    for (size_t i = 0; column > 0 && i < N; ++i) piece.at[i] -= column * piece.step[i];
    column = 0;
    for (size_t d = last; d-- > 0;) {
      for (size_t i = 0; i < N; ++i) piece.at[i] += strides.stride[i][d];
      if (++index[d] < strides.shape[d]) break;
      for (size_t i = 0; i < N; ++i) piece.at[i] -= strides.shape[d] * strides.stride[i][d];
      index[d] = 0;
    }
  }
}

// Calls body(piece) for all elements, in order on one thread.
template <int N, class Body>
void for_pieces_in_order(const Strides<N>& strides, const Body& body) {
  if (const int64_t count = strides.count(); count > 0) walk(collapsed(strides), 0, count, body);
}

// The same, shared by the threads: body writes nothing that another piece touches.
template <int N, class Body>
void for_pieces(const Strides<N>& any, const Body& body) {
  const int64_t count = any.count();
  if (count == 0) return;
  const Strides<N> strides = collapsed(any);
  constexpr int64_t kLine = 64, kGrain = 1 << 14;  // elements of whole cache lines; those that are worth a thread
  parallel((count + kLine - 1) / kLine, kGrain / kLine,
           [&](int64_t begin, int64_t end) { walk(strides, begin * kLine, std::min(count, end * kLine), body); });
}

}  // namespace heed::kernels
