#include "kernels/random.h"

#include <heed/tensor.h>

#include "base/check.h"
#include "tensor/dtype.h"

namespace heed {
namespace {

kernels::RandomKey take(Random& from, uint64_t calls) {
  const Random here = from.take(calls);
  return {here.seed, here.stream, here.position};
}

template <class Fill>
Tensor filled(const char* op, const Shape& shape, Random& from, Dtype dtype, const Fill& fill) {
  Tensor result(shape, dtype);
  dispatch_floating(dtype, op, [&](auto zero) {
    using T = decltype(zero);
    fill(result.data<T>(), result.numel(), take(from, kernels::random_calls(result.numel(), sizeof(T))));
  });
  return result;
}

}  // namespace

Tensor rand(const Shape& shape, Random& from, Dtype dtype) {
  return filled("rand", shape, from, dtype,
                [](auto* out, int64_t n, const auto& key) { kernels::uniform(out, n, key); });
}

Tensor randn(const Shape& shape, Random& from, Dtype dtype) {
  return filled("randn", shape, from, dtype,
                [](auto* out, int64_t n, const auto& key) { kernels::normal(out, n, key); });
}
Tensor randn(const Shape& shape, Random&& from, Dtype dtype) { return randn(shape, from, dtype); }

Tensor randint(int64_t low, int64_t high, const Shape& shape, Random& from) {
  check(low < high, "randint", "there is no number from {} to below {}", low, high);
  Tensor result(shape, Dtype::i64);
  kernels::integers(result.data<int64_t>(), result.numel(), low, high,
                    take(from, kernels::random_calls(result.numel(), 8)));
  return result;
}

Tensor permutation(int64_t n, Random& from) {
  Tensor result({n}, Dtype::i64);
  kernels::permutation(result.data<int64_t>(), n, take(from, static_cast<uint64_t>(n)));
  return result;
}

}  // namespace heed
