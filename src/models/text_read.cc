#include "models/text_read.h"

#include <heed/ops.h>

#include <algorithm>

#include "models/model.h"

namespace heed {
namespace {

// Where each begins with so many places before them.
std::vector<int64_t> starts_behind(const Places& places, int64_t before) {
  std::vector<int64_t> starts = places.starts;
  starts.resize(static_cast<size_t>(places.rows));
  for (int64_t& start : starts) start += before;
  return starts;
}

}  // namespace

int64_t Places::take(const Tensor& from) {
  rows = from.dim(0);
  if (starts.empty() || rows == 0) return 0;
  std::vector<int64_t> taken;
  for (const int64_t row : from.span<int64_t>()) taken.push_back(starts.at(static_cast<size_t>(row)));
  const auto [first, last] = std::minmax_element(taken.begin(), taken.end());
  const int64_t gone = *first;
  if (*last == gone) taken.clear();
  for (int64_t& start : taken) start -= gone;
  starts = std::move(taken), read -= gone;
  return gone;
}

void Places::join(const Places& more) {
  const int64_t all = std::max(read, more.read);
  if (!starts.empty() || !more.starts.empty() || read != more.read) {
    starts = starts_behind(*this, all - read);
    const std::vector<int64_t> others = starts_behind(more, all - more.read);
    starts.insert(starts.end(), others.begin(), others.end());
  }
  read = all, rows += more.rows;
}

int64_t Places::furthest(int64_t next) const {
  return read + next - (starts.empty() ? 0 : *std::min_element(starts.begin(), starts.end()));
}

Tensor Places::rows_of(const Tensor& table, int64_t next) const {
  if (starts.empty()) return slice(table, 0, read, read + next);
  std::vector<int64_t> of;
  for (const int64_t start : starts)
    for (int64_t place = read; place < read + next; ++place) of.push_back(std::max<int64_t>(0, place - start));
  return embedding(table, tensor_from(of, {rows, next}));
}

void TextRead::take(const Tensor& from) {
  const int64_t gone = places.take(from);
  for (KeyValueCache& cache : caches) cache.take(from, gone);
}

void TextRead::join(const TextRead& more) {
  for (size_t n = 0; n < caches.size(); ++n) caches[n].join(more.caches[n], places.rows, more.places.rows);
  places.join(more.places);
}

namespace sequence {

void join(Tensor& a, const Tensor& b) {
  if (!a.defined()) return;
  const auto as_large = [&](const Tensor& x) {
    std::vector<Padding> behind;
    for (int d = 1; d < a.rank(); ++d) behind.push_back({0, std::max(a.dim(d), b.dim(d)) - x.dim(d)});
    const bool fits = std::all_of(behind.begin(), behind.end(), [](const Padding& each) { return each.after == 0; });
    return fits ? x : pad(x, behind);
  };
  a = concat({as_large(a), as_large(b)}, 0);
}

}  // namespace sequence
}  // namespace heed
