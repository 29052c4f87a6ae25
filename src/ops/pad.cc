// Padding, flipping, rolling, triangles.
#include <heed/ops.h>

#include <algorithm>

#include "base/check.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

// The part of the padded tensor in which x stands.
Tensor inside(Tensor padded, const Shape& shape, const std::vector<Padding>& last) {
  const int first = shape.rank() - static_cast<int>(last.size());
  for (size_t i = 0; i < last.size(); ++i) {
    const int dim = first + static_cast<int>(i);
    padded = padded.slice(dim, last[i].before, last[i].before + shape[dim]);
  }
  return padded;
}

// Where each place of a padded dimension of `size` takes its element from.
Tensor sources(int64_t size, const Padding& padding, PadMode mode) {
  Tensor result({padding.before + size + padding.after}, Dtype::i64);
  for (int64_t i = 0; i < result.numel(); ++i) {
    int64_t from = i - padding.before;
    if (mode == PadMode::reflect) from = from < 0 ? -from : from >= size ? 2 * (size - 1) - from : from;
    result.data<int64_t>()[i] = std::clamp<int64_t>(from, 0, size - 1);
  }
  return result;
}

void check_padding(const Tensor& x, const std::vector<Padding>& last, PadMode mode) {
  check(static_cast<int>(last.size()) <= x.rank(), "pad", "got {} paddings for shape {}", last.size(), x.shape());
  for (size_t i = 0; i < last.size(); ++i) {
    const int64_t size = x.shape()[x.rank() - static_cast<int>(last.size() - i)];
    const int64_t least = std::min(last[i].before, last[i].after), most = std::max(last[i].before, last[i].after);
    check(least >= 0, "pad", "got a padding of {}, wanted 0 or more", least);
    check(mode != PadMode::reflect || most < std::max<int64_t>(size, 1), "pad",
          "got a reflection of {} for a size of {}, wanted less", most, size);
    check(mode != PadMode::replicate || most == 0 || size > 0, "pad", "an empty dimension has no edge to repeat");
  }
}

Tensor flipped(const Tensor& x, const Shape& dims) {
  Shape strides = x.strides();
  int64_t offset = 0;
  for (int64_t each : dims) {
    const int dim = wrap_dim(static_cast<int>(each), x.rank(), "flip");
    check(strides[dim] == x.strides()[dim], "flip", "dimension {} is named twice", dim);
    offset += std::max<int64_t>(x.shape()[dim] - 1, 0) * strides[dim];
    strides[dim] = -strides[dim];
  }
  return x.as_strided(x.shape(), strides, offset).clone();
}

Tensor rolled(const Tensor& x, int64_t shift, int dim) {
  const int64_t size = x.shape()[dim], first = size > 0 ? ((shift % size) + size) % size : 0;
  Tensor y(x.shape(), x.dtype());
  y.slice(dim, first, size).copy_from(x.slice(dim, 0, size - first));
  y.slice(dim, 0, first).copy_from(x.slice(dim, size - first, size));
  return y;
}

// Keeps columns [begin(row), end(row)) of each matrix.
template <class Range>
Tensor triangle(const Tensor& x, const char* op, const Range& range) {
  check(x.rank() >= 2, op, "got shape {}, wanted a matrix", x.shape());
  Tensor y = x.clone();
  const int64_t rows = x.dim(-2), columns = x.dim(-1), count = y.numel() / std::max<int64_t>(columns, 1);
  dispatch(x.dtype(), [&](auto zero) {
    auto* data = static_cast<decltype(zero)*>(y.raw());
    for (int64_t i = 0; i < count; ++i) {
      const auto [begin, end] = range(i % rows);
      auto* row = data + i * columns;
      std::fill(row, row + std::clamp<int64_t>(begin, 0, columns), zero);
      std::fill(row + std::clamp<int64_t>(end, 0, columns), row + columns, zero);
    }
  });
  return y;
}

Tensor lower(const Tensor& x, int64_t diagonal) {
  return triangle(x, "lower_triangle", [=](int64_t row) { return std::pair{int64_t{0}, row + diagonal + 1}; });
}
Tensor upper(const Tensor& x, int64_t diagonal) {
  const int64_t columns = x.rank() > 0 ? x.dim(-1) : 0;
  return triangle(x, "upper_triangle", [=](int64_t row) { return std::pair{row + diagonal, columns}; });
}

}  // namespace

// dx = the inside of dy; where elements repeat, index_select adds their gradients up
Tensor pad(const Tensor& x, const std::vector<Padding>& last, PadMode mode, double value) {
  check_padding(x, last, mode);
  const int first = x.rank() - static_cast<int>(last.size());
  if (mode != PadMode::constant) {
    Tensor y = x;
    for (size_t i = 0; i < last.size(); ++i) {
      const int dim = first + static_cast<int>(i);
      if (last[i].before + last[i].after > 0) y = index_select(y, dim, sources(x.shape()[dim], last[i], mode));
    }
    return y;
  }
  Shape shape = x.shape();
  for (size_t i = 0; i < last.size(); ++i) shape[first + static_cast<int>(i)] += last[i].before + last[i].after;
  Tensor y = Tensor::full(shape, value, x.dtype());
  inside(y, x.shape(), last).copy_from(x);
  return record("pad", y, {x},
                [last, from = x.shape()](const Tensor& dy, Gradients& d) { d.add(0, inside(dy, from, last)); });
}

// dx = flip(dy)
Tensor flip(const Tensor& x, const Dims& dims) {
  return record("flip", flipped(x, dims), {x}, [dims](const Tensor& dy, Gradients& d) { d.add(0, flipped(dy, dims)); });
}

// y[i] = x[i - shift], dx[i] = dy[i + shift]
Tensor roll(const Tensor& x, int64_t shift, int dim) {
  dim = wrap_dim(dim, x.rank(), "roll");
  return record("roll", rolled(x, shift, dim), {x},
                [=](const Tensor& dy, Gradients& d) { d.add(0, rolled(dy, -shift, dim)); });
}

// y[i][j] = x[i][j] where j <= i + diagonal, dx likewise from dy
Tensor lower_triangle(const Tensor& x, int64_t diagonal) {
  return record("lower_triangle", lower(x, diagonal), {x},
                [=](const Tensor& dy, Gradients& d) { d.add(0, lower(dy, diagonal)); });
}

// y[i][j] = x[i][j] where j >= i + diagonal, dx likewise from dy
Tensor upper_triangle(const Tensor& x, int64_t diagonal) {
  return record("upper_triangle", upper(x, diagonal), {x},
                [=](const Tensor& dy, Gradients& d) { d.add(0, upper(dy, diagonal)); });
}

}  // namespace heed
