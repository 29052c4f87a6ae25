#include "kernels/recurrent_fast.h"

#include <algorithm>

#include "base/threads.h"
#include "kernels/panels.h"
#include "kernels/products.h"
#include "kernels/recurrent_stage.h"

namespace heed::kernels::recurrent {
namespace {

constexpr int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

bool is_gru(Cell cell) { return gate_count(cell) == 3; }
int64_t strip_count(Cell cell) { return gate_count(cell) == 1 ? 1 : 4; }

// The strip of gates that belongs to row strip `gate` of W_ih; of W_hh.
int64_t input_strip(Cell cell, int64_t gate) { return is_gru(cell) && gate == 2 ? kNew : gate; }
int64_t state_strip(Cell cell, int64_t gate) { return cell == Cell::gru_reset_before && gate == 2 ? kNew : gate; }

// The workspace. Rows are a few numbers longer than they need be: a stride that is a power of two would have the rows
// of a tile fight for the same lines of the cache. gates and states stand in order of time, so that the products of all
// steps see the same rows as x; of the T + 1 states the first is the initial one, or, in reverse, the last.
struct Layout {
  Layout(const RecurrentShape& shape, float* workspace)
      : shape(shape),
        strip(round_up(shape.H, kUnits)),
        strips(strip_count(shape.cell)),
        gates_stride(strips * strip + kUnits),
        state_stride(strip + kUnits) {
    const int64_t states = (shape.T + 1) * shape.B * state_stride;
    const auto take = [&](int64_t n) {
      float* const block = workspace ? workspace + size : nullptr;
      size += round_up(n, kUnits);
      return block;
    };
    gates = take(shape.T * shape.B * gates_stride);
    h = take(states);
    c = take(shape.cell == Cell::lstm ? states : 0);
    weight = take(gate_count(shape.cell) * strip * strip);
    bias = take(strips * strip);
    dh = take(shape.B * state_stride);
    dc = take(shape.cell == Cell::lstm ? shape.B * state_stride : 0);
  }

  float* gates_at(int64_t t) const { return gates + t * shape.B * gates_stride; }
  float* gates_of(int64_t strip_index) const { return gates + strip_index * strip; }
  int64_t before(int64_t t) const { return (shape.reverse ? t + 1 : t) * shape.B * state_stride; }
  int64_t after(int64_t t) const { return (shape.reverse ? t : t + 1) * shape.B * state_stride; }
  int64_t time(int64_t s) const { return shape.reverse ? shape.T - 1 - s : s; }
  int64_t first_state() const { return shape.reverse ? shape.T * shape.B * state_stride : 0; }
  int64_t last_state() const { return shape.reverse ? 0 : shape.T * shape.B * state_stride; }

  const RecurrentShape& shape;
  int64_t strip, strips, gates_stride, state_stride, size = 0;
  float *gates, *h, *c, *weight, *bias, *dh, *dc;
};

Step step_at(const Layout& layout, const int64_t* lengths, int64_t t) {
  const bool lstm = layout.shape.cell == Cell::lstm;
  Step step{};
  step.gates = layout.gates_at(t), step.gates_stride = layout.gates_stride, step.strip = layout.strip;
  step.bias = layout.bias;
  step.h = layout.h + layout.before(t), step.h_next = layout.h + layout.after(t);
  if (lstm) step.c = layout.c + layout.before(t), step.c_next = layout.c + layout.after(t);
  step.dh = layout.dh, step.dc = layout.dc, step.state_stride = layout.state_stride;
  step.B = layout.shape.B, step.H = layout.shape.H, step.lengths = lengths, step.t = t;
  return step;
}

// ---- Between the caller's rows of H numbers and ours ----

void copy_rows(const float* from, int64_t from_stride, float* to, int64_t to_stride, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; ++row) std::copy_n(from + row * from_stride, columns, to + row * to_stride);
}

// from (B, H), null: 0.
void enter(const Layout& layout, const float* from, float* state) {
  const RecurrentShape& shape = layout.shape;
  std::fill_n(state, shape.B * layout.state_stride, 0.0f);
  if (from) copy_rows(from, shape.H, state, layout.state_stride, shape.B, shape.H);
}
void leave(const Layout& layout, const float* state, float* to) {
  if (to) copy_rows(state, layout.state_stride, to, layout.shape.H, layout.shape.B, layout.shape.H);
}

// b_ih + b_hh, strip by strip; where the reset gate stands between the two, each has a strip of its own.
void gather_biases(const Layout& layout, const RecurrentInputs<float>& in) {
  const auto [cell, reverse, T, B, D, H] = layout.shape;
  std::fill_n(layout.bias, layout.strips * layout.strip, 0.0f);
  const auto add = [&, H = H](const float* bias, int64_t gate, int64_t strip) {
    for (int64_t u = 0; bias && u < H; ++u) layout.bias[strip * layout.strip + u] += bias[gate * H + u];
  };
  for (int64_t gate = 0; gate < gate_count(cell); ++gate) {
    add(in.bias_ih, gate, input_strip(cell, gate));
    add(in.bias_hh, gate, state_strip(cell, gate));
  }
}

// ---- Constant weights in panels ----

int64_t panel_count(const Layout& layout, const Stage& stage) { return (layout.strip + stage.units - 1) / stage.units; }

// A panel lies in strips as wide as the tile (kernels/panels.h), or as it is itself where it is narrower.
struct InPanel {
  int64_t depth, width;
  InPanel(int64_t panel_width, int64_t depth) : depth(depth), width(std::min(panel_width, strip_width<float>())) {}
  int64_t column(int64_t j) const { return strip_column(j, depth, width); }
};

// Panels of P = h Wᵀ for rows `first`, first + 1, … (`gates` strips) of W_hh: (strip of h, gates, units).
void pack_forward(const Layout& layout, const float* weight, int64_t first, const Stage& stage, float* packed) {
  const int64_t H = layout.shape.H, strip = layout.strip, gates = stage.gates;
  parallel(panel_count(layout, stage), 1, [&](int64_t begin, int64_t end) {
    for (int64_t u = begin * stage.units; u < std::min(end * stage.units, strip); u += stage.units) {
      const int64_t units = std::min(stage.units, strip - u);
      float* panel = packed + u * gates * strip;
      if (H < strip) std::fill_n(panel, gates * units * strip, 0.0f);
      const InPanel in_panel(gates * units, strip);
      const int64_t some = std::min(units, in_panel.width);
      for (int64_t gate = 0; gate < gates; ++gate)
        for (int64_t i = 0; i < std::min(units, H - u); i += some)
          transpose(std::min(some, H - u - i), H, weight + ((first + gate) * H + u + i) * H, H,
                    panel + in_panel.column(gate * units + i), in_panel.width);
    }
  });
}

// Panels of P = da W for the same rows: (gates, strip of da, units).
void pack_backward(const Layout& layout, const float* weight, int64_t first, int64_t gates, float* packed) {
  const int64_t H = layout.shape.H, strip = layout.strip, panels = (strip + kPanel - 1) / kPanel;
  parallel(panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t u0 = begin * kPanel; u0 < std::min(end * kPanel, strip); u0 += kPanel) {
      const int64_t units = std::min(kPanel, strip - u0);
      const InPanel in_panel(units, gates * strip);
      for (int64_t j = 0; j < units; j += in_panel.width) {
        const int64_t valid = std::clamp<int64_t>(H - u0 - j, 0, in_panel.width);
        float* line = packed + u0 * gates * strip + in_panel.column(j);
        for (int64_t row = 0; row < gates * strip; ++row, line += in_panel.width) {
          const int64_t gate = first + row / strip, u = row % strip, columns = u < H ? valid : 0;
          if (columns > 0) std::copy_n(weight + (gate * H + u) * H + u0 + j, columns, line);
          std::fill(line + columns, line + in_panel.width, 0.0f);
        }
      }
    }
  });
}

// ---- Walking over the steps ----

// Calls run(s, stage, part) such that a stage has all of the stages and steps before it. With many sentences each
// thread takes some of them through all steps; with few it takes some hidden units of all, so that each weight is read
// by one core alone.
template <class Run>
void walk(const Layout& layout, int64_t stages, const int64_t* panels, const Run& run) {
  const int64_t T = layout.shape.T, B = layout.shape.B, tiles = tile_count(B);
  if (B >= kSentencesApart)
    return parallel(tiles, 4, [&](int64_t begin, int64_t end) {
      for (int64_t s = 0; s < T; ++s)
        for (int64_t stage = 0; stage < stages; ++stage) run(s, stage, Part{begin, end, 0, panels[stage]});
    });
  for (int64_t s = 0; s < T; ++s)
    for (int64_t stage = 0; stage < stages; ++stage)
      parallel(panels[stage], 1, [&](int64_t begin, int64_t end) { run(s, stage, Part{0, tiles, begin, end}); });
}

struct Stages {
  Stage stage[2];
  int64_t count;
};

Stages forward_stages(const Layout& layout) {
  const int64_t depth = layout.strip;
  const auto stage = [&](Work work, int64_t gates, int64_t units) {
    return Stage{work, nullptr, layout.state_stride, depth, layout.weight, gates, units};
  };
  switch (layout.shape.cell) {
    case Cell::lstm: return {{stage(Work::lstm, 4, 16)}, 1};
    case Cell::gru_reset_after: return {{stage(Work::gru, 3, 16)}, 1};
    case Cell::gru_reset_before: {
      Stages both{{stage(Work::gru_gates, 2, 32), stage(Work::gru_state, 1, 64)}, 2};
      both.stage[1].weight += 2 * layout.strip * depth;
      both.stage[1].a_stride = layout.gates_stride;
      return both;
    }
    case Cell::tanh: return {{stage(Work::tanh, 1, 64)}, 1};
    case Cell::relu: return {{stage(Work::relu, 1, 64)}, 1};
  }
  return {};
}

Stages backward_stages(const Layout& layout) {
  const auto stage = [&](Work work, int64_t gates) {
    return Stage{work, nullptr, layout.gates_stride, gates * layout.strip, layout.weight, 1, kPanel};
  };
  switch (layout.shape.cell) {
    case Cell::lstm: return {{stage(Work::lstm_backward, 4)}, 1};
    case Cell::gru_reset_after: return {{stage(Work::gru_backward, 3)}, 1};
    case Cell::gru_reset_before: {
      Stages both{{stage(Work::gru_state_backward, 2), stage(Work::gru_gates_backward, 1)}, 2};
      both.stage[1].weight += 2 * layout.strip * layout.strip;
      return both;
    }
    case Cell::tanh: return {{stage(Work::tanh_backward, 1)}, 1};
    case Cell::relu: return {{stage(Work::relu_backward, 1)}, 1};
  }
  return {};
}

void steps_forward(const Layout& layout, const RecurrentInputs<float>& in, const RecurrentOutputs<float>& out) {
  const Stages stages = forward_stages(layout);
  const int64_t panels[] = {panel_count(layout, stages.stage[0]),
                            stages.count > 1 ? panel_count(layout, stages.stage[1]) : 0};
  walk(layout, stages.count, panels, [&](int64_t s, int64_t which, const Part& part) {
    const int64_t t = layout.time(s);
    Step step = step_at(layout, in.lengths, t);
    if (out.y) step.y = out.y + t * layout.shape.B * layout.shape.H;
    Stage stage = stages.stage[which];
    stage.a = which == 0 ? step.h : step.gates + kInner * layout.strip;
    run_stage(stage, step, part);
  });
}

void steps_backward(const Layout& layout, const RecurrentInputs<float>& in,
                    const RecurrentGradients<float>& gradients) {
  const int64_t T = layout.shape.T;
  const Stages stages = backward_stages(layout);
  const int64_t count = panel_count(layout, stages.stage[0]), panels[] = {count, count};
  walk(layout, stages.count, panels, [&](int64_t i, int64_t which, const Part& part) {
    const int64_t s = T - 1 - i, t = layout.time(s);
    Step step = step_at(layout, in.lengths, t);
    if (gradients.dy) step.dy = gradients.dy + t * layout.shape.B * layout.shape.H;
    Stage stage = stages.stage[which];
    // The gradient by h comes from the gates of the step after this one; that by q from this one's n.
    stage.a = which == 1 ? step.gates + kNew * layout.strip : layout.gates_at(i > 0 ? layout.time(s + 1) : 0);
    if (which == 0 && i == 0) stage.depth = 0;
    run_stage(stage, step, part);
  });
  if (T == 0) return;
  Stage last = stages.stage[0];
  last.work = Work::carry, last.a = layout.gates_at(layout.time(0));
  const Step step = step_at(layout, in.lengths, layout.time(0));
  parallel(count, 1, [&](int64_t begin, int64_t end) { run_stage(last, step, {0, tile_count(step.B), begin, end}); });
}

// ---- Products of all steps at once ----

// Calls use(first gate, gates, strip) for the gates in as few runs as their strips allow: neighbours that follow each
// other both in the weights and in the layout.
template <class StripOf, class Use>
void for_each_run(const Layout& layout, const StripOf& strip_of, const Use& use) {
  const int64_t gates = gate_count(layout.shape.cell);
  for (int64_t first = 0, next; first < gates; first = next) {
    const int64_t strip = strip_of(layout.shape.cell, first);
    for (next = first + 1; next < gates; ++next)
      if (layout.strip != layout.shape.H || strip_of(layout.shape.cell, next) != strip + next - first) break;
    use(first, next - first, strip);
  }
}

// gates (T B, G H) = x W_ihᵀ, where the biases do not stand yet.
void project_inputs(const Layout& layout, const RecurrentInputs<float>& in) {
  const int64_t rows = layout.shape.T * layout.shape.B, D = layout.shape.D, H = layout.shape.H;
  for_each_run(layout, input_strip, [&](int64_t gate, int64_t gates, int64_t strip) {
    multiply(Product<float>{rows,
                            gates * H,
                            D,
                            {in.x, D},
                            {in.weight_ih + gate * H * D, D, true},
                            layout.gates_of(strip),
                            layout.gates_stride});
  });
}

// dx (T B, D) = da W_ih
void input_gradient(const Layout& layout, const RecurrentInputs<float>& in, float* dx) {
  const int64_t rows = layout.shape.T * layout.shape.B, D = layout.shape.D, H = layout.shape.H;
  for_each_run(layout, input_strip, [&](int64_t gate, int64_t gates, int64_t strip) {
    multiply(Product<float>{rows,
                            D,
                            gates * H,
                            {layout.gates_of(strip), layout.gates_stride},
                            {in.weight_ih + gate * H * D, D},
                            dx,
                            D,
                            gate > 0});
  });
}

// dW_ih (G H, D) = daᵀ x
void input_weight_gradient(const Layout& layout, const float* x, float* dweight) {
  const int64_t rows = layout.shape.T * layout.shape.B, D = layout.shape.D, H = layout.shape.H;
  for_each_run(layout, input_strip, [&](int64_t gate, int64_t gates, int64_t strip) {
    multiply(Product<float>{
        gates * H, D, rows, {layout.gates_of(strip), layout.gates_stride, true}, {x, D}, dweight + gate * H * D, D});
  });
}

// dW_hh (G H, H) = duᵀ h; for a reset-before GRU's n: duᵀ q.
void state_weight_gradient(const Layout& layout, float* dweight) {
  const int64_t rows = layout.shape.T * layout.shape.B, H = layout.shape.H;
  const Factor<float> h{layout.h + layout.before(0), layout.state_stride};
  const Factor<float> q{layout.gates_of(kInner), layout.gates_stride};
  for_each_run(layout, state_strip, [&](int64_t gate, int64_t gates, int64_t strip) {
    const bool inner = layout.shape.cell == Cell::gru_reset_before && gate == 2;
    multiply(Product<float>{gates * H,
                            H,
                            rows,
                            {layout.gates_of(strip), layout.gates_stride, true},
                            inner ? q : h,
                            dweight + gate * H * H,
                            H});
  });
}

// The sums of the gates' gradients over all rows; columns apart, so that threads do not change a bit.
void sum_gates(const Layout& layout, float* sums) {
  const int64_t rows = layout.shape.T * layout.shape.B, columns = layout.strips * layout.strip;
  std::fill_n(sums, columns, 0.0f);
  parallel(columns / kUnits, 8, [&](int64_t begin, int64_t end) {
    const float* row = layout.gates;
    for (int64_t i = 0; i < rows; ++i, row += layout.gates_stride)
      for (int64_t j = begin * kUnits; j < end * kUnits; ++j) sums[j] += row[j];
  });
}

void bias_gradients(const Layout& layout, const RecurrentGradients<float>& gradients) {
  if (!gradients.dbias_ih && !gradients.dbias_hh) return;
  const int64_t H = layout.shape.H;
  sum_gates(layout, layout.bias);
  const auto take = [&](int64_t strip, float* to) {
    if (to) std::copy_n(layout.bias + strip * layout.strip, H, to);
  };
  for (int64_t gate = 0; gate < gate_count(layout.shape.cell); ++gate) {
    take(input_strip(layout.shape.cell, gate), gradients.dbias_ih ? gradients.dbias_ih + gate * H : nullptr);
    take(state_strip(layout.shape.cell, gate), gradients.dbias_hh ? gradients.dbias_hh + gate * H : nullptr);
  }
}

// The units beyond H: zeros, which stay zeros in every cell.
void clear_padding(const Layout& layout) {
  const int64_t H = layout.shape.H, rows = layout.shape.T * layout.shape.B;
  if (layout.strip == H) return;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t strip = 0; strip < layout.strips; ++strip)
      std::fill_n(layout.gates + row * layout.gates_stride + strip * layout.strip + H, layout.strip - H, 0.0f);
}

}  // namespace

int64_t workspace(const RecurrentShape& shape) { return Layout(shape, nullptr).size; }

void forward(const RecurrentShape& shape, const RecurrentInputs<float>& in, const RecurrentOutputs<float>& out,
             float* workspace) {
  const Layout layout(shape, workspace);
  const bool lstm = shape.cell == Cell::lstm;
  const Stages stages = forward_stages(layout);
  enter(layout, in.h0, layout.h + layout.first_state());
  if (lstm) enter(layout, in.c0, layout.c + layout.first_state());
  clear_padding(layout);
  gather_biases(layout, in);
  for (int64_t i = 0, gate = 0; i < stages.count; gate += stages.stage[i++].gates)
    pack_forward(layout, in.weight_hh, gate, stages.stage[i], const_cast<float*>(stages.stage[i].weight));
  project_inputs(layout, in);
  steps_forward(layout, in, out);
  leave(layout, layout.h + layout.last_state(), out.h);
  if (lstm) leave(layout, layout.c + layout.last_state(), out.c);
}

void backward(const RecurrentShape& shape, const RecurrentInputs<float>& in, const RecurrentGradients<float>& gradients,
              float* workspace) {
  const Layout layout(shape, workspace);
  const bool lstm = shape.cell == Cell::lstm;
  const Stages stages = backward_stages(layout);
  enter(layout, gradients.dh, layout.dh);
  if (lstm) enter(layout, gradients.dc, layout.dc);
  for (int64_t i = 0, gate = 0; i < stages.count; ++i) {
    const int64_t gates = stages.stage[i].depth / layout.strip;
    pack_backward(layout, in.weight_hh, gate, gates, const_cast<float*>(stages.stage[i].weight));
    gate += gates;
  }
  steps_backward(layout, in, gradients);
  leave(layout, layout.dh, gradients.dh0);
  if (lstm) leave(layout, layout.dc, gradients.dc0);
  if (gradients.dx) input_gradient(layout, in, gradients.dx);
  if (gradients.dweight_ih) input_weight_gradient(layout, in.x, gradients.dweight_ih);
  if (gradients.dweight_hh) state_weight_gradient(layout, gradients.dweight_hh);
  bias_gradients(layout, gradients);
}

}  // namespace heed::kernels::recurrent
