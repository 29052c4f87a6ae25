// One step of a recurrent cell from its products; what Recurrent::step is made of.
#pragma once

#include <heed/ops.h>

#include "kernels/recurrent.h"

namespace heed {

kernels::Cell kernel_cell(Cell cell);

struct CellState {
  Tensor h, c;  // (B, H); c of the LSTM alone
};
// a, u (B, gates·H): of the input and of the state, with their biases. Every cell but gru_reset_before.
CellState recurrent_cell(Cell cell, const Tensor& a, const Tensor& u, const CellState& before);

}  // namespace heed
