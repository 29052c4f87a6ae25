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
    out.bands[out.count++] = {0, rows_, 0, keys};
    return;
  }
  for (int64_t row = 0; row < rows_; row += kBandRows) {
    const int64_t rows = std::min(kBandRows, rows_ - row);
    uint64_t seen = 0;
    for (int64_t r = row; r < row + rows; ++r) seen |= out.bits[r] = visible_.bits(b_, h_, row_ + r, first_key);
    if (seen == 0) continue;
    const int64_t begin = std::countr_zero(seen) / kBandColumns * kBandColumns;
    const int64_t end = (kPanel - std::countl_zero(seen) + kBandColumns - 1) / kBandColumns * kBandColumns;
    Band* last = out.count > 0 ? &out.bands[out.count - 1] : nullptr;
    if (last && last->row + last->rows == row && last->begin == begin && last->end == end)
      last->rows += rows;
    else
      out.bands[out.count++] = {row, rows, begin, end};
  }
}

}  // namespace heed::attention
