#include "kernels/order.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/threads.h"

namespace heed::kernels {
namespace {

template <class T>
bool below(T a, T b) {
  if (a != a) return false;
  return b != b || a < b;
}

// Places of a row in the order of their values, and of the places where values are equal.
template <class T>
auto by_value(const T* row, bool descending) {
  return [row, descending](int64_t a, int64_t b) {
    const bool before = descending ? below(row[b], row[a]) : below(row[a], row[b]);
    const bool after = descending ? below(row[a], row[b]) : below(row[b], row[a]);
    return before || (!after && a < b);
  };
}

// order(places, comparison) arranges the first k of n places.
template <class T, class Order>
void each_row(const T* x, T* values, int64_t* indices, int64_t rows, int64_t n, int64_t k, bool descending,
              const Order& order) {
  parallel(rows, (1 << 10) / std::max<int64_t>(1, n) + 1, [&](int64_t begin, int64_t end) {
    std::vector<int64_t> places(static_cast<size_t>(n));
    for (int64_t r = begin; r < end; ++r) {
      std::iota(places.begin(), places.end(), int64_t{0});
      order(places, by_value(x + r * n, descending));
      for (int64_t i = 0; i < k; ++i) {
        indices[r * k + i] = places[static_cast<size_t>(i)];
        values[r * k + i] = x[r * n + places[static_cast<size_t>(i)]];
      }
    }
  });
}

}  // namespace

template <class T>
void sort_rows(const T* x, T* values, int64_t* indices, int64_t rows, int64_t n, bool descending) {
  each_row(x, values, indices, rows, n, n, descending,
           [](auto& places, const auto& before) { std::sort(places.begin(), places.end(), before); });
}

template <class T>
void top_rows(const T* x, T* values, int64_t* indices, int64_t rows, int64_t n, int64_t k, bool largest) {
  each_row(x, values, indices, rows, n, k, largest, [k](auto& places, const auto& before) {
    std::partial_sort(places.begin(), places.begin() + k, places.end(), before);
  });
}

template void sort_rows(const float*, float*, int64_t*, int64_t, int64_t, bool);
template void top_rows(const float*, float*, int64_t*, int64_t, int64_t, int64_t, bool);
template void sort_rows(const double*, double*, int64_t*, int64_t, int64_t, bool);
template void top_rows(const double*, double*, int64_t*, int64_t, int64_t, int64_t, bool);
template void sort_rows(const int64_t*, int64_t*, int64_t*, int64_t, int64_t, bool);
template void top_rows(const int64_t*, int64_t*, int64_t*, int64_t, int64_t, int64_t, bool);
template void sort_rows(const int32_t*, int32_t*, int64_t*, int64_t, int64_t, bool);
template void top_rows(const int32_t*, int32_t*, int64_t*, int64_t, int64_t, int64_t, bool);
template void sort_rows(const uint8_t*, uint8_t*, int64_t*, int64_t, int64_t, bool);
template void top_rows(const uint8_t*, uint8_t*, int64_t*, int64_t, int64_t, int64_t, bool);

}  // namespace heed::kernels
