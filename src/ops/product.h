// Tensors as the factors of kernels/products.h.
#pragma once

#include <heed/tensor.h>

namespace heed {

// a (…, M, K) · b (…, K, N), leading dimensions broadcast; off the tape.
Tensor multiplied(const Tensor& a, const Tensor& b);

}  // namespace heed
