#include "kernels/reduce.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "base/threads.h"

namespace heed::kernels {
namespace {

constexpr int64_t kLanes = 32;     // sums side by side, which the compiler makes vectors of
constexpr int64_t kSummed = 4096;  // elements of a sum that are added up before they meet the others

struct Plus {
  template <class T>
  static T start() {
    return T(0);
  }
  template <class T>
  T operator()(T a, T b) const {
    return a + b;
  }
};
struct Times {
  template <class T>
  static T start() {
    return T(1);
  }
  template <class T>
  T operator()(T a, T b) const {
    return a * b;
  }
};

template <class Op, class T>
T fold_block(const T* x, int64_t n) {
  const Op op;
  T lanes[kLanes];
  std::fill(lanes, lanes + kLanes, Op::template start<T>());
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] = op(lanes[l], x[i + l]);
  for (; i < n; ++i) lanes[i % kLanes] = op(lanes[i % kLanes], x[i]);
  for (int64_t half = kLanes / 2; half >= 1; half /= 2)
    for (int64_t l = 0; l < half; ++l) lanes[l] = op(lanes[l], lanes[l + half]);
  return lanes[0];
}

// parts[0] + … by halves.
template <class Op, class T>
T fold_tree(T* parts, int64_t n) {
  const Op op;
  for (int64_t step = 1; step < n; step *= 2)
    for (int64_t i = 0; i + step < n; i += 2 * step) parts[i] = op(parts[i], parts[i + step]);
  return n > 0 ? parts[0] : Op::template start<T>();
}

// inner = 1: rows of neighbours. Blocks of all rows are shared out among the threads.
template <class Op, class T>
void fold_rows(const ReduceShape& shape, const T* x, T* y) {
  const int64_t blocks = std::max<int64_t>(1, (shape.n + kSummed - 1) / kSummed);
  std::vector<T> parts(blocks > 1 ? static_cast<size_t>(shape.outer * blocks) : 0);
  T* to = blocks > 1 ? parts.data() : y;
  parallel(shape.outer * blocks, (1 << 14) / std::max<int64_t>(1, std::min(shape.n, kSummed)) + 1,
           [&](int64_t begin, int64_t end) {
             for (int64_t i = begin; i < end; ++i) {
               const int64_t first = i % blocks * kSummed;
               to[i] = fold_block<Op>(x + i / blocks * shape.n + first, std::min(kSummed, shape.n - first));
             }
           });
  if (blocks > 1)
    for (int64_t o = 0; o < shape.outer; ++o) y[o] = fold_tree<Op>(parts.data() + o * blocks, blocks);
}

// inner > 1: whole rows are added to each other, 64 columns and 256 rows at a time.
template <class Op, class T>
void fold_columns(const ReduceShape& shape, const T* x, T* y) {
  constexpr int64_t kColumns = 64, kRows = 256;
  const Op op;
  const int64_t strips = (shape.inner + kColumns - 1) / kColumns;
  parallel(shape.outer * strips, (1 << 14) / std::max<int64_t>(1, shape.n * kColumns) + 1,
           [&](int64_t begin, int64_t end) {
             for (int64_t i = begin; i < end; ++i) {
               const int64_t o = i / strips, c = i % strips * kColumns, width = std::min(kColumns, shape.inner - c);
               T total[kColumns];
               std::fill(total, total + kColumns, Op::template start<T>());
               for (int64_t row = 0; row < shape.n; row += kRows) {
                 T part[kColumns];
                 std::fill(part, part + kColumns, Op::template start<T>());
                 for (int64_t r = row; r < std::min(row + kRows, shape.n); ++r) {
                   const T* from = x + (o * shape.n + r) * shape.inner + c;
                   for (int64_t j = 0; j < width; ++j) part[j] = op(part[j], from[j]);
                 }
                 for (int64_t j = 0; j < width; ++j) total[j] = op(total[j], part[j]);
               }
               std::copy(total, total + width, y + o * shape.inner + c);
             }
           });
}

template <class Op, class T>
void fold(const ReduceShape& shape, const T* x, T* y) {
  shape.inner == 1 ? fold_rows<Op>(shape, x, y) : fold_columns<Op>(shape, x, y);
}

// body(first element, index of the result) for each result; the elements are shape.inner apart.
template <class Body>
void for_each_result(const ReduceShape& shape, const Body& body) {
  parallel(shape.outer * shape.inner, (1 << 14) / std::max<int64_t>(1, shape.n) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i / shape.inner * shape.n * shape.inner + i % shape.inner, i);
  });
}

// Two neighbours, as in maxout: loops that the compiler makes vectors of.
bool of_pairs(const ReduceShape& shape) { return shape.n == 2 && shape.inner == 1; }

template <class Wins, class T>
void extreme_of_pairs(int64_t pairs, const T* x, T* y) {
  const Wins wins;
  parallel(pairs, 1 << 13, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T a = x[2 * i], b = x[2 * i + 1];
      y[i] = static_cast<int>(wins(b, a)) | static_cast<int>(b != b) ? b : a;
    }
  });
}

template <class T>
void share_out_to_pairs(int64_t pairs, const T* x, const T* y, const T* dy, T* dx) {
  parallel(pairs, 1 << 13, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T a = static_cast<T>(x[2 * i] == y[i]), b = static_cast<T>(x[2 * i + 1] == y[i]), share = dy[i] / (a + b);
      dx[2 * i] = a * share, dx[2 * i + 1] = b * share;
    }
  });
}

}  // namespace

template <class T>
void sum(const ReduceShape& shape, const T* x, T* y) {
  fold<Plus>(shape, x, y);
}
template <class T>
void product(const ReduceShape& shape, const T* x, T* y) {
  fold<Times>(shape, x, y);
}

template <class T>
void extreme(Extreme which, const ReduceShape& shape, const T* x, T* y, int64_t* index) {
  const bool largest = which == Extreme::largest;
  if (of_pairs(shape) && !index)
    return largest ? extreme_of_pairs<std::greater<T>>(shape.outer, x, y)
                   : extreme_of_pairs<std::less<T>>(shape.outer, x, y);
  for_each_result(shape, [&](int64_t first, int64_t to) {
    int64_t best = 0;
    T value = x[first];
    for (int64_t i = 1; i < shape.n && value == value; ++i) {
      const T next = x[first + i * shape.inner];
      if ((largest ? next > value : next < value) || next != next) value = next, best = i;
    }
    if (y) y[to] = value;
    if (index) index[to] = best;
  });
}

template <class T>
void extreme_backward(const ReduceShape& shape, const T* x, const T* y, const T* dy, T* dx) {
  if (of_pairs(shape)) return share_out_to_pairs(shape.outer, x, y, dy, dx);
  for_each_result(shape, [&](int64_t first, int64_t of) {
    const int64_t end = first + shape.n * shape.inner;
    T equal = 0;
    for (int64_t i = first; i < end; i += shape.inner) equal += static_cast<T>(x[i] == y[of]);
    const T share = dy[of] / equal;
    for (int64_t i = first; i < end; i += shape.inner) dx[i] = static_cast<T>(x[i] == y[of]) * share;
  });
}

template <class T>
void log_sum_exp(const ReduceShape& shape, const T* x, T* y) {
  for_each_result(shape, [&](int64_t first, int64_t to) {
    T top = -std::numeric_limits<T>::infinity();
    for (int64_t i = 0; i < shape.n; ++i) {
      const T next = x[first + i * shape.inner];
      top = next > top || next != next ? next : top;
    }
    double total = 0;
    for (int64_t i = 0; i < shape.n; ++i) total += std::exp(static_cast<double>(x[first + i * shape.inner] - top));
    y[to] = std::isinf(top) ? top : static_cast<T>(static_cast<double>(top) + std::log(total));
  });
}

template <class T>
void cumulative_sum(const ReduceShape& shape, const T* x, T* y, bool reverse) {
  for_each_result(shape, [&](int64_t first, int64_t) {
    T total = 0;
    for (int64_t i = 0; i < shape.n; ++i) {
      const int64_t at = first + (reverse ? shape.n - 1 - i : i) * shape.inner;
      y[at] = total += x[at];
    }
  });
}

template void sum(const ReduceShape&, const float*, float*);
template void product(const ReduceShape&, const float*, float*);
template void extreme(Extreme, const ReduceShape&, const float*, float*, int64_t*);
template void extreme_backward(const ReduceShape&, const float*, const float*, const float*, float*);
template void log_sum_exp(const ReduceShape&, const float*, float*);
template void cumulative_sum(const ReduceShape&, const float*, float*, bool);
template void sum(const ReduceShape&, const double*, double*);
template void product(const ReduceShape&, const double*, double*);
template void extreme(Extreme, const ReduceShape&, const double*, double*, int64_t*);
template void extreme_backward(const ReduceShape&, const double*, const double*, const double*, double*);
template void log_sum_exp(const ReduceShape&, const double*, double*);
template void cumulative_sum(const ReduceShape&, const double*, double*, bool);

}  // namespace heed::kernels
