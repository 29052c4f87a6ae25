#include "tensor/statistics.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "base/threads.h"

namespace heed {
namespace {

constexpr int64_t kBlock = 1 << 16;  // elements a partial sum: the same for any number of threads

template <class T>
struct Partial {
  T min{}, max{};
  double sum = 0;
  int64_t count = 0, nan = 0;
};

template <class Reader>
auto scan(const Reader& elements, int64_t begin, int64_t end) {
  Partial<std::decay_t<decltype(elements[0])>> part;
  for (int64_t i = begin; i < end; ++i) {
    const auto value = elements[i];
    if (value != value) {
      ++part.nan;
      continue;
    }
    part.min = part.count == 0 ? value : std::min(part.min, value);
    part.max = part.count == 0 ? value : std::max(part.max, value);
    part.sum += static_cast<double>(value);
    ++part.count;
  }
  return part;
}

template <class T>
void join(Partial<T>* all, const Partial<T>& part) {
  all->nan += part.nan;
  if (part.count == 0) return;
  all->min = all->count == 0 ? part.min : std::min(all->min, part.min);
  all->max = all->count == 0 ? part.max : std::max(all->max, part.max);
  all->sum += part.sum;
  all->count += part.count;
}

template <class T>
Number number(T value) {
  if constexpr (std::is_floating_point_v<T>) return static_cast<double>(value);
  if constexpr (std::is_signed_v<T>) return static_cast<int64_t>(value);
  return static_cast<uint64_t>(value);
}

template <class Reader>
Statistics of_elements(const Reader& elements, int64_t count) {
  using Part = decltype(scan(elements, 0, 0));
  std::vector<Part> parts(static_cast<size_t>((count + kBlock - 1) / kBlock));
  parallel(static_cast<int64_t>(parts.size()), 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      parts[static_cast<size_t>(i)] = scan(elements, i * kBlock, std::min((i + 1) * kBlock, count));
  });
  Part all;
  for (const Part& part : parts) join(&all, part);
  Statistics result;
  result.nan = all.nan;
  if (all.count > 0) result.range = {number(all.min), number(all.max), all.sum / static_cast<double>(all.count)};
  return result;
}

}  // namespace

std::optional<Statistics> statistics(Encoding encoding, const Bytes& bytes, int64_t count) {
  std::optional<Statistics> result;
  visit_elements(encoding, bytes.data, [&](auto elements) { result = of_elements(elements, count); });
  return result;
}

}  // namespace heed
