// Few queries of grouped heads, which are worked on together, against the same heads each with keys of its own.
#include <heed/attention.h>
#include <heed/ops.h>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed::attention {
namespace {

using heed::testing::close;
using heed::testing::sample;

constexpr int64_t kHeads = 10, kGroups = 2;

Tensor for_each_head(const Tensor& x) {
  Tensor wide = unsqueeze(x, 2) + Tensor::zeros({kHeads / kGroups, 1, 1}, x.dtype());
  return reshape(wide, {x.dim(0), kHeads, x.dim(2), x.dim(3)});
}

::testing::AssertionResult agrees(int64_t queries, int64_t keys, double tolerance, Dtype dtype,
                                  const AttendOptions& options) {
  const auto of = [&](const Shape& shape, uint64_t seed) { return sample(shape, -2, 2, seed).to(dtype); };
  const Tensor q = of({2, kHeads, queries, 33}, 1), k = of({2, kGroups, keys, 33}, 2),
               v = of({2, kGroups, keys, 20}, 3);
  const Tensor together = attend(q, k, v, options).out,
               apart = attend(q, for_each_head(k), for_each_head(v), options).out;
  auto same =
      close(together.to(Dtype::f64).values(), apart.to(Dtype::f64).values(), dtype == Dtype::f32 ? tolerance : 1e-12);
  return same ? same : same << " with " << queries << " queries and " << keys << " keys";
}

using MakeOptions = std::function<AttendOptions(int64_t queries, int64_t keys, Dtype dtype)>;
void expect_agreement(const MakeOptions& options, double tolerance = 2e-6) {
  for (const Dtype dtype : {Dtype::f32, Dtype::f64})
    for (const int64_t queries : {1, 2, 4})
      for (const int64_t keys : {5, 64, 128, 131, 400})
        EXPECT_TRUE(agrees(queries, keys, tolerance, dtype, options(queries, keys, dtype)));
}

TEST(DecodingTogether, IsDecodingEachHead) {
  expect_agreement([](int64_t, int64_t, Dtype) { return AttendOptions(); });
}
TEST(DecodingTogether, AtTheEndOfALongerText) {
  expect_agreement([](int64_t, int64_t, Dtype) { return AttendOptions{.span = causal() & window(200, 0)}; });
}
TEST(DecodingTogether, WithAMaskOfEachHead) {
  expect_agreement([](int64_t queries, int64_t keys, Dtype) {
    return AttendOptions{.mask = greater(sample({kHeads, queries, keys}, -1, 1, 4), 0.6)};
  });
}
// Heads of one group of which some see nothing of a block of keys.
TEST(DecodingTogether, WhereSomeHeadsLookElsewhere) {
  expect_agreement([](int64_t, int64_t keys, Dtype) {
    const Tensor place = sample({kHeads, 1, 1}, 0, static_cast<double>(keys), 5);
    return AttendOptions{.mask = greater(Tensor::zeros({keys}, Dtype::f64) + place, 100)};
  });
}
TEST(DecodingTogether, WhenScoresOutgrowTheirReference) {
  const auto options = [](int64_t, int64_t keys, Dtype dtype) {
    return AttendOptions{.bias = sample({kHeads, 1, keys}, -300, 300, 6).to(dtype)};
  };
  expect_agreement(options, 2e-4);  // scores of hundreds have lost so many digits
}

}  // namespace
}  // namespace heed::attention
