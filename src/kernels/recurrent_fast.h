// recurrent.h in f32: the products of all steps at once wherever no step waits for another (W_ih x of the whole
// sequence, dx, dW_ih, dW_hh), and steps that only do what is sequential (recurrent_stage.h). In backward the gates
// turn into their gradients in place.
#pragma once

#include "kernels/recurrent.h"

namespace heed::kernels::recurrent {

int64_t workspace(const RecurrentShape& shape);
void forward(const RecurrentShape& shape, const RecurrentInputs<float>& in, const RecurrentOutputs<float>& out,
             float* workspace);
void backward(const RecurrentShape& shape, const RecurrentInputs<float>& in, const RecurrentGradients<float>& gradients,
              float* workspace);

}  // namespace heed::kernels::recurrent
