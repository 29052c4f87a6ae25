// The packed layout of a matrix B (depth × columns) that the tile reads: panels of 64 columns, [columns/64][depth][64],
// the last one filled up with zeros.
#pragma once

#include <cstdint>

namespace heed::kernels {

inline constexpr int64_t kPanelWidth = 64;

// How many numbers the panels hold.
constexpr int64_t panel_count(int64_t columns) { return (columns + kPanelWidth - 1) / kPanelWidth; }
constexpr int64_t panels_size(int64_t depth, int64_t columns) { return panel_count(columns) * depth * kPanelWidth; }

}  // namespace heed::kernels
