// One function of one variable over all elements, with its gradient.
#pragma once

#include <heed/autograd.h>

#include "kernels/math.h"

namespace heed {

// y = f(x) on the tape; `parameter` is the slope or scale of the functions that have one.
Tensor mapped(kernels::Unary f, const char* op, const Tensor& x, double parameter = 0);

}  // namespace heed
