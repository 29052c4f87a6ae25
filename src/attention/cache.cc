// Keys and values of what was read so far. Appending copies only what is new; the room doubles when it is full.
#include <heed/attention.h>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

void put(Tensor& all, const Tensor& more, int64_t size, int64_t room) {
  if (!all.defined() || all.dim(2) < room) {
    Tensor larger({more.dim(0), more.dim(1), room, more.dim(3)}, more.dtype());
    if (size > 0) larger.slice(2, 0, size).copy_from(all.slice(2, 0, size));
    all = larger;
  }
  all.slice(2, size, size + more.dim(2)).copy_from(more.detach());
}

}  // namespace

void KeyValueCache::append(const Tensor& k, const Tensor& v) {
  check(k.rank() == 4 && v.rank() == 4 && k.dim(0) == v.dim(0) && k.dim(1) == v.dim(1) && k.dim(2) == v.dim(2), "cache",
        "k {} and v {}: wanted (B,G,n,D) and (B,G,n,E)", k.shape(), v.shape());
  check(!keys_.defined() || (keys_.dim(0) == k.dim(0) && keys_.dim(1) == k.dim(1) && keys_.dim(3) == k.dim(3) &&
                             values_.dim(3) == v.dim(3)),
        "cache", "k {} and v {} after keys {}", k.shape(), v.shape(), keys_.defined() ? keys_.shape() : Shape());
  int64_t room = keys_.defined() ? keys_.dim(2) : int64_t{64};
  while (room < size_ + k.dim(2)) room *= 2;
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

void KeyValueCache::take(const Tensor& batches) {
  if (!keys_.defined()) return;
  const auto taken = [&](const Tensor& all) {
    const Tensor filled = index_select(all.slice(2, 0, size_), 0, batches);
    Tensor room({filled.dim(0), filled.dim(1), all.dim(2), all.dim(3)}, all.dtype());
    room.slice(2, 0, size_).copy_from(filled);
    return room;
  };
  const NoGrad scope;
  keys_ = taken(keys_), values_ = taken(values_);
}

Attended KeyValueCache::attend(const Tensor& q, const AttendOptions& options) const {
  return heed::attend(q, keys(), values(), options);
}

Tensor with_memory(const Tensor& memory, const Tensor& x, int dim) {
  return memory.defined() ? concat({memory.detach(), x}, dim) : x;
}

}  // namespace heed
