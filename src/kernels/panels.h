// The packed layout of a matrix B (depth × columns) that the tile reads: panels of 64 columns, the last one filled up
// with zeros. A panel lies in strips as wide as the tile, [64/W][depth][W]: line after line is read, and a strip finds
// room in the first cache, of which rows of 64 would share few sets.
#pragma once

#include <cstdint>

#include "kernels/products.h"

namespace heed::kernels {

inline constexpr int64_t kPanelWidth = 64;

// How many numbers the panels hold.
constexpr int64_t panel_count(int64_t columns) { return (columns + kPanelWidth - 1) / kPanelWidth; }
constexpr int64_t panels_size(int64_t depth, int64_t columns) { return panel_count(columns) * depth * kPanelWidth; }

// Where column j begins in strips of W columns: B(k,j) = panels[strip_column(j, depth, W) + k·W].
constexpr int64_t strip_column(int64_t j, int64_t depth, int64_t width) {
  return j / width * width * depth + j % width;
}
// W, with the instruction set in use.
template <class T>
int64_t strip_width();

// The panel of B's first columns, 64 or fewer.
void pack_panel(const Factor<float>& b, int64_t depth, int64_t columns, float* panel);
void pack_panel(const Factor<double>& b, int64_t depth, int64_t columns, double* panel);

}  // namespace heed::kernels
