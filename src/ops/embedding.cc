#include "kernels/embedding.h"

#include <heed/ops.h>

#include "base/check.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {

// y[i] = table[ids[i]]; dtable[ids[i]] += dy[i]
Tensor embedding(const Tensor& table, const Tensor& ids) {
  check(table.rank() == 2, "embedding", "the table has shape {}, wanted (words, width)", table.shape());
  check(ids.dtype() == Dtype::i64, "embedding", "the ids are {}, wanted i64", name(ids.dtype()));
  const Tensor packed = ids.packed();
  const int64_t bad = kernels::first_out_of_range(packed.data<int64_t>(), packed.numel(), table.dim(0));
  check(bad < 0, "embedding", "id {} at place {} is outside of the table's {} words",
        bad < 0 ? 0 : packed.data<int64_t>()[bad], bad, table.dim(0));
  return dispatch_floating(table.dtype(), "embedding", [&](auto zero) {
    using T = decltype(zero);
    Shape shape = ids.shape();
    shape.push_back(table.dim(1));
    Tensor y(shape, table.dtype());
    kernels::gather_rows(table.packed().data<T>(), packed.data<int64_t>(), y.data<T>(), packed.numel(), table.dim(1));
    return record("embedding", y, {table}, [packed, shape = table.shape()](const Tensor& dy, Gradients& d) {
      Tensor dtable = Tensor::zeros(shape, dy.dtype());
      kernels::scatter_add_rows(packed.data<int64_t>(), dy.packed().data<T>(), dtable.data<T>(), packed.numel(),
                                shape[1]);
      d.add(0, dtable);
    });
  });
}

}  // namespace heed
