// Tensors as the factors of kernels/products.h.
#pragma once

#include <heed/tensor.h>

#include "kernels/packed.h"

namespace heed {

// a (…, M, K) · b (…, K, N), leading dimensions broadcast; off the tape.
Tensor multiplied(const Tensor& a, const Tensor& b);

// Wᵀ of a contiguous weight (out, in), packed: from the second time on that it is asked for and nobody may have written
// to the weight meanwhile, null before. It is kept with the weight's elements and gone with them, or once they change.
// Products with it are ahead of those with plain weights for any number of rows, three times for four to sixteen; up
// to eight rows their last bits differ.
template <class T>
std::shared_ptr<const kernels::PackedWeights<T>> packed_weight(const Tensor& weight);

}  // namespace heed
