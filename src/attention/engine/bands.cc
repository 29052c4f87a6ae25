#include "attention/engine/bands.h"

namespace heed::attention {

BlockView::BlockView(const Visible& visible, int64_t b, int64_t h, int64_t row, int64_t rows)
    : visible_(visible), b_(b), h_(h), row_(row), rows_(rows), all_{0, visible.keys()} {
  const Interval* intervals = visible.row(b, h, row);
  for (int64_t r = 0; r < rows; ++r) {
    any_ = any_ | intervals[r];
    all_ = all_ & intervals[r];
  }
}

void BlockView::panel(int64_t first_key, PanelBands& out) const {
  const Interval panel = Interval{first_key, first_key + kPanel} & Interval{0, visible_.keys()};
  const int64_t keys = panel.end - panel.begin;
  out.count = 0;
  out.cut = !visible_.only_intervals() || !all_.contains(panel) || keys % kBandColumns != 0;
  if (!out.cut) {
    out.bands[out.count++] = {0, rows_, 0, keys, keys == kPanel};
    return;
  }
  for (int64_t row = 0; row < rows_; row += kBandRows) {
    const int64_t rows = std::min(kBandRows, rows_ - row);
    uint64_t seen = 0, by_all = ~uint64_t{0};
    for (int64_t r = row; r < row + rows; ++r) {
      out.bits[r] = visible_.bits(b_, h_, row_ + r, first_key);
      seen |= out.bits[r], by_all &= out.bits[r];
    }
    if (seen == 0) continue;
    const int64_t begin = std::countr_zero(seen) / kBandColumns * kBandColumns;
    const int64_t end = (kPanel - std::countl_zero(seen) + kBandColumns - 1) / kBandColumns * kBandColumns;
    const bool full = by_all == ~uint64_t{0};
    Band* last = out.count > 0 ? &out.bands[out.count - 1] : nullptr;
    if (last && last->row + last->rows == row && last->begin == begin && last->end == end && last->full == full)
      last->rows += rows;
    else
      out.bands[out.count++] = {row, rows, begin, end, full};
  }
}

namespace {

// Pairs in the bands of a block of queries, as the engine walks them.
int64_t pairs(const BlockView& view) {
  if (view.any().empty()) return 0;
  PanelBands panel;
  int64_t sum = 0;
  for (int64_t key = view.any().begin / kPanel * kPanel; key < view.any().end; key += kPanel) {
    view.panel(key, panel);
    for (const Band& band : panel) sum += band.rows * band.columns();
  }
  return sum;
}

}  // namespace

double computed_share(const Visible& visible, int64_t batches, int64_t heads) {
  const int64_t columns = (visible.keys() + kPanel - 1) / kPanel * kPanel;
  const int64_t all = batches * heads * visible.queries() * columns;
  int64_t sum = 0;
  for (int64_t b = 0; b < batches; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t row = 0; row < visible.queries(); row += kQueryBlock)
        sum += pairs({visible, b, h, row, std::min(kQueryBlock, visible.queries() - row)});
  return all == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(all);
}

}  // namespace heed::attention
