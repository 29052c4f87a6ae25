#include "kernels/embedding.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/threads.h"
#include "kernels/scratch.h"
#include "kernels/streaming.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/embedding.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway's own.
#include "kernels/lanes-inl.h"

#ifndef HEED_KERNELS_EMBEDDING_ONCE
#define HEED_KERNELS_EMBEDDING_ONCE
namespace heed::kernels {

struct Occurrence {
  int64_t row, position;
};

// The occurrences of one row of the table, and where the sum of their gradients goes: `count` columns of rows that are
// `width` long. Sums start from what is there where accumulate is set.
template <class T>
struct RowOfSums {
  const Occurrence *first, *last, *end;  // [first, last) are the row's; up to end there are more
  const T* gradient;                     // at the first column
  T* sum;
  int64_t width, count;
  bool accumulate, stream;
};

}  // namespace heed::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

// Rows come from anywhere: the processor sees no pattern, so the rows to come are asked for by hand.
constexpr int64_t kRowsAhead = 3;

void copy_rows(const float* table, const int64_t* indices, float* out, int64_t n, int64_t width, bool stream) {
  for (int64_t i = 0; i < n; ++i) {
    const float* row = table + indices[i] * width;
    const float* later = table + indices[std::min(n - 1, i + kRowsAhead)] * width;
    write_row(stream, out + i * width, width, [&](int64_t j, auto lanes) HWY_ATTR {
      hwy::Prefetch(later + j);
      return lanes.load(row + j);
    });
  }
  if (stream) hwy::FlushStream();
}

struct SumOfRows;

void sum_row(const RowOfSums<float>& of) {
  const auto row = [&](const Occurrence* o) HWY_ATTR { return of.gradient + o->position * of.width; };
  const float* later = row(std::min(of.end - 1, of.first + kRowsAhead));
  const Occurrence* next = of.first;
  const float* sum = of.accumulate ? of.sum : row(next++);
  float* buffer = of.stream ? scratch<SumOfRows, float>(of.count) : of.sum;
  while (next + 1 < of.last) {
    const float* from = row(next++);
    for_lanes(of.count, [&](int64_t i, auto lanes)
                            HWY_ATTR { lanes.store(hn::Add(lanes.load(sum + i), lanes.load(from + i)), buffer + i); });
    sum = buffer;
  }
  const float* final = next < of.last ? row(next) : nullptr;
  write_row(of.stream, of.sum, of.count, [&](int64_t i, auto lanes) HWY_ATTR {
    hwy::Prefetch(later + i);
    return final ? hn::Add(lanes.load(sum + i), lanes.load(final + i)) : lanes.load(sum + i);
  });
}

void finish_rows(bool streamed) {
  if (streamed) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
HWY_EXPORT(copy_rows);
HWY_EXPORT(sum_row);
HWY_EXPORT(finish_rows);

namespace {

// A stable radix sort by row, eleven bits a pass: a comparison sort would cost as much as adding the rows up.
void sort_by_row(std::vector<Occurrence>& items, int64_t largest) {
  constexpr int kBits = 11, kBuckets = 1 << kBits;
  std::vector<Occurrence> other(items.size());
  for (int shift = 0; shift < static_cast<int>(std::bit_width(static_cast<uint64_t>(largest))); shift += kBits) {
    size_t start[kBuckets + 1] = {};
    for (const Occurrence& item : items) ++start[(item.row >> shift & (kBuckets - 1)) + 1];
    for (int b = 0; b < kBuckets; ++b) start[b + 1] += start[b];
    for (const Occurrence& item : items) other[start[item.row >> shift & (kBuckets - 1)]++] = item;
    items.swap(other);
  }
}

// The positions of each row, rows ascending, positions ascending within a row.
struct Occurrences {
  std::vector<Occurrence> items;
  std::vector<int64_t> starts;  // of each unique row in items, and the end

  Occurrences(const int64_t* indices, int64_t n, int64_t padding) {
    items.reserve(static_cast<size_t>(n));
    int64_t largest = 0;
    for (int64_t i = 0; i < n; ++i) {
      if (indices[i] == padding) continue;
      items.push_back({indices[i], i});
      largest = std::max(largest, indices[i]);
    }
    sort_by_row(items, largest);
    for (size_t i = 0; i < items.size(); ++i)
      if (i == 0 || items[i].row != items[i - 1].row) starts.push_back(static_cast<int64_t>(i));
    starts.push_back(std::ssize(items));
  }

  int64_t count() const { return std::ssize(starts) - 1; }
  int64_t row(int64_t unique) const { return items[static_cast<size_t>(starts[static_cast<size_t>(unique)])].row; }
};

void sum_row_of(const RowOfSums<float>& of) { HWY_DYNAMIC_DISPATCH(sum_row)(of); }

void sum_row_of(const RowOfSums<double>& of) {
  if (!of.accumulate) std::fill_n(of.sum, of.count, 0.0);
  for (const Occurrence* o = of.first; o < of.last; ++o)
    for (int64_t j = 0; j < of.count; ++j) of.sum[j] += of.gradient[o->position * of.width + j];
}

// sum_of(unique) is where the sum of a unique row goes.
template <class T, class SumOf>
void add_up(const Occurrences& occurrences, const T* out_gradient, int64_t width, bool accumulate, bool stream,
            const SumOf& sum_of) {
  const Occurrence* items = occurrences.items.data();
  const auto add_columns = [&](int64_t unique, int64_t column, int64_t count) {
    const auto* starts = occurrences.starts.data() + unique;
    sum_row_of(RowOfSums<T>{items + starts[0], items + starts[1], items + occurrences.items.size(),
                            out_gradient + column, sum_of(unique) + column, width, count, accumulate, stream});
  };
  // One row may hold most of the positions, so wide rows are split by columns, narrow ones by rows: the order of the
  // additions to an element is the same.
  constexpr int64_t kStrip = 64;
  const int64_t strips = (width + kStrip - 1) / kStrip;
  if (strips >= threads()) {
    parallel(occurrences.items.empty() ? 0 : strips, 1, [&](int64_t begin, int64_t end) {
      const int64_t column = begin * kStrip, count = std::min(width, end * kStrip) - column;
      for (int64_t u = 0; u < occurrences.count(); ++u) add_columns(u, column, count);
      HWY_DYNAMIC_DISPATCH(finish_rows)(stream);
    });
  } else {
    parallel(occurrences.count(), 64, [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u) add_columns(u, 0, width);
      HWY_DYNAMIC_DISPATCH(finish_rows)(stream);
    });
  }
}

}  // namespace

int64_t first_out_of_range(const int64_t* indices, int64_t n, int64_t table_rows) {
  const auto* end = indices + n;
  const auto* bad = std::find_if(indices, end, [&](int64_t i) { return i < 0 || i >= table_rows; });
  return bad == end ? -1 : bad - indices;
}

void gather_rows(const float* table, const int64_t* indices, float* out, int64_t n, int64_t width) {
  const bool stream = streams(out, n * width, false);
  parallel(n, std::max<int64_t>(1, 8192 / std::max<int64_t>(1, width)), [&](int64_t begin, int64_t end) {
    HWY_DYNAMIC_DISPATCH(copy_rows)(table, indices + begin, out + begin * width, end - begin, width, stream);
  });
}

void gather_rows(const double* table, const int64_t* indices, double* out, int64_t n, int64_t width) {
  for (int64_t i = 0; i < n; ++i) std::copy_n(table + indices[i] * width, width, out + i * width);
}

template <class T>
int64_t sparse_row_gradient(const int64_t* indices, const T* out_gradient, int64_t n, int64_t width, int64_t* rows,
                            T* gradients, int64_t padding) {
  const Occurrences occurrences(indices, n, padding);
  for (int64_t u = 0; u < occurrences.count(); ++u) rows[u] = occurrences.row(u);
  const bool stream = streams(gradients, occurrences.count() * width, false);
  add_up(occurrences, out_gradient, width, false, stream, [&](int64_t unique) { return gradients + unique * width; });
  return occurrences.count();
}

template <class T>
void scatter_add_rows(const int64_t* indices, const T* out_gradient, T* table_gradient, int64_t n, int64_t width,
                      int64_t padding) {
  const Occurrences occurrences(indices, n, padding);
  add_up(occurrences, out_gradient, width, true, false,
         [&](int64_t unique) { return table_gradient + occurrences.row(unique) * width; });
}

template int64_t sparse_row_gradient(const int64_t*, const float*, int64_t, int64_t, int64_t*, float*, int64_t);
template int64_t sparse_row_gradient(const int64_t*, const double*, int64_t, int64_t, int64_t*, double*, int64_t);
template void scatter_add_rows(const int64_t*, const float*, float*, int64_t, int64_t, int64_t);
template void scatter_add_rows(const int64_t*, const double*, double*, int64_t, int64_t, int64_t);

}  // namespace heed::kernels
#endif
