#include "kernels/embedding.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "base/threads.h"

namespace heed::kernels {
namespace {

struct Occurrence {
  int64_t row, position;
};

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

// sum_of(unique) is where the sum of a unique row goes; it starts from what is there, or from nothing.
template <class T, bool kAccumulate, class SumOf>
void add_up(const Occurrences& occurrences, const T* out_gradient, int64_t width, const SumOf& sum_of) {
  const auto add_columns = [&](int64_t unique, int64_t column, int64_t count) {
    const auto first = static_cast<size_t>(occurrences.starts[static_cast<size_t>(unique)]);
    const auto last = static_cast<size_t>(occurrences.starts[static_cast<size_t>(unique) + 1]);
    T* __restrict sum = sum_of(unique) + column;
    for (size_t i = first; i < last; ++i) {
      const T* __restrict from = out_gradient + occurrences.items[i].position * width + column;
      if (!kAccumulate && i == first)
        std::copy_n(from, count, sum);
      else
        for (int64_t j = 0; j < count; ++j) sum[j] += from[j];
    }
  };
  // One row may hold most of the positions, so wide rows are split by columns, narrow ones by rows: the order of the
  // additions to an element is the same.
  constexpr int64_t kStrip = 64;
  const int64_t strips = (width + kStrip - 1) / kStrip;
  if (strips >= threads()) {
    parallel(occurrences.items.empty() ? 0 : strips, 1, [&](int64_t begin, int64_t end) {
      const int64_t column = begin * kStrip, count = std::min(width, end * kStrip) - column;
      for (int64_t u = 0; u < occurrences.count(); ++u) add_columns(u, column, count);
    });
  } else {
    parallel(occurrences.count(), 64, [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u) add_columns(u, 0, width);
    });
  }
}

}  // namespace

int64_t first_out_of_range(const int64_t* indices, int64_t n, int64_t table_rows) {
  const auto* end = indices + n;
  const auto* bad = std::find_if(indices, end, [&](int64_t i) { return i < 0 || i >= table_rows; });
  return bad == end ? -1 : bad - indices;
}

template <class T>
void gather_rows(const T* table, const int64_t* indices, T* out, int64_t n, int64_t width) {
  constexpr int64_t kGrainBytes = 1 << 15;
  const int64_t bytes = std::max<int64_t>(1, width * static_cast<int64_t>(sizeof(T)));
  parallel(n, std::max<int64_t>(1, kGrainBytes / bytes), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) std::copy_n(table + indices[i] * width, width, out + i * width);
  });
}

template <class T>
int64_t sparse_row_gradient(const int64_t* indices, const T* out_gradient, int64_t n, int64_t width, int64_t* rows,
                            T* gradients, int64_t padding) {
  const Occurrences occurrences(indices, n, padding);
  for (int64_t u = 0; u < occurrences.count(); ++u) rows[u] = occurrences.row(u);
  add_up<T, false>(occurrences, out_gradient, width, [&](int64_t unique) { return gradients + unique * width; });
  return occurrences.count();
}

template <class T>
void scatter_add_rows(const int64_t* indices, const T* out_gradient, T* table_gradient, int64_t n, int64_t width,
                      int64_t padding) {
  const Occurrences occurrences(indices, n, padding);
  add_up<T, true>(occurrences, out_gradient, width,
                  [&](int64_t unique) { return table_gradient + occurrences.row(unique) * width; });
}

template void gather_rows(const float*, const int64_t*, float*, int64_t, int64_t);
template void gather_rows(const double*, const int64_t*, double*, int64_t, int64_t);
template int64_t sparse_row_gradient(const int64_t*, const float*, int64_t, int64_t, int64_t*, float*, int64_t);
template int64_t sparse_row_gradient(const int64_t*, const double*, int64_t, int64_t, int64_t*, double*, int64_t);
template void scatter_add_rows(const int64_t*, const float*, float*, int64_t, int64_t, int64_t);
template void scatter_add_rows(const int64_t*, const double*, double*, int64_t, int64_t, int64_t);

}  // namespace heed::kernels
