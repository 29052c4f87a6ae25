// What the rows' tests do not say of the scores.
#include <heed/attention.h>

#include <cmath>

#include "attention/reference.h"
#include "support/close.h"
#include "support/gradcheck.h"

namespace heed::attention {
namespace {

using heed::testing::close;
using heed::testing::complains;
using heed::testing::gradcheck;
using heed::testing::sample;

struct Given {
  Tensor q = sample({2, 2, 3, 5}, -2, 2, 1), k = sample({2, 2, 7, 5}, -2, 2, 2), v = sample({2, 2, 7, 4}, -2, 2, 3);
};

::testing::AssertionResult agrees(const Given& x, const AttendOptions& options) {
  return close(attend(x.q, x.k, x.v, options).out.values(), reference(x.q, x.k, x.v, options).out.values(), 1e-10);
}

TEST(Scores, OfQueriesAndKeysOfDifferentWidths) {
  Given x;
  x.k = sample({2, 2, 7, 9}, -2, 2, 2);
  EXPECT_TRUE(agrees(x, {.scores = general(sample({5, 9}, -1, 1, 4))}));
  EXPECT_TRUE(agrees(x, {.scores = general(sample({2, 5, 9}, -1, 1, 4))}));
  EXPECT_TRUE(agrees(x, {.scores = location(sample({8, 5}, -1, 1, 4))}));
  EXPECT_TRUE(agrees(x, {.scores = location(sample({2, 7, 5}, -1, 1, 4))}));
}

TEST(Scores, FixedScales) {
  const Given x;
  for (const Scores& scores : {cosine(10), distance(0.3), log_length(), log_length(0.5)})
    EXPECT_TRUE(agrees(x, {.scores = scores}));
}

TEST(Scores, WithEveryNormaliserAndACap) {
  const Given x;
  const Scores all[] = {cosine(10), distance(0.3), log_length(), general(sample({5, 5}, -1, 1, 4))};
  for (const Scores& scores : all)
    for (const Normalizer& normalizer : {softmax(), sigmoid(), no_normalizer()})
      EXPECT_TRUE(agrees(x, {.scores = scores, .normalizer = normalizer, .soft_cap = 3}));
}

TEST(Scores, AVectorOfZerosHasCosineZeroAndNoGradient) {
  Given x;
  x.q = x.q.clone();
  x.q.slice(2, 1, 2).fill(0);
  x.q.requires_grad(true);
  const Tensor out = attend(x.q, x.k, x.v, {.scores = cosine(10)}).out;
  EXPECT_TRUE(close(out[0][0][1].values(), mean(x.v[0][0], 0).values(), 1e-12));  // scores of 0: all weights the same
  const Tensor dq = gradients(sum(out * out), {x.q})[0];
  EXPECT_EQ(dq[1][1][1].values(), std::vector<double>(5, 0.0));
  EXPECT_NE(dq.value({0, 0, 0, 0}), 0);
}

TEST(Scores, CosinesOfHugeAndTinyVectors) {
  for (const double size : {1e30, 1e-30}) {
    Given x;
    const Tensor want = attend(x.q, x.k, x.v, {.scores = cosine(10)}).out;
    const auto f32 = [](const Tensor& t) { return t.to(Dtype::f32); };
    EXPECT_TRUE(close(attend(f32(x.q * size), f32(x.k * size), f32(x.v), {.scores = cosine(10)}).out.values(),
                      want.values(), 1e-5));
  }
}

TEST(Scores, NaNInPaddingReachesNoGradient) {
  for (const Scores& scores : {cosine(10), distance(0.3)}) {
    Given x;
    x.k = x.k.clone();
    x.k.slice(2, 4, 7).fill(NAN);
    x.k.requires_grad(true), x.q.requires_grad(true);
    const Tensor out = attend(x.q, x.k, x.v, {.scores = scores, .key_lengths = tensor_from<int64_t>({4, 3}, {2})}).out;
    for (const Tensor& gradient : gradients(sum(out * out), {x.q, x.k}))
      for (const double g : gradient.values()) EXPECT_TRUE(std::isfinite(g));
  }
}

TEST(Scores, TheLogOfTheLengthLeavesPaddingOut) {
  const Given x;
  const auto part = [](const Tensor& t) { return t.slice(2, 0, 4); };
  EXPECT_TRUE(close(
      attend(x.q, x.k, x.v, {.scores = log_length(), .key_lengths = tensor_from<int64_t>({4, 4}, {2})}).out.values(),
      attend(x.q, part(x.k), part(x.v), {.scores = log_length()}).out.values(), 1e-12));
}

TEST(Scores, SayWhatIsWrong) {
  const Given x;
  const auto attending = [&](const Scores& scores) { attend(x.q, x.k, x.v, {.scores = scores}); };
  for (const double bad : {0.0, static_cast<double>(INFINITY), static_cast<double>(NAN)}) {
    EXPECT_TRUE(complains([&] { scaled_dot(bad); }, {"scaled_dot", "wanted a finite number other than 0"}));
    EXPECT_TRUE(complains([&] { cosine(bad); }, {"cosine", "wanted a finite number other than 0"}));
    EXPECT_TRUE(complains([&] { distance(bad); }, {"distance", "wanted a finite number other than 0"}));
    EXPECT_TRUE(complains([&] { log_length(bad); }, {"log_length", "wanted a finite number other than 0"}));
  }
  EXPECT_TRUE(complains([&] { attending(cosine(sample({3}))); }, {"(3)", "2 heads"}));
  EXPECT_TRUE(complains([&] { attending(cosine(sample({2}).to(Dtype::f32))); }, {"f32", "f64"}));
  EXPECT_TRUE(complains([&] { general(sample({5})); }, {"(5)", "(D_q, D_k)"}));
  EXPECT_TRUE(complains([&] { attending(general(sample({5, 6}))); }, {"(5, 6)", "q is 5 wide and k is 5"}));
  EXPECT_TRUE(complains([&] { attending(general(sample({3, 5, 5}))); }, {"3 heads", "q has 2"}));
  EXPECT_TRUE(complains([&] { attending(location(sample({6, 5}))); }, {"6 positions", "7 keys"}));
  EXPECT_TRUE(complains([&] { attending(location(sample({7, 4}))); }, {"vectors of 4", "5 wide"}));
  EXPECT_TRUE(complains([&] { attending(location(sample({3, 7, 5}))); }, {"3 heads", "k has 2"}));
  EXPECT_TRUE(complains([&] { switchable_scale(sample({3, 5}), sample({2})); }, {"(3, 5)", "(2)"}));
  EXPECT_TRUE(complains([&] { attending(switchable_scale(sample({3, 4}), sample({3}))); }, {"vectors of 4", "5 wide"}));
}

}  // namespace
}  // namespace heed::attention
