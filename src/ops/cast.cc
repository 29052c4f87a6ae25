#include <heed/ops.h>

namespace heed {

// y = x rounded to another dtype, dx = dy in x's dtype
Tensor to(const Tensor& x, Dtype dtype) {
  return record("to", x.to(dtype), {x}, [from = x.dtype()](const Tensor& dy, Gradients& d) { d.add(0, dy.to(from)); });
}

}  // namespace heed
