// How far the rows of a decoder have read. All end together: a row that has read less, as one that joined later, begins
// at a later place.
#pragma once

#include <heed/attention.h>

#include <cstdint>
#include <vector>

namespace heed {

struct Places {
  int64_t rows = 0, read = 0;
  std::vector<int64_t> starts;  // where each row begins; empty: all at the first place

  Places() = default;
  explicit Places(int64_t rows) : rows(rows) {}
  int64_t take(const Tensor& from);  // gives how many places no row has any more: they are no longer counted
  void join(const Places& more);
  int64_t furthest(int64_t next) const;  // place in its own text that some row reaches with so many more
  // Of a table of places, the row of each of the next tokens: (next,D), or (rows,next,D) where they differ.
  Tensor rows_of(const Tensor& table, int64_t next) const;
};

// The same with what the layers keep of it.
struct TextRead {
  Places places;
  std::vector<KeyValueCache> caches;  // a layer each

  TextRead(int64_t rows, size_t layers) : places(rows), caches(layers) {}
  void take(const Tensor& from);
  void join(const TextRead& more);
};

}  // namespace heed
