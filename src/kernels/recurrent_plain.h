// The cells of recurrent.h as plain loops, sentence by sentence: the formula and nothing else.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/threads.h"
#include "kernels/recurrent.h"

namespace heed::kernels::plain {

template <class Real>
Real sigmoid(Real x) {
  return 1 / (1 + std::exp(-x));
}

template <class Real>
Real dot(const Real* a, const Real* b, int64_t n) {
  Real sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

template <class Real>
void add_scaled(Real scale, const Real* x, int64_t n, Real* sum) {
  for (int64_t i = 0; i < n; ++i) sum[i] += scale * x[i];
}

// Strips kept a step: the gates; a GRU also keeps q = u_n (reset after) or q = r h (reset before).
constexpr int64_t strip_count(Cell cell) { return gate_count(cell) == 1 ? 1 : 4; }

// The strip whose gradient meets row strip `gate` of W_hh and b_hh.
constexpr int64_t state_strip(Cell cell, int64_t gate) { return cell == Cell::gru_reset_after && gate == 2 ? 3 : gate; }

// The strip that row strip `gate` of W_hh is multiplied with in place of h, or -1: h itself.
constexpr int64_t source_strip(Cell cell, int64_t gate) { return cell == Cell::gru_reset_before && gate == 2 ? 3 : -1; }

// The workspace, in order of the steps s (s = t, or T−1−t in reverse): gates, later their gradients, (T, B, strips, H),
// and the states (T+1, B, H), of which the first is the initial one.
template <class Real>
struct Saved {
  const RecurrentShape& shape;
  Real* workspace;

  int64_t width() const { return strip_count(shape.cell) * shape.H; }
  Real* gates(int64_t s, int64_t b) const { return workspace + (s * shape.B + b) * width(); }
  Real* h(int64_t s, int64_t b) const { return gates(shape.T, 0) + (s * shape.B + b) * shape.H; }
  Real* c(int64_t s, int64_t b) const { return h(shape.T + 1, 0) + (s * shape.B + b) * shape.H; }
  int64_t size() const {
    const int64_t states = (shape.T + 1) * shape.B * shape.H;
    return shape.T * shape.B * width() + states * (shape.cell == Cell::lstm ? 2 : 1);
  }
  int64_t time(int64_t s) const { return shape.reverse ? shape.T - 1 - s : s; }
};

template <class Real>
int64_t length(const RecurrentShape& shape, const RecurrentInputs<Real>& in, int64_t b) {
  return in.lengths ? in.lengths[b] : shape.T;
}

// strip = W x + b for the rows of one gate.
template <class Real>
void affine(const Real* weight, const Real* bias, int64_t gate, int64_t rows, const Real* x, int64_t columns,
            Real* strip) {
  for (int64_t row = gate * rows; row < (gate + 1) * rows; ++row)
    *strip++ = (bias ? bias[row] : 0) + dot(weight + row * columns, x, columns);
}

template <class Real>
void lstm_forward(int64_t H, Real* a, const Real* u, const Real* c, Real* c_next, Real* h_next) {
  for (int64_t k = 0; k < H; ++k) {
    const Real i = a[k] = sigmoid(a[k] + u[k]);
    const Real f = a[H + k] = sigmoid(a[H + k] + u[H + k]);
    const Real g = a[2 * H + k] = std::tanh(a[2 * H + k] + u[2 * H + k]);
    const Real o = a[3 * H + k] = sigmoid(a[3 * H + k] + u[3 * H + k]);
    c_next[k] = f * c[k] + i * g;
    h_next[k] = o * std::tanh(c_next[k]);
  }
}

// c' = f c + i g, h' = o tanh(c'):
//   do = dh' tanh(c'),  dc' += dh' o (1 − tanh²(c')),  di = dc' g,  dg = dc' i,  df = dc' c,  dc = dc' f,
// and through σ' = σ (1 − σ), tanh' = 1 − tanh² to what stands inside. a: gates in, their gradients out; dc: dc' in, dc
// out.
template <class Real>
void lstm_backward(int64_t H, Real* a, const Real* c, const Real* c_next, const Real* dh, Real* dc) {
  for (int64_t k = 0; k < H; ++k) {
    const Real i = a[k], f = a[H + k], g = a[2 * H + k], o = a[3 * H + k], t = std::tanh(c_next[k]);
    const Real dcell = dc[k] + dh[k] * o * (1 - t * t);
    a[k] = dcell * g * i * (1 - i);
    a[H + k] = dcell * c[k] * f * (1 - f);
    a[2 * H + k] = dcell * i * (1 - g * g);
    a[3 * H + k] = dh[k] * t * o * (1 - o);
    dc[k] = dcell * f;
  }
}

// r, z and what n needs of the state: q = u_n (reset after), q = r h (reset before).
template <class Real>
void gru_gates(Cell cell, int64_t H, Real* a, const Real* u, const Real* h) {
  for (int64_t k = 0; k < H; ++k) {
    const Real r = a[k] = sigmoid(a[k] + u[k]);
    a[H + k] = sigmoid(a[H + k] + u[H + k]);
    a[3 * H + k] = cell == Cell::gru_reset_after ? u[2 * H + k] : r * h[k];
  }
}

// n = tanh(a_n + r q) (reset after), tanh(a_n + W_n q + b_n) (reset before; W_n q + b_n is handed in);  h' = (1 − z) n
// + z h
template <class Real>
void gru_state(Cell cell, int64_t H, Real* a, const Real* product, const Real* h, Real* h_next) {
  for (int64_t k = 0; k < H; ++k) {
    const Real inner = cell == Cell::gru_reset_after ? a[k] * a[3 * H + k] : product[k];
    const Real n = a[2 * H + k] = std::tanh(a[2 * H + k] + inner), z = a[H + k];
    h_next[k] = (1 - z) * n + z * h[k];
  }
}

// h' = (1 − z) n + z h:  dz = dh' (h − n),  dn = dh' (1 − z),  dh = dh' z + what comes through the gates.
// dh: dh' in, its direct part out. a: z and n in, gradients inside them out.
template <class Real>
void gru_state_backward(int64_t H, Real* a, const Real* h, Real* dh) {
  for (int64_t k = 0; k < H; ++k) {
    const Real z = a[H + k], n = a[2 * H + k];
    a[H + k] = dh[k] * (h[k] - n) * z * (1 - z);
    a[2 * H + k] = dh[k] * (1 - z) * (1 - n * n);
    dh[k] *= z;
  }
}

// Reset after, inner = r q:  dq = dn r,  dr = dn q.   Reset before, q = r h, dq = W_nᵀ dn handed in:  dr = dq h,  dh +=
// dq r (q itself stays: dW_n = dn qᵀ).
template <class Real>
void gru_reset_backward(Cell cell, int64_t H, Real* a, const Real* h, const Real* dq, Real* dh) {
  for (int64_t k = 0; k < H; ++k) {
    const Real r = a[k], dn = a[2 * H + k], q = a[3 * H + k];
    if (cell == Cell::gru_reset_after) {
      a[k] = dn * q * r * (1 - r);
      a[3 * H + k] = dn * r;
    } else {
      a[k] = dq[k] * h[k] * r * (1 - r);
      dh[k] += dq[k] * r;
    }
  }
}

template <class Real>
void elman_forward(Cell cell, int64_t H, Real* a, const Real* u, Real* h_next) {
  for (int64_t k = 0; k < H; ++k)
    h_next[k] = a[k] = cell == Cell::tanh ? std::tanh(a[k] + u[k]) : std::max(Real{0}, a[k] + u[k]);
}

// tanh' = 1 − h'²;  relu' = 1 where h' > 0
template <class Real>
void elman_backward(Cell cell, int64_t H, Real* a, const Real* dh) {
  for (int64_t k = 0; k < H; ++k) a[k] = cell == Cell::tanh ? dh[k] * (1 - a[k] * a[k]) : a[k] > 0 ? dh[k] : 0;
}

template <class Real>
void step_forward(const RecurrentShape& shape, const RecurrentInputs<Real>& in, const Saved<Real>& saved, int64_t s,
                  int64_t b, Real* u) {
  const int64_t H = shape.H, gates = gate_count(shape.cell);
  Real *a = saved.gates(s, b), *h_next = saved.h(s + 1, b);
  const Real* h = saved.h(s, b);
  for (int64_t gate = 0; gate < gates; ++gate) {
    affine(in.weight_ih, in.bias_ih, gate, H, in.x + (saved.time(s) * shape.B + b) * shape.D, shape.D, a + gate * H);
    if (source_strip(shape.cell, gate) < 0) affine(in.weight_hh, in.bias_hh, gate, H, h, H, u + gate * H);
  }
  if (gates == 4) return lstm_forward(H, a, u, saved.c(s, b), saved.c(s + 1, b), h_next);
  if (gates == 1) return elman_forward(shape.cell, H, a, u, h_next);
  gru_gates(shape.cell, H, a, u, h);
  if (shape.cell == Cell::gru_reset_before) affine(in.weight_hh, in.bias_hh, 2, H, a + 3 * H, H, u + 2 * H);
  gru_state(shape.cell, H, a, u + 2 * H, h, h_next);
}

// The state stays as it is, and y is 0.
template <class Real>
void step_beyond_end(const RecurrentShape& shape, const Saved<Real>& saved, int64_t s, int64_t b) {
  std::copy_n(saved.h(s, b), shape.H, saved.h(s + 1, b));
  if (shape.cell == Cell::lstm) std::copy_n(saved.c(s, b), shape.H, saved.c(s + 1, b));
}

template <class Real>
void copy_or_zero(const Real* from, int64_t n, Real* to) {
  from ? std::copy_n(from, n, to) : std::fill_n(to, n, Real{0});
}

template <class Real>
void sentence_forward(const RecurrentShape& shape, const RecurrentInputs<Real>& in, const RecurrentOutputs<Real>& out,
                      const Saved<Real>& saved, int64_t b) {
  const int64_t H = shape.H;
  std::vector<Real> u(gate_count(shape.cell) * H);
  copy_or_zero(in.h0 ? in.h0 + b * H : nullptr, H, saved.h(0, b));
  if (shape.cell == Cell::lstm) copy_or_zero(in.c0 ? in.c0 + b * H : nullptr, H, saved.c(0, b));
  for (int64_t s = 0; s < shape.T; ++s) {
    const bool within = saved.time(s) < length(shape, in, b);
    within ? step_forward(shape, in, saved, s, b, u.data()) : step_beyond_end(shape, saved, s, b);
    if (out.y) copy_or_zero(within ? saved.h(s + 1, b) : nullptr, H, out.y + (saved.time(s) * shape.B + b) * H);
  }
  if (out.h) std::copy_n(saved.h(shape.T, b), H, out.h + b * H);
  if (out.c && shape.cell == Cell::lstm) std::copy_n(saved.c(shape.T, b), H, out.c + b * H);
}

// sum += Wᵀ d for the rows of one gate.
template <class Real>
void add_transposed(const Real* weight, int64_t gate, int64_t rows, const Real* d, int64_t columns, Real* sum) {
  for (int64_t u = 0; u < rows; ++u) add_scaled(d[u], weight + (gate * rows + u) * columns, columns, sum);
}

// dh, dc: gradients by the state after the step in, by the one before it out. scratch: H numbers.
template <class Real>
void step_backward(const RecurrentShape& shape, const RecurrentInputs<Real>& in, const Saved<Real>& saved, int64_t s,
                   int64_t b, Real* dh, Real* dc, Real* scratch) {
  const int64_t H = shape.H, gates = gate_count(shape.cell);
  Real* a = saved.gates(s, b);
  if (gates == 4) lstm_backward(H, a, saved.c(s, b), saved.c(s + 1, b), dh, dc);
  if (gates == 1) elman_backward(shape.cell, H, a, dh);
  if (gates == 3) {
    gru_state_backward(H, a, saved.h(s, b), dh);
    std::fill_n(scratch, H, Real{0});
    if (shape.cell == Cell::gru_reset_before) add_transposed(in.weight_hh, 2, H, a + 2 * H, H, scratch);
    gru_reset_backward(shape.cell, H, a, saved.h(s, b), scratch, dh);
  } else {
    std::fill_n(dh, H, Real{0});
  }
  for (int64_t gate = 0; gate < gates; ++gate)
    if (source_strip(shape.cell, gate) < 0)
      add_transposed(in.weight_hh, gate, H, a + state_strip(shape.cell, gate) * H, H, dh);
}

template <class Real>
void sentence_backward(const RecurrentShape& shape, const RecurrentInputs<Real>& in,
                       const RecurrentGradients<Real>& gradients, const Saved<Real>& saved, int64_t b) {
  const int64_t H = shape.H;
  std::vector<Real> dh(H), dc(H), scratch(H);
  copy_or_zero(gradients.dh ? gradients.dh + b * H : nullptr, H, dh.data());
  copy_or_zero(gradients.dc ? gradients.dc + b * H : nullptr, H, dc.data());
  for (int64_t s = shape.T - 1; s >= 0; --s) {
    if (saved.time(s) >= length(shape, in, b)) {
      std::fill_n(saved.gates(s, b), saved.width(), Real{0});
      continue;
    }
    if (gradients.dy) add_scaled(Real{1}, gradients.dy + (saved.time(s) * shape.B + b) * H, H, dh.data());
    step_backward(shape, in, saved, s, b, dh.data(), dc.data(), scratch.data());
  }
  if (gradients.dh0) std::copy(dh.begin(), dh.end(), gradients.dh0 + b * H);
  if (gradients.dc0 && shape.cell == Cell::lstm) std::copy(dc.begin(), dc.end(), gradients.dc0 + b * H);
}

// dx = W_ihᵀ da
template <class Real>
void input_gradient(const RecurrentShape& shape, const RecurrentInputs<Real>& in, const Saved<Real>& saved, int64_t s,
                    int64_t b, Real* dx) {
  std::fill_n(dx, shape.D, Real{0});
  for (int64_t gate = 0; gate < gate_count(shape.cell); ++gate)
    add_transposed(in.weight_ih, gate, shape.H, saved.gates(s, b) + gate * shape.H, shape.D, dx);
}

// Row u of gate `gate`: dW_ih = Σ da x,  db_ih = Σ da,  dW_hh = Σ du h (or q),  db_hh = Σ du.
template <class Real>
void weight_gradient(const RecurrentShape& shape, const RecurrentInputs<Real>& in,
                     const RecurrentGradients<Real>& gradients, const Saved<Real>& saved, int64_t gate, int64_t u) {
  const int64_t H = shape.H, row = gate * H + u, source = source_strip(shape.cell, gate);
  std::vector<Real> dinput(shape.D), dstate(H);
  Real dbias_input = 0, dbias_state = 0;
  for (int64_t step = 0; step < shape.T * shape.B; ++step) {
    const int64_t s = step / shape.B, b = step % shape.B;
    const Real* gates = saved.gates(s, b);
    const Real da = gates[row], du = gates[state_strip(shape.cell, gate) * H + u];
    add_scaled(da, in.x + (saved.time(s) * shape.B + b) * shape.D, shape.D, dinput.data());
    add_scaled(du, source < 0 ? saved.h(s, b) : gates + source * H, H, dstate.data());
    dbias_input += da;
    dbias_state += du;
  }
  if (gradients.dweight_ih) std::copy(dinput.begin(), dinput.end(), gradients.dweight_ih + row * shape.D);
  if (gradients.dweight_hh) std::copy(dstate.begin(), dstate.end(), gradients.dweight_hh + row * H);
  if (gradients.dbias_ih) gradients.dbias_ih[row] = dbias_input;
  if (gradients.dbias_hh) gradients.dbias_hh[row] = dbias_state;
}

template <class Real>
void forward(const RecurrentShape& shape, const RecurrentInputs<Real>& in, const RecurrentOutputs<Real>& out,
             Real* workspace) {
  const Saved<Real> saved{shape, workspace};
  parallel(shape.B, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) sentence_forward(shape, in, out, saved, b);
  });
}

template <class Real>
void backward(const RecurrentShape& shape, const RecurrentInputs<Real>& in, const RecurrentGradients<Real>& gradients,
              Real* workspace) {
  const Saved<Real> saved{shape, workspace};
  parallel(shape.B, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) sentence_backward(shape, in, gradients, saved, b);
  });
  if (gradients.dx)
    parallel(shape.T * shape.B, 16, [&](int64_t begin, int64_t end) {
      for (int64_t step = begin; step < end; ++step) {
        const int64_t s = step / shape.B, b = step % shape.B;
        input_gradient(shape, in, saved, s, b, gradients.dx + (saved.time(s) * shape.B + b) * shape.D);
      }
    });
  parallel(gate_count(shape.cell) * shape.H, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      weight_gradient(shape, in, gradients, saved, row / shape.H, row % shape.H);
  });
}

}  // namespace heed::kernels::plain
