#include "kernels/pooling.h"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "base/threads.h"

namespace heed::kernels {
namespace {

constexpr int64_t kChunk = 256;      // outputs of a row that are worked on together, in the first cache
constexpr int64_t kGrain = 1 << 14;  // elements that are worth a thread

int64_t planes_a_thread(int64_t size) { return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, size)); }

// Calls visit(x offset, window offset, first output, count) for each tap that meets x: for the outputs
// [begin, begin + kChunk) of output row i, in the window's order. `first output` counts from begin.
template <class Visit>
void visit_taps(const PoolingShape& s, int64_t i, int64_t begin, const Visit& visit) {
  const ConvolutionAxis &h = s.height, &w = s.width;
  for (int64_t u = 0; u < h.kernel; ++u) {
    const int64_t row = h.position(i, u);
    if (row < 0 || row >= h.input) continue;
    for (int64_t v = 0; v < w.kernel; ++v) {
      const ConvolutionAxis::Range inside = w.outputs_inside(v);
      const int64_t first = std::max(inside.begin, begin), last = std::min(inside.end, begin + kChunk);
      if (first >= last) continue;
      visit(row * w.input + w.position(first, v), u * h.dilation * w.input + v * w.dilation, first - begin,
            last - first);
    }
  }
}

// Calls visit(i, begin, count) for each chunk of each row of outputs.
template <class Visit>
void visit_chunks(const PoolingShape& s, const Visit& visit) {
  const int64_t width = s.width.output();
  for (int64_t i = 0; i < s.height.output(); ++i)
    for (int64_t begin = 0; begin < width; begin += kChunk) visit(i, begin, std::min(kChunk, width - begin));
}

// Runs body with the stride as a constant where it is a common one, so that the compiler can use vectors.
template <class Body>
void with_stride(int64_t stride, const Body& body) {
  if (stride == 1) return body(std::integral_constant<int64_t, 1>());
  if (stride == 2) return body(std::integral_constant<int64_t, 2>());
  body(stride);
}

template <class T, class Offset, class Stride>
void take_larger(const T* __restrict x, Stride stride, Offset offset, int64_t count, T* __restrict best,
                 Offset* __restrict where) {
  for (int64_t j = 0; j < count; ++j) {
    const T value = x[j * stride];
    const bool better = (value > best[j]) | (value != value) | (where[j] < 0);
    best[j] = better ? value : best[j];
    where[j] = better ? offset : where[j];
  }
}

// Offset counts elements inside of a window: as wide as T where that is enough, so that both share a vector's lanes.
template <class Offset, class T>
void max_pool_plane(const PoolingShape& s, const T* x, T* y, int64_t* indices) {
  Offset where[kChunk];
  visit_chunks(s, [&](int64_t i, int64_t begin, int64_t count) {
    T* best = y + i * s.width.output() + begin;
    std::fill_n(best, count, -std::numeric_limits<T>::infinity());
    std::fill_n(where, count, Offset{-1});
    visit_taps(s, i, begin, [&](int64_t from, int64_t offset, int64_t first, int64_t n) {
      with_stride(s.width.stride, [&](auto stride) {
        take_larger(x + from, stride, static_cast<Offset>(offset), n, best + first, where + first);
      });
    });
    const int64_t corner = s.height.position(i, 0) * s.width.input + s.width.position(begin, 0);
    int64_t* index = indices + i * s.width.output() + begin;
    for (int64_t j = 0; j < count; ++j) index[j] = where[j] < 0 ? -1 : corner + j * s.width.stride + where[j];
  });
}

template <class T>
void scatter_planes(int64_t planes, int64_t inputs, int64_t outputs, const T* dy, const int64_t* indices, T* dx) {
  parallel(planes, planes_a_thread(inputs), [&](int64_t begin, int64_t end) {
    std::fill(dx + begin * inputs, dx + end * inputs, T{0});
    for (int64_t p = begin; p < end; ++p)
      for (int64_t o = p * outputs; o < (p + 1) * outputs; ++o)
        if (indices[o] >= 0) dx[p * inputs + indices[o]] += dy[o];
  });
}

// How many x the windows hold along one axis.
template <class T>
std::vector<T> counts(const ConvolutionAxis& axis, AverageOver over) {
  std::vector<T> count(axis.output(), over == AverageOver::kernel ? T(axis.kernel) : T{0});
  for (int64_t tap = 0; tap < axis.kernel && over == AverageOver::inside; ++tap) {
    const auto [begin, end] = axis.outputs_inside(tap);
    for (int64_t i = begin; i < end; ++i) count[i] += 1;
  }
  return count;
}

// quotient = numerator / (rows · columns[j]), and 0 where the window holds nothing.
template <class T>
void divide(const T* numerator, T rows, const T* columns, int64_t count, T* quotient) {
  for (int64_t j = 0; j < count; ++j) quotient[j] = numerator[j] / std::max(T{1}, rows * columns[j]);
}

template <class T>
T sum(const T* x, int64_t count) {
  constexpr int64_t kLanes = 32;
  T lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += x[i + lane];
  for (int64_t lane = 0; i < count; ++i, ++lane) lanes[lane] += x[i];
  for (int64_t half = kLanes / 2; half > 0; half /= 2)
    for (int64_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  return lanes[0];
}

// The first largest element: first its value, lane by lane, then its place; a NaN is larger than all.
template <class T>
int64_t index_of_largest(const T* x, int64_t count) {
  constexpr int64_t kLanes = 32;
  T best[kLanes];
  std::fill_n(best, kLanes, x[0]);
  const auto take = [&](int64_t i, int64_t lane) {
    const T value = x[i];
    best[lane] = ((value > best[lane]) | (value != value)) ? value : best[lane];
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) take(i + lane, lane);
  for (; i < count; ++i) take(i, 0);
  T largest = best[0];
  for (const T value : best)
    if (value > largest || value != value) largest = value;
  if (largest != largest) return std::find_if(x, x + count, [](T value) { return value != value; }) - x;
  return std::find(x, x + count, largest) - x;
}

}  // namespace

template <class T>
void max_pool(const PoolingShape& s, const T* x, T* y, int64_t* indices) {
  using Narrow = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  const bool narrow = s.height.span() * s.width.input <= std::numeric_limits<Narrow>::max() - s.width.span();
  const int64_t inputs = s.input_plane(), outputs = s.output_plane();
  parallel(s.planes, planes_a_thread(inputs), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      if (narrow)
        max_pool_plane<Narrow>(s, x + p * inputs, y + p * outputs, indices + p * outputs);
      else
        max_pool_plane<int64_t>(s, x + p * inputs, y + p * outputs, indices + p * outputs);
    }
  });
}

template <class T>
void max_pool_backward(const PoolingShape& s, const T* dy, const int64_t* indices, T* dx) {
  scatter_planes(s.planes, s.input_plane(), s.output_plane(), dy, indices, dx);
}

template <class T>
void average_pool(const PoolingShape& s, AverageOver over, const T* x, T* y) {
  const std::vector<T> rows = counts<T>(s.height, over), columns = counts<T>(s.width, over);
  const int64_t inputs = s.input_plane(), outputs = s.output_plane();
  parallel(s.planes, planes_a_thread(inputs), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p)
      visit_chunks(s, [&](int64_t i, int64_t at, int64_t count) {
        T* total = y + p * outputs + i * s.width.output() + at;
        std::fill_n(total, count, T{0});
        visit_taps(s, i, at, [&](int64_t from, int64_t, int64_t first, int64_t n) {
          with_stride(s.width.stride, [&](auto stride) {
            const T* __restrict source = x + p * inputs + from;
            T* __restrict target = total + first;
            for (int64_t j = 0; j < n; ++j) target[j] += source[j * stride];
          });
        });
        divide(total, rows[i], columns.data() + at, count, total);
      });
  });
}

template <class T>
void average_pool_backward(const PoolingShape& s, AverageOver over, const T* dy, T* dx) {
  const std::vector<T> rows = counts<T>(s.height, over), columns = counts<T>(s.width, over);
  const int64_t inputs = s.input_plane(), outputs = s.output_plane();
  parallel(s.planes, planes_a_thread(inputs), [&](int64_t begin, int64_t end) {
    std::fill(dx + begin * inputs, dx + end * inputs, T{0});
    T share[kChunk];
    for (int64_t p = begin; p < end; ++p)
      visit_chunks(s, [&](int64_t i, int64_t at, int64_t count) {
        divide(dy + p * outputs + i * s.width.output() + at, rows[i], columns.data() + at, count, share);
        visit_taps(s, i, at, [&](int64_t to, int64_t, int64_t first, int64_t n) {
          with_stride(s.width.stride, [&](auto stride) {
            const T* __restrict source = share + first;
            T* __restrict target = dx + p * inputs + to;
            for (int64_t j = 0; j < n; ++j) target[j * stride] += source[j];
          });
        });
      });
  });
}

template <class T>
void global_max_pool(int64_t planes, int64_t size, const T* x, T* y, int64_t* indices) {
  parallel(planes, planes_a_thread(size), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      indices[p] = size > 0 ? index_of_largest(x + p * size, size) : -1;
      y[p] = size > 0 ? x[p * size + indices[p]] : -std::numeric_limits<T>::infinity();
    }
  });
}

template <class T>
void global_max_pool_backward(int64_t planes, int64_t size, const T* dy, const int64_t* indices, T* dx) {
  scatter_planes(planes, size, int64_t{1}, dy, indices, dx);
}

template <class T>
void global_average_pool(int64_t planes, int64_t size, const T* x, T* y) {
  parallel(planes, planes_a_thread(size), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) y[p] = sum(x + p * size, size) / std::max(T{1}, static_cast<T>(size));
  });
}

template <class T>
void global_average_pool_backward(int64_t planes, int64_t size, const T* dy, T* dx) {
  parallel(planes, planes_a_thread(size), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) std::fill_n(dx + p * size, size, dy[p] / static_cast<T>(size));
  });
}

template void max_pool(const PoolingShape&, const float*, float*, int64_t*);
template void max_pool(const PoolingShape&, const double*, double*, int64_t*);
template void max_pool_backward(const PoolingShape&, const float*, const int64_t*, float*);
template void max_pool_backward(const PoolingShape&, const double*, const int64_t*, double*);
template void average_pool(const PoolingShape&, AverageOver, const float*, float*);
template void average_pool(const PoolingShape&, AverageOver, const double*, double*);
template void average_pool_backward(const PoolingShape&, AverageOver, const float*, float*);
template void average_pool_backward(const PoolingShape&, AverageOver, const double*, double*);
template void global_max_pool(int64_t, int64_t, const float*, float*, int64_t*);
template void global_max_pool(int64_t, int64_t, const double*, double*, int64_t*);
template void global_max_pool_backward(int64_t, int64_t, const float*, const int64_t*, float*);
template void global_max_pool_backward(int64_t, int64_t, const double*, const int64_t*, double*);
template void global_average_pool(int64_t, int64_t, const float*, float*);
template void global_average_pool(int64_t, int64_t, const double*, double*);
template void global_average_pool_backward(int64_t, int64_t, const float*, float*);
template void global_average_pool_backward(int64_t, int64_t, const double*, double*);

}  // namespace heed::kernels
