#include <heed/ops.h>

#include "base/check.h"
#include "ops/product.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

void check_factors(const Tensor& a, const Tensor& b) {
  check(a.rank() >= 1 && b.rank() >= 1, "matmul", "a has shape {}, b {}: a scalar is no matrix", a.shape(), b.shape());
  check(a.dtype() == b.dtype(), "matmul", "a is {}, b is {}", name(a.dtype()), name(b.dtype()));
  const int64_t inner = b.dim(b.rank() == 1 ? 0 : -2);
  check(a.dim(-1) == inner, "matmul", "a of shape {} times b of shape {}: {} columns against {} rows", a.shape(),
        b.shape(), a.dim(-1), inner);
}

}  // namespace

// C = A B: dA = dC Bᵀ, dB = Aᵀ dC
Tensor matmul(const Tensor& a, const Tensor& b) {
  check_factors(a, b);
  if (a.rank() == 1) return squeeze(matmul(unsqueeze(a, 0), b), b.rank() == 1 ? 0 : -2);
  if (b.rank() == 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  if (a.rank() > 2 && b.rank() == 2) {  // one product: all rows of all batches
    Shape shape = a.shape();
    shape[shape.rank() - 1] = b.dim(1);
    return reshape(matmul(reshape(a, {a.numel() / std::max<int64_t>(1, a.dim(-1)), a.dim(-1)}), b), shape);
  }
  return record("matmul", multiplied(a, b), {a, b}, [a = a.detach(), b = b.detach()](const Tensor& dc, Gradients& d) {
    if (d.needs(0)) d.add(0, multiplied(dc, b.transpose(-2, -1)));
    if (d.needs(1)) d.add(1, multiplied(a.transpose(-2, -1), dc));
  });
}

}  // namespace heed
