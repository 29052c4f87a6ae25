// Putting tensors together and taking them apart.
#include <heed/ops.h>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

// All parts have the dtype of the first and, except in `free_dim`, its shape.
void check_parts(const std::vector<Tensor>& parts, int free_dim, const char* op) {
  for (size_t i = 1; i < parts.size(); ++i) {
    Shape shape = parts[i].shape();
    check(parts[i].dtype() == parts[0].dtype(), op, "part 0 is {}, part {} is {}; wanted one dtype",
          name(parts[0].dtype()), i, name(parts[i].dtype()));
    const bool same_rank = shape.rank() == parts[0].rank();
    if (same_rank && free_dim >= 0) shape[free_dim] = parts[0].shape()[free_dim];
    check(shape == parts[0].shape(), op, "part {} of shape {} does not fit to part 0 of shape {} in dimension {}", i,
          parts[i].shape(), parts[0].shape(), free_dim);
  }
}

Tensor joined(std::span<const Tensor> parts, Shape shape, int dim) {
  shape[dim] = 0;
  for (const Tensor& part : parts) shape[dim] = checked_add(shape[dim], part.shape()[dim], "concat");
  Tensor y(shape, parts[0].dtype());
  int64_t begin = 0;
  for (const Tensor& part : parts) {
    y.slice(dim, begin, begin + part.shape()[dim]).copy_from(part);
    begin += part.shape()[dim];
  }
  return y;
}

}  // namespace

// dx_i = dy[begin_i : end_i]
Tensor concat(const std::vector<Tensor>& parts, int dim) {
  check(!parts.empty(), "concat", "got no tensor, wanted one or more");
  dim = wrap_dim(dim, parts[0].rank(), "concat");
  check_parts(parts, dim, "concat");
  std::vector<int64_t> sizes;
  for (const Tensor& part : parts) sizes.push_back(part.shape()[dim]);
  return record("concat", joined(parts, parts[0].shape(), dim), std::span(parts),
                [sizes, dim](const Tensor& dy, Gradients& d) {
                  int64_t begin = 0;
                  for (size_t i = 0; i < sizes.size(); ++i) {
                    d.add(static_cast<int>(i), dy.slice(dim, begin, begin + sizes[i]));
                    begin += sizes[i];
                  }
                });
}

// dx_i = dy[i]
Tensor stack(const std::vector<Tensor>& parts, int dim) {
  check(!parts.empty(), "stack", "got no tensor, wanted one or more");
  dim = wrap_dim(dim, parts[0].rank() + 1, "stack");
  check_parts(parts, -1, "stack");
  Shape shape = parts[0].shape();
  shape.insert(dim, static_cast<int64_t>(parts.size()));
  Tensor y(shape, parts[0].dtype());
  for (size_t i = 0; i < parts.size(); ++i) y.select(dim, static_cast<int64_t>(i)).copy_from(parts[i]);
  return record("stack", y, std::span(parts), [dim](const Tensor& dy, Gradients& d) {
    for (int64_t i = 0; i < dy.shape()[dim]; ++i) d.add(static_cast<int>(i), dy.select(dim, i));
  });
}

// dx = concat(dy_i)
std::vector<Tensor> split(const Tensor& x, const std::vector<int64_t>& sizes, int dim) {
  dim = wrap_dim(dim, x.rank(), "split");
  std::vector<Tensor> parts;
  int64_t begin = 0;
  for (int64_t size : sizes) {
    check(size >= 0, "split", "got a size of {}", size);
    parts.push_back(x.slice(dim, begin, begin + size));
    begin = checked_add(begin, size, "split");
  }
  check(begin == x.shape()[dim] && !sizes.empty(), "split", "{} sizes that add up to {}, dimension {} of {} has {}",
        sizes.size(), begin, dim, x.shape(), x.shape()[dim]);
  return record_all(
      "split", std::move(parts), std::span(&x, 1),
      [dim, shape = x.shape()](std::span<const Tensor> dys, Gradients& d) { d.add(0, joined(dys, shape, dim)); });
}

std::vector<Tensor> chunk(const Tensor& x, int64_t count, int dim) {
  check(count > 0, "chunk", "got {} parts, wanted one or more", count);
  int64_t left = x.dim(dim);
  const int64_t size = std::max<int64_t>((left + count - 1) / count, 1);
  std::vector<int64_t> sizes;
  for (; left > size; left -= size) sizes.push_back(size);
  sizes.push_back(left);
  return split(x, sizes, dim);
}

// dx = stack(dy_i)
std::vector<Tensor> unstack(const Tensor& x, int dim) {
  dim = wrap_dim(dim, x.rank(), "unstack");
  std::vector<Tensor> parts;
  for (int64_t i = 0; i < x.shape()[dim]; ++i) parts.push_back(x.select(dim, i));
  return record_all("unstack", std::move(parts), std::span(&x, 1), [dim](std::span<const Tensor> dys, Gradients& d) {
    d.add(0, stack(std::vector<Tensor>(dys.begin(), dys.end()), dim));
  });
}

}  // namespace heed
