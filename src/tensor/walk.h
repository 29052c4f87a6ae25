// Several operands of one shape, each with strides of its own, gone through together row by row.
#pragma once

#include <heed/tensor.h>

#include <algorithm>
#include <array>

#include "base/threads.h"

namespace heed {

template <size_t N>
using Offsets = std::array<int64_t, N>;

template <size_t N>
struct Walk {
  Shape shape;
  std::array<Shape, N> strides;
};

// Neighbouring dimensions that lie behind each other in every operand become one; sizes of one vanish.
template <size_t N>
Walk<N> collapsed(const Walk<N>& walk) {
  Walk<N> result;
  for (int i = 0; i < walk.shape.rank(); ++i) {
    const int64_t size = walk.shape[i];
    if (size == 1) continue;
    const int last = result.shape.rank() - 1;
    bool joins = last >= 0;
    for (size_t k = 0; joins && k < N; ++k) joins = result.strides[k][last] == walk.strides[k][i] * size;
    if (joins)
      result.shape[last] *= size;
    else
      result.shape.push_back(size);
    for (size_t k = 0; k < N; ++k)
      if (joins)
        result.strides[k][last] = walk.strides[k][i];
      else
        result.strides[k].push_back(walk.strides[k][i]);
  }
  if (result.shape.rank() > 0) return result;
  result.shape.push_back(1);
  for (Shape& strides : result.strides) strides.push_back(1);
  return result;
}

// Elements [begin, end) of a collapsed walk, in rows of the last dimension: row(offsets of its first element, steps,
// n).
template <size_t N, class Row>
void walk_range(const Walk<N>& walk, int64_t begin, int64_t end, const Row& row) {
  const int last = walk.shape.rank() - 1;
  const int64_t width = walk.shape[last];
  Offsets<N> at{}, step;
  Shape index = walk.shape;
  int64_t rest = begin / width, column = begin % width;
  for (size_t k = 0; k < N; ++k) step[k] = walk.strides[k][last];
  for (int i = last - 1; i >= 0; --i) {
    index[i] = rest % walk.shape[i];
    rest /= walk.shape[i];
    for (size_t k = 0; k < N; ++k) at[k] += index[i] * walk.strides[k][i];
  }
  while (begin < end) {
    const int64_t n = std::min(width - column, end - begin);
    Offsets<N> first = at;
    for (size_t k = 0; k < N; ++k) first[k] += column * step[k];
    row(first, step, n);
    begin += n, column = 0;
    for (int i = last - 1; i >= 0; --i) {
      for (size_t k = 0; k < N; ++k) at[k] += walk.strides[k][i];
      if (++index[i] < walk.shape[i]) break;
      for (size_t k = 0; k < N; ++k) at[k] -= walk.shape[i] * walk.strides[k][i];
      index[i] = 0;
    }
  }
}

// All rows, in order on one thread.
template <size_t N, class Row>
void for_rows_in_order(const Walk<N>& any, const Row& row) {
  if (any.shape.numel() == 0) return;
  const Walk<N> walk = collapsed(any);
  walk_range(walk, 0, walk.shape.numel(), row);
}

// All rows, or parts of them, shared by the threads: row writes nothing that another part of the walk touches.
template <size_t N, class Row>
void for_rows(const Walk<N>& any, const Row& row) {
  if (any.shape.numel() == 0) return;
  const Walk<N> walk = collapsed(any);
  parallel(walk.shape.numel(), 1 << 14, [&](int64_t begin, int64_t end) { walk_range(walk, begin, end, row); });
}

}  // namespace heed
