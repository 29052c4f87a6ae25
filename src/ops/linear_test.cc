#include <gtest/gtest.h>
#include <heed/heed.h>

#include <thread>

#include "ops/product.h"
#include "support/close.h"
#include "support/files.h"
#include "support/gradcheck.h"

namespace heed {
namespace {

using testing::close;
using testing::sample;

// x Wᵀ as the formula has it.
std::vector<double> formula(const Tensor& x, const Tensor& weight) {
  std::vector<double> y;
  const auto a = x.values(), w = weight.values();
  const size_t rows = static_cast<size_t>(x.dim(0)), in = static_cast<size_t>(x.dim(1)), out = w.size() / in;
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < out; ++j) {
      double sum = 0;
      for (size_t k = 0; k < in; ++k) sum += a[i * in + k] * w[j * in + k];
      y.push_back(sum);
    }
  return y;
}

class ConstantWeight : public ::testing::TestWithParam<Dtype> {
 protected:
  Tensor x = sample({3, 20}, -1, 1, 1).to(GetParam()), weight = sample({70, 20}, -1, 1, 2).to(GetParam());
  double tolerance = GetParam() == Dtype::f32 ? 1e-5 : 1e-13;

  bool packed() const { return weight.derived() != nullptr; }
  void use() const {
    NoGrad off;
    linear(x, weight);
    ASSERT_TRUE(packed());
  }
  ::testing::AssertionResult right() const {
    NoGrad off;
    for (int i = 0; i < 3; ++i)
      if (auto same = close(linear(x, weight).values(), formula(x, weight), tolerance); !same) return same;
    return ::testing::AssertionSuccess();
  }
};
INSTANTIATE_TEST_SUITE_P(Dtypes, ConstantWeight, ::testing::Values(Dtype::f32, Dtype::f64),
                         [](const auto& of) { return name(of.param); });

TEST_P(ConstantWeight, IsPackedWhenItIsFirstRead) {
  EXPECT_FALSE(packed());
  use();
  weight.fill(1);
  EXPECT_FALSE(packed());
  EXPECT_TRUE(right());
}

TEST_P(ConstantWeight, InTrainingIsPackedForTheRowsOfAStep) {
  weight.requires_grad(true);
  for (const auto& [rows, wanted] : {std::pair{3, false}, {8, false}, {9, true}, {128, true}, {129, false}}) {
    weight.raw();
    Tensor in = sample({rows, 20}, -1, 1, 7).to(GetParam()).requires_grad(true);
    const Tensor seed = sample({rows, 70}, -1, 1, 8).to(GetParam());
    const Tensor y = linear(in, weight), again = linear(in, weight);
    EXPECT_EQ(packed(), wanted) << rows;
    EXPECT_TRUE(close(y.values(), formula(in, weight), tolerance));
    EXPECT_EQ(y.values(), again.values());
    const auto dx = gradients(y, {in}, {.seed = seed});
    EXPECT_TRUE(close(dx[0].values(), formula(seed, weight.transpose(0, 1).clone()), 10 * tolerance)) << rows;
  }
}

template <class T>
const std::vector<std::pair<const char*, void (*)(Tensor&)>> kWaysOfWriting = {
    {"at",
     [](Tensor& w) {
       w.at<T>({1, 1}) = 3;
     }},
    {"data", [](Tensor& w) { w.data<T>()[5] = 4; }},
    {"span", [](Tensor& w) { w.span<T>()[6] = 5; }},
    {"raw", [](Tensor& w) { static_cast<T*>(w.raw())[7] = 6; }},
    {"fill", [](Tensor& w) { w.fill(0.5); }},
    {"copy_from",
     [](Tensor& w) {
       w.copy_from(sample({70, 20}, -1, 1, 3));
     }},
    {"slice", [](Tensor& w) { w.slice(1, 3, 9).fill(2); }},
    {"a view of a view", [](Tensor& w) { w.transpose(0, 1)[2].fill(-1); }},
    {"view", [](Tensor& w) { w.view({1400}).at<T>({30}) = 7; }},
    {"another handle", [](Tensor& w) { w.detach().fill(0.125); }},
    {"initialize", [](Tensor& w) { initialize::normal(w, 0, 1); }},
};

TEST_P(ConstantWeight, EveryWayOfWritingIsSeen) {
  for (const auto& [name, write] : GetParam() == Dtype::f32 ? kWaysOfWriting<float> : kWaysOfWriting<double>) {
    use();
    const auto before = weight.values();
    write(weight);
    EXPECT_NE(weight.values(), before) << name;
    EXPECT_TRUE(right()) << name;
  }
}

TEST_P(ConstantWeight, AnOptimiserStepAndALoadedFileAreSeen) {
  weight.requires_grad(true);
  for (int i = 0; i < 2; ++i) {
    use();
    backward(sum(linear(x, weight)));
    Sgd({weight}, {.learning_rate = 0.1}).step();
    EXPECT_TRUE(right());
  }
  const testing::Folder folder;
  save_weights({{"w", sample({70, 20}, -1, 1, 4).to(GetParam())}}, folder / "w.safetensors");
  use();
  load_weights({{"w", weight}}, folder / "w.safetensors");
  EXPECT_TRUE(right());
}

TEST_P(ConstantWeight, MemoryOfSomebodyElseIsReadEachTime) {
  Tensor owner = weight;
  weight = Tensor::wrap(owner.raw(), weight.shape(), weight.dtype());
  EXPECT_TRUE(right());
  EXPECT_FALSE(packed());
  owner.fill(0.25);
  EXPECT_TRUE(right());
}

TEST_P(ConstantWeight, OfAFileIsPackedToo) {
  const testing::Folder folder;
  save_safetensors(folder / "w.safetensors", {.tensors = {{"w", weight}}, .metadata = {}});
  weight = load_safetensors(folder / "w.safetensors")["w"];
  use();
  EXPECT_TRUE(right());
  weight.fill(0.25);
  EXPECT_TRUE(right());
}

TEST_P(ConstantWeight, ViewsOfOneStorageAreNotMixedUp) {
  const Tensor both = weight, wide = x, narrow = x.slice(1, 0, 10).packed();
  for (int i = 0; i < 4; ++i)
    for (const auto& [view, input] : {std::pair{both.slice(0, 0, 30), wide},
                                      {both.slice(0, 30, 70), wide},
                                      {both.slice(0, 0, 40), wide},
                                      {both.view({140, 10}).slice(0, 0, 40), narrow}}) {
      weight = view, x = input;
      EXPECT_TRUE(right());
    }
}

TEST_P(ConstantWeight, BiasActivationAndEmptySizes) {
  const Tensor bias = sample({70}, -1, 1, 6).to(GetParam());
  const Tensor want = gelu(linear(x, weight, bias));
  use();
  NoGrad off;
  EXPECT_TRUE(close(linear(x, weight, bias, Activation::gelu).values(), want.values(), tolerance));
  for (const auto& [rows, in, out] : {std::tuple{0, 20, 70}, {3, 0, 70}, {3, 20, 0}})
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(linear(Tensor::zeros({rows, in}, GetParam()), Tensor::zeros({out, in}, GetParam())).shape(),
                Shape({rows, out}));
}

TEST_P(ConstantWeight, ThreadsShareIt) {
  const std::vector<double> want = formula(x, weight);
  const auto work = [&] {
    NoGrad off;
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(close(linear(x, weight).values(), want, tolerance));
  };
  for (int i = 0; i < 5; ++i) {
    weight.raw();  // packed anew
    std::thread other(work);
    work();
    other.join();
  }
}

// The steps of a recurrence, each of few rows: their gradients come late, and are those of products one by one.
class Steps : public ::testing::Test {
 protected:
  using Step = std::function<Tensor(const Tensor& x, const Tensor& w, const Tensor& b)>;
  Tensor x = sample({16, 6}, -1, 1, 1), w = sample({6, 6}, -1, 1, 2).requires_grad(true),
         b = sample({6}, -1, 1, 3).requires_grad(true);

  static Tensor at_once(const Tensor& x, const Tensor& w, const Tensor& b) { return linear(x, w, b, Activation::tanh); }
  static Tensor one_by_one(const Tensor& x, const Tensor& w, const Tensor& b) {
    return tanh(matmul(x, transpose(w, 0, 1)) + b);
  }
  static Tensor loss(const Step& step, Tensor x, const Tensor& w, const Tensor& b) {
    for (int i = 0; i < 300; ++i) x = step(x, w, b);
    return sum(x * x);
  }
  void expect_same(const std::function<Tensor(const Step&)>& loss_of) const {
    const auto got = gradients(loss_of(at_once), {w, b}), want = gradients(loss_of(one_by_one), {w, b});
    for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(close(got[i].values(), want[i].values(), 1e-11));
  }
};

TEST_F(Steps, OfALeaf) {
  expect_same([&](const Step& step) { return loss(step, x, w, b); });
}
TEST_F(Steps, OfAWeightThatWasComputed) {
  expect_same([&](const Step& step) { return loss(step, x, w * 0.5 + w, tanh(b)); });
}
TEST_F(Steps, OfARecomputedPart) {
  expect_same([&](const Step& step) {  // w is handed in, b is not
    return checkpoint([this, step](const std::vector<Tensor>& in) { return loss(step, in[0], in[1], b); },
                      {x, w * 0.5});
  });
}
TEST_F(Steps, IntoGradientsOfLeaves) {
  backward(loss(at_once, x, w, b));
  const auto want = gradients(loss(one_by_one, x, w, b), {w, b});
  EXPECT_TRUE(close(w.grad().values(), want[0].values(), 1e-11));
  EXPECT_TRUE(close(b.grad().values(), want[1].values(), 1e-11));
}

}  // namespace
}  // namespace heed
