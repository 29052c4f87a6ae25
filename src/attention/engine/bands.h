// The part of a tile of scores that has to be computed: a tile that a diagonal or a window cuts is done in bands of
// queries, each as wide as the keys that one of its queries may see.
#pragma once

#include "attention/engine/visible.h"

namespace heed::attention {

inline constexpr int64_t kQueryBlock = 128;  // queries that are worked on together
inline constexpr int64_t kBandRows = 16, kBandColumns = 16;

// Queries [row, row + rows) of the block look at keys [begin, end) of the panel; both are multiples of kBandColumns.
struct Band {
  int64_t row, rows, begin, end;
  bool full = false;  // each of these queries sees all 64 keys
  int64_t columns() const { return end - begin; }
};

// One panel of 64 keys against a block of queries.
struct PanelBands {
  Band bands[kQueryBlock / kBandRows + 1];
  int count = 0;
  bool cut = false;            // not all is visible: `bits` says what
  uint64_t bits[kQueryBlock];  // of each query, where the panel is cut
  const Band* begin() const { return bands; }
  const Band* end() const { return bands + count; }
  bool whole() const { return count == 1 && bands[0].columns() == kPanel; }
  const uint64_t* bits_or_null() const { return cut ? bits : nullptr; }
};

// A block of queries and what they see.
class BlockView {
 public:
  BlockView(const Visible& visible, int64_t b, int64_t h, int64_t row, int64_t rows);
  const Interval& any() const { return any_; }  // the keys that some query sees
  void panel(int64_t first_key, PanelBands& out) const;

 private:
  const Visible& visible_;
  int64_t b_, h_, row_, rows_;
  Interval any_, all_;
};

// Of all pairs of a query and a key, the share that the bands hold.
double computed_share(const Visible& visible, int64_t batches, int64_t heads);

}  // namespace heed::attention
