// Tensors as the factors of kernels/products.h.
#pragma once

#include <heed/tensor.h>

#include "kernels/packed.h"

namespace heed {

// a (…, M, K) · b (…, K, N), leading dimensions broadcast; off the tape.
Tensor multiplied(const Tensor& a, const Tensor& b);

// A contiguous weight W (out, in) packed for x Wᵀ (forward) or g W (backward). It is kept with the weight's elements
// and gone with them, or once they change; null where nothing can be kept of them.
enum class Side { forward, backward };
template <class T>
std::shared_ptr<const kernels::PackedWeights<T>> packed_weight(const Tensor& weight, Side side = Side::forward);

// Whether a product of so many rows goes by packed weights. What nobody trains is read that way by any number of rows:
// weights in panels are ahead, three times for four to sixteen rows. A weight in training is packed for the few rows of
// a step that a recurrent model takes again and again. It depends on nothing else, so that the bits do not either.
bool goes_by_panels(int64_t rows, bool training);

}  // namespace heed
