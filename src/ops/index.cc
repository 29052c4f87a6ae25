// Elements chosen by indices that are tensors themselves. Gradients of elements that were taken twice add up, always in
// the order of the indices.
#include <heed/ops.h>

#include <cstring>
#include <tuple>

#include "base/check.h"
#include "base/threads.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"
#include "tensor/walk.h"

namespace heed {
namespace {

// Indices as packed i64 in [0, size).
Tensor places(const Tensor& indices, int64_t size, const char* op) {
  check(indices.dtype() == Dtype::i64 || indices.dtype() == Dtype::i32, op, "indices are {}, wanted i64 or i32",
        name(indices.dtype()));
  Tensor result = indices.to(Dtype::i64);
  if (result.shares_storage(indices)) result = result.clone();
  int64_t* data = result.data<int64_t>();
  for (int64_t i = 0; i < result.numel(); ++i) {
    check(data[i] >= -size && data[i] < size, op, "index {} is outside of a dimension of {}", data[i], size);
    if (data[i] < 0) data[i] += size;
  }
  return result;
}

// x as (outer, size, inner) around dimension dim.
struct SelectedRows {
  int64_t outer = 1, size, inner = 1;
  SelectedRows(const Shape& shape, int dim) : size(shape[dim]) {
    for (int i = 0; i < dim; ++i) outer *= shape[i];
    for (int i = dim + 1; i < shape.rank(); ++i) inner *= shape[i];
  }
};

Tensor rows_at(const Tensor& any, int dim, const Tensor& at) {
  const Tensor x = any.packed();
  Shape shape = x.shape();
  const SelectedRows rows(shape, dim);
  shape[dim] = at.numel();
  Tensor y(shape, x.dtype());
  const int64_t count = at.numel(), bytes = rows.inner * size_of(x.dtype());
  const char* from = static_cast<const char*>(x.raw());
  char* to = static_cast<char*>(y.raw());
  parallel(rows.outer * count, 1 + (1 << 15) / std::max<int64_t>(bytes, 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      std::memcpy(to + i * bytes, from + (i / count * rows.size + at.data<int64_t>()[i % count]) * bytes,
                  static_cast<size_t>(bytes));
  });
  return y;
}

// Adds the rows of `any` to those of a tensor of zeros. Threads share the columns, so every sum has one order.
Tensor rows_added(const Tensor& any, const Shape& shape, int dim, const Tensor& at) {
  const Tensor source = any.packed();
  Tensor sum = Tensor::zeros(shape, source.dtype());
  const SelectedRows rows(shape, dim);
  dispatch_floating(source.dtype(), "index_select", [&](auto zero) {
    using T = decltype(zero);
    const T* from = source.data<T>();
    const int64_t *index = at.data<int64_t>(), count = at.numel();
    T* to = sum.data<T>();
    parallel(rows.outer * rows.inner, 1 + (1 << 14) / std::max<int64_t>(count, 1), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin / rows.inner; o * rows.inner < end; ++o) {
        const int64_t first = std::max(begin - o * rows.inner, int64_t{0});
        const int64_t last = std::min(end - o * rows.inner, rows.inner);
        for (int64_t i = 0; i < count; ++i)
          for (int64_t j = first; j < last; ++j)
            to[(o * rows.size + index[i]) * rows.inner + j] += from[(o * count + i) * rows.inner + j];
      }
    });
  });
  return sum;
}

void check_gather(const Tensor& x, int dim, const Tensor& indices, const char* op) {
  bool fits = indices.rank() == x.rank();
  for (int i = 0; fits && i < x.rank(); ++i) fits = i == dim || indices.shape()[i] <= x.shape()[i];
  check(fits, op, "indices of shape {} do not fit into shape {} beside dimension {}", indices.shape(), x.shape(), dim);
}

Shape without_step(Shape strides, int dim) {
  strides[dim] = 0;
  return strides;
}

Tensor gathered(const Tensor& x, int dim, const Tensor& at) {
  Tensor y(at.shape(), x.dtype());
  const int64_t step = x.strides()[dim];
  const auto walk = walk_of(at.shape(), {y.strides(), at.strides(), without_step(x.strides(), dim)});
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = static_cast<const T*>(x.raw());
    const int64_t* index = at.data<int64_t>();
    T* to = static_cast<T*>(y.raw());
    kernels::for_pieces(walk, [=](const kernels::Piece<3>& piece) {
      const auto& [o, s] = std::tie(piece.at, piece.step);
      for (int64_t i = 0; i < piece.n; ++i) to[o[0] + i * s[0]] = from[o[2] + i * s[2] + index[o[1] + i * s[1]] * step];
    });
  });
  return y;
}

// sum[…, at, …] += source, element by element. Threads share a dimension other than `dim`.
void add_at(Tensor& sum, int dim, const Tensor& at, const Tensor& source) {
  int shared = dim == 0 ? sum.rank() - 1 : 0;
  for (int i = 0; i < sum.rank(); ++i)
    if (i != dim && (shared == dim || at.shape()[i] > at.shape()[shared])) shared = i;
  const int64_t step = sum.strides()[dim], size = at.shape()[shared];
  const auto whole = walk_of(at.shape(), {without_step(sum.strides(), dim), at.strides(), source.strides()});
  dispatch_floating(sum.dtype(), "scatter_add", [&](auto zero) {
    using T = decltype(zero);
    T* to = sum.data<T>();
    const int64_t* index = at.data<int64_t>();
    const T* from = source.data<T>();
    const auto add_part = [&](int64_t begin, int64_t end) {
      kernels::Strides<3> part = whole;
      std::array<int64_t, 3> start{};
      if (shared != dim) {
        const auto cut = static_cast<size_t>(shared);
        for (size_t k = 0; k < 3; ++k) start[k] = begin * whole.stride[k][cut];
        part.shape[cut] = end - begin;
      }
      kernels::for_pieces_in_order(part, [=](const kernels::Piece<3>& piece) {
        const auto& [o, s] = std::tie(piece.at, piece.step);
        for (int64_t i = 0; i < piece.n; ++i) {
          const int64_t place = index[start[1] + o[1] + i * s[1]] * step;
          to[start[0] + o[0] + i * s[0] + place] += from[start[2] + o[2] + i * s[2]];
        }
      });
    };
    if (shared == dim)
      add_part(0, size);
    else
      parallel(size, 1 + (1 << 14) * size / std::max<int64_t>(at.numel(), 1), add_part);
  });
}

}  // namespace

// dx[index_i] += dy[i]
Tensor index_select(const Tensor& x, int dim, const Tensor& indices) {
  dim = wrap_dim(dim, x.rank(), "index_select");
  check(indices.rank() == 1, "index_select", "indices have shape {}, wanted one dimension", indices.shape());
  const Tensor at = places(indices, x.shape()[dim], "index_select");
  return record("index_select", rows_at(x, dim, at), {x},
                [=, shape = x.shape()](const Tensor& dy, Gradients& d) { d.add(0, rows_added(dy, shape, dim, at)); });
}

// y[i] = x[index_i] in dim, dx[index_i] += dy[i]
Tensor gather(const Tensor& x, int dim, const Tensor& indices) {
  dim = wrap_dim(dim, x.rank(), "gather");
  check_gather(x, dim, indices, "gather");
  const Tensor at = places(indices, x.shape()[dim], "gather");
  return record("gather", gathered(x, dim, at), {x}, [=, shape = x.shape()](const Tensor& dy, Gradients& d) {
    Tensor dx = Tensor::zeros(shape, dy.dtype());
    add_at(dx, dim, at, dy);
    d.add(0, dx);
  });
}

// y = x, y[index_i] += source_i; dx = dy, dsource_i = dy[index_i]
Tensor scatter_add(const Tensor& x, int dim, const Tensor& indices, const Tensor& source) {
  dim = wrap_dim(dim, x.rank(), "scatter_add");
  check_gather(x, dim, indices, "scatter_add");
  check(source.shape() == indices.shape() && source.dtype() == x.dtype(), "scatter_add",
        "source is {} {}, wanted {} of the indices' shape {}", name(source.dtype()), source.shape(), name(x.dtype()),
        indices.shape());
  const Tensor at = places(indices, x.shape()[dim], "scatter_add");
  Tensor y = x.clone();
  add_at(y, dim, at, source);
  return record("scatter_add", y, {x, source}, [=](const Tensor& dy, Gradients& d) {
    d.add(0, dy);
    if (d.needs(1)) d.add(1, gathered(dy, dim, at));
  });
}

Tensor take(const Tensor& x, const Tensor& indices) {
  return reshape(index_select(reshape(x, {x.numel()}), 0, indices.packed().view({indices.numel()})), indices.shape());
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  check(mask.dtype() == Dtype::boolean, "masked_select", "the mask is {}, wanted bool", name(mask.dtype()));
  const Shape shape = broadcast_shapes(x.shape(), mask.shape(), "masked_select");
  const Tensor all = mask.expand(shape).packed();
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < all.numel(); ++i)
    if (all.data<bool>()[i]) chosen.push_back(i);
  return take(expand(x, shape), tensor_from(chosen, {static_cast<int64_t>(chosen.size())}));
}

Tensor one_hot(const Tensor& indices, int64_t classes, Dtype dtype) {
  const Tensor at = places(indices, classes, "one_hot");
  Shape shape = indices.shape();
  shape.push_back(classes);
  Tensor result = Tensor::zeros(shape, dtype);
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < at.numel(); ++i)
      static_cast<T*>(result.raw())[i * classes + at.data<int64_t>()[i]] = convert<T>(1);
  });
  return result;
}

}  // namespace heed
