// A step of a recurrent layer in f32 is one or two stages: a product with constant weights, packed in panels that hold
// all gates of some hidden units, and the cell computed on each tile of the product while it is in the first cache.
#pragma once

#include <cstdint>

namespace heed::kernels::recurrent {

// What a stage does with its product P, formulas in recurrent.h. gru_gates and gru_state are the two stages of
// reset_before; in backward gru_state comes first. carry: dh += P, no cell.
enum class Work {
  lstm,
  gru,
  gru_gates,
  gru_state,
  tanh,
  relu,
  lstm_backward,
  gru_backward,
  gru_state_backward,
  gru_gates_backward,
  tanh_backward,
  relu_backward,
  carry,
};

// The strips of a GRU's gates in this path; q: u_n (reset after) or r h (reset before). Those that meet the state stand
// together: r z q (reset after), r z (reset before). An LSTM's are i f g o.
inline constexpr int64_t kReset = 0, kUpdate = 1, kInner = 2, kNew = 3;

// The buffers of one step, row b of each a sentence; units are padded with zeros to `strip`, a multiple of 16.
struct Step {
  float* gates;  // (B, strips, strip), rows gates_stride apart: W_ih x in, gates out; in backward their gradients out
  int64_t gates_stride, strip;
  const float* bias;       // (strips, strip)
  const float *h, *c;      // (B, strip), the state before the step, rows state_stride apart
  float *h_next, *c_next;  // the state after it; backward reads c_next alone
  float *dh, *dc;          // backward: what has come to dh by other ways than the product; the gradient by c
  int64_t state_stride;
  float* y;         // (B, H) or null
  const float* dy;  // (B, H) or null
  int64_t B, H;
  const int64_t* lengths;  // or null
  int64_t t;

  bool within(int64_t b) const { return !lengths || t < lengths[b]; }
};

// P (rows, gates · units) = a (rows, depth) · weight. A panel of `units` hidden units is (depth, gates, units), in
// strips as wide as the tile, the last one narrower if need be; units is a multiple of 16 and gates · units at most
// kPanel.
inline constexpr int64_t kPanel = 64, kUnits = 16;
struct Stage {
  Work work;
  const float* a;
  int64_t a_stride, depth;
  const float* weight;
  int64_t gates, units;
};

// The sentences are cut into tiles of at most kTileRows, as equal as may be; the cut depends on B alone, and so do the
// bits. From kSentencesApart sentences on threads share them out, so that there is a multiple of four tiles.
inline constexpr int64_t kTileRows = 6, kSentencesApart = 64;
constexpr int64_t tile_count(int64_t B) {
  const int64_t tiles = (B + kTileRows - 1) / kTileRows;
  return B < kSentencesApart ? tiles : (tiles + 3) / 4 * 4;
}
constexpr int64_t first_row(int64_t B, int64_t tile) { return B * tile / tile_count(B); }

// The share of a thread.
struct Part {
  int64_t tile_begin, tile_end, panel_begin, panel_end;
};
// What packing a stage's weights takes: to(j, i) = from(i, j) for i < rows, j < columns.
void transpose(int64_t rows, int64_t columns, const float* from, int64_t from_stride, float* to, int64_t to_stride);

void run_stage(const Stage& stage, const Step& step, const Part& part);

}  // namespace heed::kernels::recurrent
