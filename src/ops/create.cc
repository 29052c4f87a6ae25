// Tensors from nothing.
#include <heed/ops.h>

#include <cmath>

#include "base/check.h"
#include "base/threads.h"
#include "tensor/dtype.h"

namespace heed {
namespace {

// Element i is value(i), computed in double (exact for indices below 2⁵³).
template <class Value>
Tensor sequence(int64_t n, Dtype dtype, const Value& value) {
  Tensor result({n}, dtype);
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    T* data = static_cast<T*>(result.raw());
    parallel(n, 1 << 14, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) data[i] = convert<T>(value(i));
    });
  });
  return result;
}

}  // namespace

Tensor zeros(const Shape& shape, Dtype dtype) { return Tensor::zeros(shape, dtype); }
Tensor ones(const Shape& shape, Dtype dtype) { return Tensor::full(shape, 1, dtype); }
Tensor full(const Shape& shape, double value, Dtype dtype) { return Tensor::full(shape, value, dtype); }

Tensor arange(int64_t n, Dtype dtype) {
  check(n >= 0, "arange", "got {} elements", n);
  return sequence(n, dtype, [](int64_t i) { return i; });
}

Tensor arange(double begin, double end, double step, Dtype dtype) {
  const double count = std::ceil((end - begin) / step);
  check(std::isfinite(count) && std::abs(count) < 0x1p53, "arange", "got {} to {} in steps of {}", begin, end, step);
  return sequence(static_cast<int64_t>(std::max(count, 0.0)), dtype,
                  [=](int64_t i) { return begin + step * static_cast<double>(i); });
}

// Counted from the nearer end, so that both ends are met exactly.
Tensor linspace(double begin, double end, int64_t count, Dtype dtype) {
  check(count >= 0, "linspace", "got {} elements", count);
  const double step = count > 1 ? (end - begin) / static_cast<double>(count - 1) : 0;
  return sequence(count, dtype, [=](int64_t i) {
    return 2 * i < count ? begin + step * static_cast<double>(i) : end - step * static_cast<double>(count - 1 - i);
  });
}

Tensor eye(int64_t rows, std::optional<int64_t> columns, Dtype dtype) {
  const int64_t width = columns.value_or(rows);
  Tensor result = Tensor::zeros({rows, width}, dtype);
  result.as_strided({std::min(rows, width)}, {width + 1}, 0).fill(1);
  return result;
}

}  // namespace heed
