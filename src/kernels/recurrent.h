// Recurrent layers over whole sequences: one layer, one direction a call.
//
// With a = W_ih x + b_ih and u = W_hh h + b_hh, a strip of H numbers for each gate (h, c: the state before the step):
//
//   lstm              i = σ(aᵢ + uᵢ)  f = σ(a_f + u_f)  g = tanh(a_g + u_g)  o = σ(aₒ + uₒ)
//                     c' = f c + i g,  h' = o tanh(c')             Hochreiter & Schmidhuber 1997, Gers et al. 2000
//   gru_reset_after   r = σ(aᵣ + uᵣ)  z = σ(a_z + u_z)  n = tanh(a_n + r u_n)
//                     h' = (1 − z) n + z h                         cuDNN, PyTorch, Keras' reset_after=True
//   gru_reset_before  r, z as above,  n = tanh(a_n + W_n (r h) + b_n), h' as above: Cho et al. 2014, Keras'
//   reset_after=False tanh, relu        h' = tanh(a + u), max(0, a + u)              Elman 1990
//
// Layout: x (T, B, D) and y (T, B, H) are time-major; W_ih is (G H, D), W_hh (G H, H), the biases (G H), their strips
// in PyTorch's order: i, f, g, o (G = 4); r, z, n (G = 3); one strip (G = 1).
//
// Lengths: sentence b ends after lengths[b] steps. Beyond its end the state stays as it is and y is 0, so `reverse`
// (which walks from T−1 to 0) starts at each sentence's own end, and h is the state after the last step that the
// sentence has.
#pragma once

#include <cstdint>

namespace heed::kernels {

enum class Cell { lstm, gru_reset_after, gru_reset_before, tanh, relu };

// G: strips of the weights.
constexpr int64_t gate_count(Cell cell) {
  return cell == Cell::lstm ? 4 : cell == Cell::gru_reset_after || cell == Cell::gru_reset_before ? 3 : 1;
}

struct RecurrentShape {
  Cell cell = Cell::lstm;
  bool reverse = false;
  int64_t T = 0, B = 0, D = 0, H = 0;
};

// What both directions of the computation read.
template <class Real>
struct RecurrentInputs {
  const Real* x = nullptr;                  // (T, B, D)
  const int64_t* lengths = nullptr;         // (B), 0…T each; null: T
  const Real *h0 = nullptr, *c0 = nullptr;  // (B, H); null: 0; c0 is for the LSTM alone, as every c below
  const Real *weight_ih = nullptr, *weight_hh = nullptr;
  const Real *bias_ih = nullptr, *bias_hh = nullptr;  // null: 0
};

// Null: not wanted.
template <class Real>
struct RecurrentOutputs {
  Real* y = nullptr;                // (T, B, H)
  Real *h = nullptr, *c = nullptr;  // (B, H) after the last step
};

// dy, dh, dc: the loss's gradients by the outputs, null for 0 (dy beyond a sentence's end counts for nothing).
// The rest is written, not added to; null: not wanted. Beyond a sentence's end dx is 0.
template <class Real>
struct RecurrentGradients {
  const Real *dy = nullptr, *dh = nullptr, *dc = nullptr;
  Real* dx = nullptr;
  Real *dh0 = nullptr, *dc0 = nullptr;
  Real *dweight_ih = nullptr, *dweight_hh = nullptr;
  Real *dbias_ih = nullptr, *dbias_hh = nullptr;
};

// How many numbers of workspace the two calls below share (64-byte aligned). It carries what forward saved; backward
// uses it up: one backward for each forward.
template <class Real>
int64_t recurrent_workspace(const RecurrentShape& shape);

template <class Real>
void recurrent_forward(const RecurrentShape& shape, const RecurrentInputs<Real>& in, const RecurrentOutputs<Real>& out,
                       Real* workspace);

// `in` as it was given to forward.
template <class Real>
void recurrent_backward(const RecurrentShape& shape, const RecurrentInputs<Real>& in,
                        const RecurrentGradients<Real>& gradients, Real* workspace);

}  // namespace heed::kernels
