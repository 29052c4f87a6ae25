#include "ops/dims.h"

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {

unsigned chosen_dims(const Tensor& x, const Shape& dims, const char* op) {
  unsigned chosen = 0;
  for (int64_t each : dims) {
    const int dim = wrap_dim(static_cast<int>(each), x.rank(), op);
    check(!(chosen >> dim & 1), op, "dimension {} is named twice in {}", dim, dims);
    chosen |= 1u << dim;
  }
  return dims.rank() == 0 ? ~0u : chosen;
}

Shape with_ones(const Tensor& x, const Shape& dims) {
  const unsigned chosen = chosen_dims(x, dims, "dims");
  Shape shape = x.shape();
  for (int i = 0; i < x.rank(); ++i)
    if (chosen >> i & 1) shape[i] = 1;
  return shape;
}

Shape without_dims(const Tensor& x, const Shape& dims) {
  const unsigned chosen = chosen_dims(x, dims, "dims");
  Shape shape;
  for (int i = 0; i < x.rank(); ++i)
    if (!(chosen >> i & 1)) shape.push_back(x.shape()[i]);
  return shape;
}

Shape inverse_order(const Shape& order) {
  Shape inverse = order;
  for (int i = 0; i < order.rank(); ++i) inverse[wrap_dim(static_cast<int>(order[i]), order.rank(), "permute")] = i;
  return inverse;
}

double count_of(const Tensor& x, const Shape& dims) {
  const unsigned chosen = chosen_dims(x, dims, "dims");
  double count = 1;
  for (int i = 0; i < x.rank(); ++i)
    if (chosen >> i & 1) count *= static_cast<double>(x.shape()[i]);
  return count;
}

}  // namespace heed
