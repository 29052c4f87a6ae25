#include <gtest/gtest.h>
#include <heed/ops.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;
using testing::f32_agrees;
using testing::gradcheck;
using testing::Inputs;
using testing::layouts;
using testing::runs_empty;
using testing::sample;
using Values = std::vector<double>;

TEST(Sort, GradientsInEveryLayout) {
  for (const Tensor& x : layouts({3, 4, 5}, -2, 2, 11))
    for (int dim : {0, 1, -1})
      for (bool up : {false, true}) {
        const auto sorted = [&](const Inputs& in) { return sort(in[0], dim, !up).values; };
        const auto best = [&](const Inputs& in) { return topk(in[0], 2, dim, !up).values; };
        EXPECT_TRUE(gradcheck(sorted, {x}));
        EXPECT_TRUE(gradcheck(best, {x}));
        EXPECT_TRUE(f32_agrees(sorted, {x}));
        EXPECT_TRUE(f32_agrees(best, {x}));
      }
}

TEST(Sort, EqualOnesKeepTheirOrder) {
  const Tensor x = tensor({2, 1, 2, 1});
  EXPECT_TRUE(close(sort(x).indices.values(), Values{1, 3, 0, 2}, 0));
  EXPECT_TRUE(close(sort(x, 0, true).indices.values(), Values{0, 2, 1, 3}, 0));
  EXPECT_TRUE(close(topk(x, 3).indices.values(), Values{0, 2, 1}, 0));
  EXPECT_TRUE(close(topk(x, 3, 0, false).values.values(), Values{1, 1, 2}, 0));
}

TEST(Sort, NaNIsLargest) {
  const Tensor x = tensor({1, std::nan(""), 3});
  EXPECT_TRUE(close(sort(x).indices.values(), Values{0, 2, 1}, 0));
  EXPECT_TRUE(close(topk(x, 1).indices.values(), Values{1}, 0));
}

TEST(Sort, OneElementAndNone) {
  EXPECT_TRUE(gradcheck([](const Inputs& in) { return sort(in[0]).values; }, {sample({1})}));
  EXPECT_TRUE(runs_empty([](const Inputs& in) { return sort(in[0], 0).values; }, {sample({0, 3})}));
  EXPECT_TRUE(runs_empty([](const Inputs& in) { return topk(in[0], 0).values; }, {sample({3})}));
}

TEST(Sort, Errors) {
  EXPECT_TRUE(complains([] { topk(sample({3}), 4); }, {"topk", "4", "3"}));
  EXPECT_TRUE(complains([] { sort(sample({3}), 1); }, {"sort", "1"}));
}

RC_GTEST_PROP(Sort, IsSortedAndComesFromTheInput, ()) {
  const auto numbers =
      *rc::gen::container<std::vector<double>>(rc::gen::map(rc::gen::inRange(-5, 5), [](int i) { return i / 2.0; }));
  const Tensor x = tensor_from(numbers, {static_cast<int64_t>(numbers.size())});
  const Ordered all = sort(x);
  Values want = numbers;
  std::stable_sort(want.begin(), want.end());
  RC_ASSERT(all.values.values() == want);
  RC_ASSERT(take(x, all.indices).values() == want);
  const int64_t k = *rc::gen::inRange<int64_t>(0, static_cast<int64_t>(numbers.size()) + 1);
  RC_ASSERT(topk(x, k, 0, false).indices.values() == slice(all.indices, 0, 0, k).values());
}

}  // namespace
}  // namespace heed
