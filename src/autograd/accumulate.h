// Adding gradients up.
#pragma once

#include <heed/tensor.h>

namespace heed::autograd {

// The gradient of something that was broadcast from `shape`: summed over the dimensions that were repeated.
Tensor sum_to(const Tensor& gradient, const Shape& shape);

// sum += gradient. An undefined sum becomes the gradient; a sum that nobody else holds is added to in place.
void accumulate(Tensor& sum, const Tensor& gradient);

}  // namespace heed::autograd
