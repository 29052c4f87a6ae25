// The cells of recurrent.h for one step whose products are there already: a = W_ih x + b_ih, u = W_hh h + b_hh.
#pragma once

#include "kernels/recurrent.h"

namespace heed::kernels {

// All but gru_reset_before, whose product waits for its gates.
struct CellShape {
  Cell cell;
  int64_t rows, H;
};

// Numbers a row that forward keeps for backward: i f g o tanh(c'), r z n u_n, or h'.
constexpr int64_t kept_count(Cell cell) { return cell == Cell::lstm ? 5 : cell == Cell::gru_reset_after ? 4 : 1; }

template <class Real>
struct CellForward {
  const Real *a, *u;  // (rows, G H)
  const Real *h, *c;  // (rows, H): h for a GRU, c for an LSTM
  Real *h_next, *c_next, *kept;
};
template <class Real>
struct CellBackward {
  const Real *h, *c, *kept;
  const Real *dh_next, *dc_next;  // dc_next of an LSTM
  Real* da;                       // (rows, G H)
  Real* du;                       // the same of a GRU; of the others du is da
  Real *dh, *dc;                  // what a GRU's state, an LSTM's c go on as
};

template <class Real>
void cell_forward(const CellShape& shape, const CellForward<Real>& cell);
template <class Real>
void cell_backward(const CellShape& shape, const CellBackward<Real>& cell);

}  // namespace heed::kernels
