// Adding gradients up.
#pragma once

#include <heed/autograd.h>

namespace heed::autograd {

// The gradient of something that was broadcast from `shape`: summed over the dimensions that were repeated.
Tensor sum_to(const Tensor& gradient, const Shape& shape);

// sum += gradient. An undefined sum becomes the gradient; a sum that nobody else holds is added to in place.
void accumulate(Tensor& sum, const Tensor& gradient);
// part(sum) += gradient. An undefined sum becomes zeros of this shape.
void accumulate_part(Tensor& sum, const Shape& shape, const Tensor& gradient, const Gradients::Part& part);

}  // namespace heed::autograd
