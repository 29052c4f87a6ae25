// Between tensors and element-wise kernels: common shape, common dtype, strides. Nothing here is taped.
#pragma once

#include <heed/tensor.h>

#include <array>

#include "base/check.h"
#include "kernels/elementwise.h"
#include "tensor/dtype.h"

namespace heed {

void check_same_dtype(const Tensor& a, const Tensor& b, const char* op);
void check_boolean(const Tensor& x, const char* op);

// How operands walk through a result of this shape; a number is an operand without a tensor and repeats itself.
template <int N>
kernels::Strides<N> operand_strides(const Shape& shape, const std::array<const Tensor*, N>& operands) {
  kernels::Strides<N> result{.rank = shape.rank()};
  std::copy(shape.begin(), shape.end(), result.shape.begin());
  for (size_t k = 0; k < N; ++k) {
    if (!operands[k]) continue;
    const Shape &sizes = operands[k]->shape(), &strides = operands[k]->strides();
    const int shift = shape.rank() - sizes.rank();
    for (int i = shift; i < shape.rank(); ++i)
      result.stride[k][static_cast<size_t>(i)] = sizes[i - shift] == shape[i] ? strides[i - shift] : 0;
  }
  return result;
}

// a op b, f32 or f64.
Tensor binary(kernels::Binary kind, const char* op, const Tensor& a, const Tensor& b);
Tensor binary(kernels::Binary kind, const char* op, const Tensor& a, double b);
Tensor binary(kernels::Binary kind, const char* op, double a, const Tensor& b);

}  // namespace heed
