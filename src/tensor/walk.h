// Tensors of one shape as kernels/strides.h walks them.
#pragma once

#include <heed/tensor.h>

#include "kernels/strides.h"

namespace heed {

template <size_t N>
kernels::Strides<static_cast<int>(N)> walk_of(const Shape& shape, const Shape (&strides)[N]) {
  kernels::Strides<static_cast<int>(N)> result{.rank = shape.rank()};
  std::copy(shape.begin(), shape.end(), result.shape.begin());
  for (size_t i = 0; i < N; ++i) std::copy(strides[i].begin(), strides[i].end(), result.stride[i].begin());
  return result;
}

}  // namespace heed
