// Keys and values of what was read so far. Appending copies only what is new; the room doubles when it is full.
#include <heed/attention.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/threads.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

constexpr int64_t kWorth = 1 << 16;  // bytes that are worth a thread

void put(Tensor& all, const Tensor& more, int64_t size, int64_t room) {
  if (!all.defined() || all.dim(2) < room) {
    Tensor larger({more.dim(0), more.dim(1), room, more.dim(3)}, more.dtype());
    if (size > 0) larger.slice(2, 0, size).copy_from(all.slice(2, 0, size));
    all = larger;
  }
  all.slice(2, size, size + more.dim(2)).copy_from(more.detach());
}

int64_t room_for(int64_t size, int64_t room = 64) {
  while (room < size) room *= 2;
  return room;
}

// The places [begin, end) of the batches `from`, with room for as many as before.
Tensor taken(const Tensor& all, std::span<const int64_t> from, int64_t begin_place, int64_t end_place) {
  const auto count = static_cast<int64_t>(from.size()), groups = all.dim(1), size = end_place - begin_place;
  Tensor rows({count, groups, all.dim(2), all.dim(3)}, all.dtype());
  const int64_t a_place = all.dim(3) * size_of(all.dtype()), a_group = all.dim(2) * a_place;
  auto* const to = static_cast<char*>(rows.raw());
  const auto* const origin = static_cast<const char*>(all.raw()) + begin_place * a_place;
  parallel(count * groups, 1 + kWorth / (1 + size * a_place), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      std::memcpy(to + i * a_group, origin + (from[static_cast<size_t>(i / groups)] * groups + i % groups) * a_group,
                  static_cast<size_t>(size * a_place));
  });
  return rows;
}

// So many batches with so many places; undefined where they have none.
struct Part {
  const Tensor& rows;
  int64_t batches, size;
};
Shape shape_of(const Part& part) { return part.rows.defined() ? part.rows.shape() : Shape(); }

void put_at_end(const Part& part, const Tensor& of_all) {
  const int64_t size = of_all.dim(2);
  Tensor before = of_all.slice(2, 0, size - part.size), own = of_all.slice(2, size - part.size, size);
  before.fill(0);
  if (part.size > 0) own.copy_from(part.rows.slice(2, 0, part.size));
}
Tensor joined(const Part& a, const Part& b) {
  const Tensor& like = a.rows.defined() ? a.rows : b.rows;
  for (const Part* part : {&a, &b})
    check(!part->rows.defined() || (part->rows.dim(0) == part->batches && part->rows.dim(1) == like.dim(1) &&
                                    part->rows.dim(3) == like.dim(3) && part->rows.dtype() == like.dtype()),
          "cache", "{} of {} batches and {} of {} cannot be joined", shape_of(a), a.batches, shape_of(b), b.batches);
  const int64_t size = std::max(a.size, b.size);
  Tensor all({a.batches + b.batches, like.dim(1), room_for(size), like.dim(3)}, like.dtype());
  put_at_end(a, all.slice(0, 0, a.batches).slice(2, 0, size));
  put_at_end(b, all.slice(0, a.batches, a.batches + b.batches).slice(2, 0, size));
  return all;
}

}  // namespace

void KeyValueCache::append(const Tensor& k, const Tensor& v) {
  check(k.rank() == 4 && v.rank() == 4 && k.dim(0) == v.dim(0) && k.dim(1) == v.dim(1) && k.dim(2) == v.dim(2), "cache",
        "k {} and v {}: wanted (B,G,n,D) and (B,G,n,E)", k.shape(), v.shape());
  check(!keys_.defined() || (keys_.dim(0) == k.dim(0) && keys_.dim(1) == k.dim(1) && keys_.dim(3) == k.dim(3) &&
                             values_.dim(3) == v.dim(3)),
        "cache", "k {} and v {} after keys {}", k.shape(), v.shape(), keys_.defined() ? keys_.shape() : Shape());
  const int64_t room = keys_.defined() ? room_for(size_ + k.dim(2), keys_.dim(2)) : room_for(k.dim(2));
  put(keys_, k, size_, room), put(values_, v, size_, room);
  size_ += k.dim(2);
}

Tensor KeyValueCache::keys() const {
  check(keys_.defined(), "cache", "it is empty: append comes first");
  return keys_.slice(2, 0, size_);
}
Tensor KeyValueCache::values() const {
  check(values_.defined(), "cache", "it is empty: append comes first");
  return values_.slice(2, 0, size_);
}

void KeyValueCache::truncate(int64_t size) {
  check(size >= 0 && size <= size_, "cache", "cannot be cut to {} of {}", size, size_);
  size_ = size;
}

void KeyValueCache::take(const Tensor& batches, int64_t gone) {
  check(gone >= 0 && gone <= size_, "cache", "cannot drop {} of {} places", gone, size_);
  if (!keys_.defined()) return;
  const std::span<const int64_t> from = batches.span<int64_t>();
  for (const int64_t batch : from)
    check(batch >= 0 && batch < keys_.dim(0), "cache", "batch {} of {} cannot be taken", batch, keys_.dim(0));
  keys_ = taken(keys_, from, gone, size_), values_ = taken(values_, from, gone, size_);
  size_ -= gone;
}

void KeyValueCache::join(const KeyValueCache& more, int64_t batches, int64_t of_more) {
  if (!keys_.defined() && !more.keys_.defined()) return;
  keys_ = joined({keys_, batches, size_}, {more.keys_, of_more, more.size_});
  values_ = joined({values_, batches, size_}, {more.values_, of_more, more.size_});
  size_ = std::max(size_, more.size_);
}

Attended KeyValueCache::attend(const Tensor& q, const AttendOptions& options) const {
  return heed::attend(q, keys(), values(), options);
}

Tensor with_memory(const Tensor& memory, const Tensor& x, int dim) {
  return memory.defined() ? concat({memory.detach(), x}, dim) : x;
}

}  // namespace heed
