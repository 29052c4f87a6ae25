#include "ops/product.h"

#include "kernels/products.h"
#include "tensor/dtype.h"

namespace heed {
namespace {

// The last two dimensions have one along which elements are neighbours, and all leading ones are walked by one stride.
bool is_factor(const Tensor& x, int64_t* batch_stride) {
  const Shape &shape = x.shape(), &strides = x.strides();
  const int last = x.rank() - 1;
  const int64_t rows = strides[last - 1], columns = strides[last];
  if (!(columns == 1 && rows >= shape[last]) && !(rows == 1 && columns >= shape[last - 1])) return false;
  *batch_stride = 0;
  int64_t next = -1;  // the stride that the next dimension must have; -1: any
  for (int i = last - 2; i >= 0; --i) {
    if (shape[i] == 1) continue;
    if (next < 0)
      *batch_stride = strides[i];
    else if (strides[i] != next)
      return false;
    next = strides[i] * shape[i];
  }
  return true;
}

// A tensor that is_factor, and how the kernel sees it.
template <class T>
struct Operand {
  Tensor tensor;
  kernels::Factor<T> factor;

  explicit Operand(const Tensor& x) : tensor(x) {
    int64_t batch_stride = 0;
    if (!is_factor(tensor, &batch_stride)) tensor = x.clone(), is_factor(tensor, &batch_stride);
    const int last = tensor.rank() - 1;
    const bool plain = tensor.strides()[last] == 1 && tensor.strides()[last - 1] >= tensor.shape()[last];
    factor = {tensor.data<T>(), plain ? tensor.strides()[last - 1] : tensor.strides()[last], !plain, batch_stride};
  }
};

template <class T>
struct Panels {
  Tensor room;
  kernels::PackedWeights<T> packed;
};

// What is packed of a weight so far.
template <class T>
struct PanelsOf final : Derived {
  const T* data;
  Shape shape;
  Panels<T> forward, backward;

  explicit PanelsOf(const Tensor& weight) : data(weight.data<T>()), shape(weight.shape()) {}
  bool is(const Tensor& weight) const { return data == weight.raw() && shape == weight.shape(); }
  const Panels<T>& of(Side side) const { return side == Side::forward ? forward : backward; }
  void pack(Side side) {
    const int64_t out = shape[0], in = shape[1];
    const bool transposed = side == Side::forward;
    const int64_t depth = transposed ? in : out, columns = transposed ? out : in;
    Panels<T>& panels = transposed ? forward : backward;
    panels.room = Tensor({std::max<int64_t>(1, kernels::panels_size(depth, columns))}, dtype_of<T>());
    panels.packed = {{data, in, transposed}, depth, columns, panels.room.template data<T>()};
  }
};

Shape leading(const Shape& shape) { return Shape(std::span(shape.begin(), shape.size() - 2)); }

Tensor with_batch(const Tensor& x, Shape batch) {
  batch.push_back(x.dim(-2)), batch.push_back(x.dim(-1));
  return x.shape() == batch ? x : x.expand(batch);
}

}  // namespace

Tensor multiplied(const Tensor& a, const Tensor& b) {
  const Shape batch = broadcast_shapes(leading(a.shape()), leading(b.shape()), "matmul");
  const int64_t rows = a.dim(-2), depth = a.dim(-1), columns = b.dim(-1);
  Shape shape = batch;
  shape.push_back(rows), shape.push_back(columns);
  Tensor c(shape, a.dtype());
  if (c.numel() == 0) return c;
  if (depth == 0) {
    c.fill(0);
    return c;
  }
  dispatch_floating(a.dtype(), "matmul", [&](auto zero) {
    using T = decltype(zero);
    const Operand<T> left(with_batch(a, batch)), right(with_batch(b, batch));
    kernels::multiply(kernels::Product<T>{.rows = rows,
                                          .columns = columns,
                                          .depth = depth,
                                          .a = left.factor,
                                          .b = right.factor,
                                          .c = c.data<T>(),
                                          .c_stride = columns,
                                          .batch = batch.numel(),
                                          .c_batch_stride = rows * columns});
  });
  return c;
}

// Threads that meet here for the first time may pack twice; each gets a whole one.
template <class T>
std::shared_ptr<const kernels::PackedWeights<T>> packed_weight(const Tensor& weight, Side side) {
  auto seen = std::dynamic_pointer_cast<const PanelsOf<T>>(weight.derived());
  if (!seen || !seen->is(weight)) {
    weight.keep(seen = std::make_shared<PanelsOf<T>>(weight));
    if (!weight.derived()) return nullptr;
  }
  if (!seen->of(side).packed.panels()) {
    const auto more = std::make_shared<PanelsOf<T>>(*seen);
    more->pack(side);
    weight.keep(seen = more);
  }
  return std::shared_ptr<const kernels::PackedWeights<T>>(seen, &seen->of(side).packed);
}
template std::shared_ptr<const kernels::PackedWeights<float>> packed_weight(const Tensor&, Side);
template std::shared_ptr<const kernels::PackedWeights<double>> packed_weight(const Tensor&, Side);

bool goes_by_panels(int64_t rows, bool training) { return !training || (rows > 8 && rows <= 128); }

}  // namespace heed
