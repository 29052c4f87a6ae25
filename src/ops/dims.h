// Sets of dimensions that a reduction works over.
#pragma once

#include <heed/tensor.h>

namespace heed {

// Bit i for dimension i; no dims at all choose every one. Errors name the op.
unsigned chosen_dims(const Tensor& x, const Shape& dims, const char* op);

Shape with_ones(const Tensor& x, const Shape& dims);     // x's shape, the chosen sizes being 1
Shape without_dims(const Tensor& x, const Shape& dims);  // x's shape without the chosen ones
Shape inverse_order(const Shape& order);                 // of permute(): what leads back
double count_of(const Tensor& x, const Shape& dims);     // the product of the chosen sizes

}  // namespace heed
