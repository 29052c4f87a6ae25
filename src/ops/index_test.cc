#include <gtest/gtest.h>
#include <heed/base.h>
#include <heed/ops.h>
#include <rapidcheck/gtest.h>

#include "support/close.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::complains;
using testing::f32_agrees;
using testing::Function;
using testing::gradcheck;
using testing::Inputs;
using testing::layouts;
using testing::runs_empty;
using testing::sample;
using Values = std::vector<double>;

Tensor ids(const std::vector<int64_t>& values) { return tensor_from(values, {static_cast<int64_t>(values.size())}); }
Tensor ids(const std::vector<int64_t>& values, const Shape& shape) { return tensor_from(values, shape); }

const std::vector<Function> kOps = {
    [](const Inputs& in) {
      return index_select(in[0], 0, ids({2, 0, -1, 2}));
    },
    [](const Inputs& in) {
      return index_select(in[0], 1, ids({3, 3, 1}));
    },
    [](const Inputs& in) { return index_select(in[0], -1, ids({-5})); },
    [](const Inputs& in) {
      return gather(in[0], 1, ids({0, 3, 3, 1, -1, 2, 0, 0}, {2, 2, 2}));
    },
    [](const Inputs& in) {
      return gather(in[0], 0, ids({2, 2, 1, 0}, {4, 1, 1}));
    },
    [](const Inputs& in) {
      return gather(in[0], 2, transpose(ids({0, 4, 4, 1, -1, 2}, {1, 3, 2}), 1, 2));
    },
    [](const Inputs& in) {
      return take(in[0], ids({59, 0, 7, 7, -1, 30}, {2, 3}));
    },
    [](const Inputs& in) {
      return masked_select(in[0], to(ids({0, 1, 1, 0, 1}), Dtype::boolean));
    },
    [](const Inputs& in) {
      return scatter_add(in[0], 2, ids({1, 1, 4, 0, 0, 0}, {1, 2, 3}),
                         slice(slice(slice(in[0], 0, 2, 3), 2, 0, 3), 1, 0, 2));
    },
};

TEST(Index, GradientsInEveryLayout) {
  for (size_t i = 0; i < kOps.size(); ++i)
    for (const Tensor& x : layouts({3, 4, 5})) {
      EXPECT_TRUE(gradcheck(kOps[i], {x})) << i;
      EXPECT_TRUE(f32_agrees(kOps[i], {x})) << i;
    }
}

TEST(Index, ScatterAddHasTwoGradients) {
  const auto f = [](const Inputs& in) { return scatter_add(in[0], 0, ids({1, 1, 0, 2, 1, 0}, {3, 2}), in[1]); };
  for (const Tensor& x : layouts({3, 4}))
    for (const Tensor& source : layouts({3, 2}, -1, 1, 5)) EXPECT_TRUE(gradcheck(f, {x, source}));
}

TEST(Index, OneDimension) {
  EXPECT_TRUE(gradcheck([](const Inputs& in) { return gather(in[0], 0, ids({0, 0, 1})); }, {sample({2})}));
  EXPECT_TRUE(gradcheck([](const Inputs& in) { return take(in[0], ids({0})); }, {sample({})}));
}

TEST(Index, Empty) {
  const Tensor none = ids({});
  EXPECT_TRUE(runs_empty([&](const Inputs& in) { return index_select(in[0], 0, none); }, {sample({0, 3})}));
  EXPECT_TRUE(runs_empty([&](const Inputs& in) { return index_select(in[0], 0, none); }, {sample({2, 3})}));
  EXPECT_TRUE(runs_empty([&](const Inputs& in) { return index_select(in[0], 0, ids({1})); }, {sample({2, 0})}));
  EXPECT_TRUE(runs_empty([&](const Inputs& in) { return gather(in[0], 0, ids({}, {0, 2})); }, {sample({4, 2})}));
  EXPECT_TRUE(runs_empty([&](const Inputs& in) { return take(in[0], none); }, {sample({0})}));
  EXPECT_TRUE(
      runs_empty([](const Inputs& in) { return masked_select(in[0], zeros({3}, Dtype::boolean)); }, {sample({3})}));
}

TEST(Index, Values) {
  const Tensor x = arange(6, Dtype::i32).view({2, 3});
  EXPECT_TRUE(close(index_select(x, 1, ids({2, -3})).values(), Values{2, 0, 5, 3}, 0));
  EXPECT_TRUE(close(gather(x, 1, ids({2, 0}, {2, 1})).values(), Values{2, 3}, 0));
  EXPECT_TRUE(close(take(x, ids({5, 1})).values(), Values{5, 1}, 0));
  EXPECT_TRUE(close(one_hot(ids({1, 0}), 3).values(), Values{0, 1, 0, 1, 0, 0}, 0));
  EXPECT_TRUE(close(one_hot(ids({1, 0}).to(Dtype::i32), 2, Dtype::boolean).values(), Values{0, 1, 1, 0}, 0));
  const Tensor y = scatter_add(zeros({3}), 0, ids({1, 1, 2}), tensor({1, 2, 4}));
  EXPECT_TRUE(close(y.values(), Values{0, 3, 4}, 0));
}

TEST(Index, TheIndicesOfTheCallerStay) {
  const Tensor at = ids({-1, 0});
  index_select(sample({3}), 0, at);
  EXPECT_TRUE(close(at.values(), Values{-1, 0}, 0));
}

TEST(Index, Errors) {
  const Tensor x = sample({2, 3});
  EXPECT_TRUE(complains([&] { index_select(x, 1, ids({3})); }, {"index_select", "3"}));
  EXPECT_TRUE(complains([&] { index_select(x, 0, ids({-3})); }, {"index_select", "-3", "2"}));
  EXPECT_TRUE(complains([&] { index_select(x, 0, sample({2})); }, {"index_select", "f64", "i64"}));
  EXPECT_TRUE(complains([&] { gather(x, 0, ids({0})); }, {"gather", "(1)", "(2, 3)"}));
  EXPECT_TRUE(complains([&] { gather(x, 1, ids({0, 0, 0}, {3, 1})); }, {"gather", "(3, 1)"}));
  EXPECT_TRUE(complains([&] { scatter_add(x, 0, ids({0}, {1, 1}), sample({1, 2})); }, {"scatter_add", "(1, 2)"}));
  EXPECT_TRUE(complains([&] { masked_select(x, sample({3})); }, {"masked_select", "f64", "bool"}));
  EXPECT_TRUE(complains([&] { one_hot(ids({4}), 4); }, {"one_hot", "4"}));
}

// Gradients of many collisions do not depend on the number of threads.
TEST(Index, TheSameBitsWithOneAndTwoThreads) {
  const Shape shape = {50, 300};
  std::vector<int64_t> at;
  for (int64_t i = 0; i < 20000; ++i) at.push_back(i * 7919 % 50);
  const auto run = [&] {
    Tensor x = sample(shape).to(Dtype::f32).requires_grad(true);
    const Tensor y = index_select(x, 0, ids(at));
    const Tensor z = gather(x, 0, ids(at).view({2000, 10}).slice(0, 0, 2000));
    Tensor dx = gradients(y, {x}, {.seed = sample(y.shape()).to(Dtype::f32)})[0];
    Tensor dz = gradients(z, {x}, {.seed = sample(z.shape()).to(Dtype::f32)})[0];
    return concat({dx, dz}).values();
  };
  const int before = threads();
  set_threads(1);
  const Values one = run();
  set_threads(2);
  const Values two = run();
  set_threads(before);
  EXPECT_TRUE(one == two);
}

// A gather along a dimension by all of its places in order is the identity.
RC_GTEST_PROP(Index, SelectingEverythingInOrderIsTheIdentity, ()) {
  const int64_t rows = *rc::gen::inRange<int64_t>(1, 6), columns = *rc::gen::inRange<int64_t>(0, 6);
  const Tensor x = sample({rows, columns});
  RC_ASSERT(index_select(x, 0, arange(rows)).values() == x.values());
  RC_ASSERT(gather(x, 0, arange(rows).view({rows, 1}).expand({rows, columns})).values() == x.values());
}

}  // namespace
}  // namespace heed
