// Views: new shape and strides over the same elements.
#include <heed/tensor.h>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {

Tensor Tensor::view(const Shape& wanted) const {
  Shape shape = wanted;
  int unknown = -1;
  int64_t known = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    check(shape[i] >= -1 && (shape[i] != -1 || unknown < 0), "reshape", "{} is no shape: one size may be -1", shape);
    if (shape[i] == -1)
      unknown = i;
    else
      known = checked_multiply(known, shape[i], "reshape");
  }
  if (unknown >= 0) {
    check(known > 0 && numel() % known == 0, "reshape", "{} does not fit into {}", this->shape(), shape);
    shape[unknown] = numel() / known;
    known = numel();
  }
  check(known == numel(), "reshape", "{} does not fit into {}", this->shape(), shape);
  check(contiguous(), "view", "a view of strides {} cannot have shape {}; take packed() first", strides(), shape);
  return make_view(shape, contiguous_strides(shape), 0);
}

Tensor Tensor::transpose(int a, int b) const {
  a = wrap_dim(a, rank(), "transpose"), b = wrap_dim(b, rank(), "transpose");
  Shape shape = this->shape(), strides = this->strides();
  std::swap(shape[a], shape[b]);
  std::swap(strides[a], strides[b]);
  return make_view(shape, strides, 0);
}

Tensor Tensor::permute(const Shape& order) const {
  check(order.rank() == rank(), "permute", "order {} has not the rank of shape {}", order, shape());
  Shape shape = this->shape(), strides = this->strides();
  unsigned seen = 0;
  for (int i = 0; i < rank(); ++i) {
    check(order[i] >= -rank() && order[i] < rank(), "permute", "order {} names a dimension that does not exist", order);
    const int from = wrap_dim(static_cast<int>(order[i]), rank(), "permute");
    check(!(seen >> from & 1), "permute", "order {} names dimension {} twice", order, from);
    seen |= 1u << from;
    shape[i] = this->shape()[from], strides[i] = this->strides()[from];
  }
  return make_view(shape, strides, 0);
}

// Where there are no elements the product may be beyond 64 bits, and no offset matters.
static int64_t first_element(const Tensor& tensor, int dim, int64_t index) {
  return tensor.numel() > 0 ? index * tensor.strides()[dim] : 0;
}

// Python's rule for the bounds: negative ones count from the end, those outside are clamped.
Tensor Tensor::slice(int dim, int64_t begin, int64_t end, int64_t step) const {
  dim = wrap_dim(dim, rank(), "slice");
  check(step > 0, "slice", "step {} is not positive", step);
  const int64_t size = shape()[dim];
  const auto clamp = [size](int64_t at) { return std::min(std::max<int64_t>(at < 0 ? at + size : at, 0), size); };
  begin = clamp(begin), end = std::max(begin, clamp(end));
  Shape shape = this->shape(), strides = this->strides();
  shape[dim] = end == begin ? 0 : (end - begin - 1) / step + 1;
  const int64_t offset = shape[dim] > 0 ? first_element(*this, dim, begin) : 0;
  if (shape[dim] > 1 && numel() > 0) strides[dim] *= step;
  return make_view(shape, strides, offset);
}

Tensor Tensor::select(int dim, int64_t index) const {
  dim = wrap_dim(dim, rank(), "select");
  const int64_t size = shape()[dim];
  check(index >= -size && index < size, "select", "index {} is outside of dimension {} of shape {}", index, dim,
        shape());
  if (index < 0) index += size;
  Shape shape = this->shape(), strides = this->strides();
  const int64_t offset = first_element(*this, dim, index);
  shape.erase(dim), strides.erase(dim);
  return make_view(shape, strides, offset);
}

Tensor Tensor::expand(const Shape& wanted) const {
  const int shift = wanted.rank() - rank();
  check(shift >= 0, "expand", "shape {} cannot become {}", shape(), wanted);
  Shape shape = wanted, strides = wanted;
  for (int i = 0; i < wanted.rank(); ++i) {
    const int64_t size = i < shift ? 1 : this->shape()[i - shift];
    if (wanted[i] == -1 && i >= shift) shape[i] = size;
    check(shape[i] == size || size == 1, "expand", "shape {} cannot become {}", this->shape(), wanted);
    strides[i] = shape[i] == size && i >= shift ? this->strides()[i - shift] : 0;
  }
  return make_view(shape, strides, 0);
}

Tensor Tensor::squeeze(int dim) const {
  dim = wrap_dim(dim, rank(), "squeeze");
  check(shape()[dim] == 1, "squeeze", "dimension {} of shape {} is not 1", dim, shape());
  Shape shape = this->shape(), strides = this->strides();
  shape.erase(dim), strides.erase(dim);
  return make_view(shape, strides, 0);
}

Tensor Tensor::unsqueeze(int dim) const {
  dim = wrap_dim(dim, rank() + 1, "unsqueeze");
  Shape shape = this->shape(), strides = this->strides();
  int64_t stride = 1;
  // Where there are no elements the product may be beyond 64 bits, and no stride matters.
  if (dim < rank() && multiply_overflows(shape[dim], strides[dim], &stride)) stride = 1;
  strides.insert(dim, stride);
  shape.insert(dim, 1);
  return make_view(shape, strides, 0);
}

}  // namespace heed
