#include <heed/attention.h>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using heed::testing::close;
using heed::testing::complains;
using heed::testing::gradcheck;
using heed::testing::sample;

struct Given {
  Tensor q = sample({2, 2, 9, 5}, -2, 2, 1), k = sample({2, 1, 150, 5}, -2, 2, 2), v = sample({2, 1, 150, 4}, -2, 2, 3);
};

// Keys [begin, end) of the causal attention over all: of the first parts nothing is hidden, the last hides as ever.
Attended part(const Given& x, int64_t begin, int64_t end, const Tensor& mask) {
  return attend(x.q, slice(x.k, 2, begin, end), slice(x.v, 2, begin, end), {.mask = mask.slice(3, begin, end)});
}
// Query 4 sees nothing at all, query 5 nothing of the second part.
Tensor some_hidden() {
  Tensor mask({1, 1, 9, 150}, Dtype::boolean);
  for (int64_t i = 0; i < 9; ++i)
    for (int64_t j = 0; j < 150; ++j)
      mask.at<bool>({0, 0, i, j}) = i != 4 && !(i == 5 && j >= 70 && j < 149) && (i + j) % 3 != 0;
  return mask;
}

TEST(Merge, PartsGiveTheWhole) {
  const Given x;
  const Tensor mask = some_hidden();
  const Attended want = attend(x.q, x.k, x.v, {.mask = mask});
  const Attended got = merge({part(x, 0, 70, mask), part(x, 70, 149, mask), part(x, 149, 150, mask)});
  EXPECT_TRUE(close(got.out.values(), want.out.values(), 1e-12));
  EXPECT_TRUE(close(got.log_sum_exp.values(), want.log_sum_exp.values(), 1e-12));
  EXPECT_EQ(got.log_sum_exp.value({0, 0, 4}), -INFINITY);
  EXPECT_EQ(got.out.value({0, 0, 4, 0}), 0);
}

TEST(Merge, GradientsAreThoseOfTheWhole) {
  const Tensor mask = some_hidden();
  const auto gradients_of = [&](const auto& attended) {
    Given x;
    for (Tensor* t : {&x.q, &x.k, &x.v}) t->requires_grad(true);
    const Attended y = attended(x);
    const Tensor seen = masked_fill(y.log_sum_exp, equal(y.log_sum_exp, -INFINITY), 0);
    return gradients(sum(y.out * y.out) + sum(seen * seen), {x.q, x.k, x.v});
  };
  const auto want = gradients_of([&](const Given& x) { return attend(x.q, x.k, x.v, {.mask = mask}); });
  const auto got = gradients_of([&](const Given& x) {
    return merge({part(x, 0, 70, mask), part(x, 70, 149, mask), part(x, 149, 150, mask)});
  });
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(close(got[i].values(), want[i].values(), 1e-11)) << i;
}

TEST(Merge, LargeScoresDoNotOverflow) {
  Given x;
  x.q = x.q * 1e4;
  const Tensor mask = some_hidden();
  EXPECT_TRUE(close(merge({part(x, 0, 70, mask), part(x, 70, 150, mask)}).out.values(),
                    attend(x.q, x.k, x.v, {.mask = mask}).out.values(), 1e-12));
}

TEST(Merge, SaysWhatIsWrong) {
  const Given x;
  const Attended good = attend(x.q, x.k, x.v), fewer = attend(x.q.slice(2, 0, 3), x.k, x.v);
  EXPECT_TRUE(complains([&] { merge({}); }, {"no parts"}));
  EXPECT_TRUE(complains(
      [&] {
        merge({good, attend(x.q, x.k, x.v, {.normalizer = sigmoid()})});
      },
      {"part 1", "no log-sum-exp", "softmax"}));
  EXPECT_TRUE(complains(
      [&] {
        merge({attend(x.q, x.k, x.v, {.return_weights = true}), good});
      },
      {"part 0", "weights", "not merged"}));
  EXPECT_TRUE(complains([&] { merge({good, fewer}); }, {"part 1", "(2, 2, 3, 4)", "(2, 2, 9, 4)"}));
}

}  // namespace
}  // namespace heed
