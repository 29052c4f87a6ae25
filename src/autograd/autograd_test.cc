#include <gtest/gtest.h>
#include <heed/autograd.h>
#include <heed/tensor.h>

#include <set>
#include <thread>
#include <utility>

#include "base/check.h"
#include "support/close.h"

namespace heed {
namespace {

using testing::close;

// The least that a tape needs to be tested: products, sums and broadcasts in plain loops.
Tensor times(const Tensor& a, const Tensor& b) {
  const Shape shape = broadcast_shapes(a.shape(), b.shape(), "times");
  const auto product = [shape](const Tensor& x, const Tensor& y) {
    Tensor result(shape, x.dtype());
    const auto p = x.expand(shape).values(), q = y.expand(shape).values();
    for (size_t i = 0; i < p.size(); ++i) result.data<double>()[i] = p[i] * q[i];
    return result;
  };
  return record("times", product(a, b), {a, b},
                [product, a = a.detach(), b = b.detach()](const Tensor& dy, Gradients& d) {
                  d.add(0, product(dy, b));
                  d.add(1, product(dy, a));
                });
}
Tensor total(const Tensor& x) {
  double sum = 0;
  for (double value : x.values()) sum += value;
  return record("total", scalar(sum, x.dtype()), {x},
                [shape = x.shape()](const Tensor& dy, Gradients& d) { d.add(0, dy.expand(shape)); });
}
Tensor numbers(std::initializer_list<double> values) { return tensor(values, Dtype::f64); }
using Values = std::vector<double>;

TEST(Autograd, SquareHasGradientTwoX) {
  Tensor w = numbers({2, 3}).requires_grad(true);
  backward(total(times(w, w)));
  EXPECT_TRUE(close(w.grad().values(), Values{4, 6}, 0));
}

TEST(Autograd, LeavesAccumulateAndZeroGradForgets) {
  Tensor w = numbers({2, 3}).requires_grad(true);
  backward(total(times(w, w)));
  backward(total(times(w, w)));
  EXPECT_TRUE(close(w.grad().values(), Values{8, 12}, 0));
  w.zero_grad();
  EXPECT_FALSE(w.grad().defined());
}

TEST(Autograd, TheGradientOfALeafIsNotSharedWithAnother) {
  Tensor a = numbers({1, 1}).requires_grad(true), b = numbers({1, 1}).requires_grad(true);
  const Tensor sum = record("both", numbers({2, 2}), {a, b}, [](const Tensor& dy, Gradients& d) {
    d.add(0, dy);
    d.add(1, dy);
  });
  backward(sum, {.seed = numbers({1, 2}), .keep = true});
  backward(record("first", numbers({5, 5}), {a}, [](const Tensor& dy, Gradients& d) { d.add(0, dy); }),
           {.seed = numbers({10, 10})});
  EXPECT_TRUE(close(a.grad().values(), Values{11, 12}, 0));
  EXPECT_TRUE(close(b.grad().values(), Values{1, 2}, 0));
}

TEST(Autograd, TheGradientOfALeafIsPacked) {
  Tensor w = numbers({1, 2, 3}).requires_grad(true);
  backward(total(w));  // whose gradient is one number, repeated
  EXPECT_TRUE(w.grad().contiguous());
  EXPECT_TRUE(close(w.grad().values(), Values{1, 1, 1}, 0));
}

TEST(Autograd, BroadcastGradientsAreSummedBack) {
  Tensor row = numbers({1, 2, 3}).requires_grad(true), column = numbers({10, 20}).view({2, 1}).requires_grad(true);
  Tensor one = scalar(5, Dtype::f64).requires_grad(true);
  backward(total(times(times(row, column), one)));
  EXPECT_TRUE(close(row.grad().values(), Values{150, 150, 150}, 0));
  EXPECT_TRUE(close(column.grad().values(), Values{30, 30}, 0));
  EXPECT_EQ(column.grad().shape(), Shape({2, 1}));
  EXPECT_EQ(one.grad().item(), 180);
}

// Row i of x; `wholes` collects the tensors whose part is taken.
Tensor row(const Tensor& x, int64_t i, std::set<const void*>* wholes) {
  return record("row", x.select(0, i), {x}, [=](const Tensor& dy, Gradients& d) {
    d.add_to_part(0, dy, [=](const Tensor& whole) {
      wholes->insert(std::as_const(whole).raw());
      return whole.select(0, i);
    });
  });
}

TEST(Autograd, PartsOfAnInputAddUpInOneTensor) {
  Tensor x = numbers({1, 2, 3, 4, 5, 6}).view({3, 2}).requires_grad(true);
  std::set<const void*> wholes;
  const auto rows = [&](const Tensor& of) {
    const Tensor sum = times(row(of, 0, &wholes), row(of, 2, &wholes));  // x0·x2
    return total(times(sum, row(of, 0, &wholes)));                       // x0²·x2
  };
  const Values want{10, 24, 0, 0, 1, 4};
  backward(rows(x));
  EXPECT_TRUE(close(x.grad().values(), want, 0));
  EXPECT_EQ(wholes.size(), 1u);

  const Tensor held = x.grad();  // somebody looks at it: what comes next is not added under his eyes
  backward(rows(x));
  EXPECT_TRUE(close(held.values(), want, 0));
  EXPECT_TRUE(close(x.grad().values(), Values{20, 48, 0, 0, 2, 8}, 0));

  const Tensor two = numbers({2}), middle = times(x, two);
  const auto found = gradients(rows(middle), {middle, x});  // 4 x0·x2 … and twice that
  EXPECT_TRUE(close(found[0].values(), Values{40, 96, 0, 0, 4, 16}, 0));
  EXPECT_TRUE(close(found[1].values(), Values{80, 192, 0, 0, 8, 32}, 0));
}

TEST(Autograd, AWholeGradientAndPartsMeet) {
  Tensor x = numbers({1, 2, 3, 4}).view({2, 2}).requires_grad(true);
  std::set<const void*> wholes;
  const Tensor part = row(x, 1, &wholes);
  const Tensor y = times(total(times(x, x)), total(times(part, numbers({10}))));  // 30 · 70
  backward(y);
  EXPECT_TRUE(close(x.grad().values(), Values{140, 280, 420 + 300, 560 + 300}, 0));
}

TEST(Autograd, TheLastTimeIsKnown) {
  Tensor x = numbers({1}).requires_grad(true);
  std::vector<bool> last;
  const Tensor y = record("op", numbers({1}), {x}, [&](const Tensor& dy, Gradients& d) {
    last.push_back(d.last());
    d.add(0, dy);
  });
  backward(y, {.keep = true});
  backward(y);
  EXPECT_EQ(last, (std::vector<bool>{false, true}));
}

TEST(Autograd, ADiamondIsWalkedOnce) {
  Tensor x = numbers({3}).requires_grad(true);
  int runs = 0;
  const Tensor y =
      record("counted", times(x, x).detach(), {x}, [&runs, x = x.detach()](const Tensor& dy, Gradients& d) {
        ++runs;
        d.add(0, times(times(dy, x), numbers({2})));
      });
  backward(total(times(y, y)));  // x^4
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(close(x.grad().values(), Values{108}, 0));
}

TEST(Autograd, NoGradRecordsNothing) {
  Tensor w = numbers({2}).requires_grad(true);
  NoGrad off;
  EXPECT_FALSE(times(w, w).requires_grad());
  EXPECT_THROW(backward(times(w, w)), Error);
}

TEST(Autograd, ASecondBackwardIsAClearError) {
  Tensor w = numbers({2}).requires_grad(true);
  const Tensor y = total(times(w, w));
  backward(y);
  try {
    backward(y);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("total: backward came here a second time"), std::string::npos);
  }
  EXPECT_TRUE(close(w.grad().values(), Values{4}, 0));
}

TEST(Autograd, KeepAllowsASecondBackward) {
  Tensor w = numbers({2}).requires_grad(true);
  const Tensor y = total(times(w, w));
  backward(y, {.keep = true});
  backward(y);
  EXPECT_TRUE(close(w.grad().values(), Values{8}, 0));
}

TEST(Autograd, GradientsOfChosenInputsOnly) {
  Tensor a = numbers({2}).requires_grad(true), b = numbers({5}).requires_grad(true);
  const Tensor middle = times(a, b);
  const auto found = gradients(total(times(middle, b)), {middle, b});
  EXPECT_TRUE(close(found[0].values(), Values{5}, 0));
  EXPECT_TRUE(close(found[1].values(), Values{20}, 0));  // through both uses
  EXPECT_FALSE(a.grad().defined());
  EXPECT_FALSE(b.grad().defined());
}

TEST(Autograd, InputsThatDoNotMatterGetZeros) {
  Tensor a = numbers({2}).requires_grad(true), b = numbers({5, 6}).requires_grad(true);
  EXPECT_TRUE(close(gradients(total(times(a, a)), {b})[0].values(), Values{0, 0}, 0));
}

TEST(Autograd, UnusedOutputsArriveAsZeros) {
  Tensor a = numbers({2}).requires_grad(true);
  const std::vector<Tensor> both = record_all("pair", {numbers({2}), numbers({4, 4})}, std::vector{a},
                                              [](std::span<const Tensor> dys, Gradients& d) {
                                                EXPECT_TRUE(close(dys[1].values(), Values{0, 0}, 0));
                                                d.add(0, dys[0]);
                                              });
  backward(total(both[0]));
  EXPECT_EQ(a.grad().item(), 1);
}

TEST(Autograd, ALongChainIsFreedWithoutRecursion) {
  Tensor x = numbers({1}).requires_grad(true);
  Tensor y = x;
  for (int i = 0; i < 300000; ++i)
    y = record("step", y.detach(), {y}, [](const Tensor& dy, Gradients& d) { d.add(0, dy); });
  y = Tensor();
  SUCCEED();
}

TEST(Autograd, CheckpointGivesTheSameGradients) {
  Tensor x = numbers({2, 3}).requires_grad(true), w = numbers({4, 5}).requires_grad(true);
  const Tensor outside = times(w, w);  // on the tape before the checkpoint
  const auto block = [&](const std::vector<Tensor>& in) { return times(times(in[0], outside), times(in[0], w)); };
  backward(total(times(block({x}), outside)), {.keep = true});
  const Values dx = x.grad().values(), dw = w.grad().values();
  x.zero_grad(), w.zero_grad();
  backward(total(times(checkpoint(block, {x}), outside)));
  EXPECT_TRUE(close(x.grad().values(), dx, 0));
  EXPECT_TRUE(close(w.grad().values(), dw, 0));
}

TEST(Autograd, CheckpointWithinGradientsAndWithinItself) {
  Tensor x = numbers({2}).requires_grad(true), w = numbers({3}).requires_grad(true);
  const auto inner = [&](const std::vector<Tensor>& in) { return times(in[0], w); };
  const auto outer = [&](const std::vector<Tensor>& in) { return times(checkpoint(inner, in), in[0]); };  // w x^2
  const auto found = gradients(total(checkpoint(outer, {x})), {x, w});
  EXPECT_TRUE(close(found[0].values(), Values{12}, 0));
  EXPECT_TRUE(close(found[1].values(), Values{4}, 0));
  EXPECT_FALSE(w.grad().defined());
}

TEST(Autograd, AnErrorInBackwardLeavesTheTapeUsable) {
  Tensor x = numbers({2}).requires_grad(true);
  bool broken = true;
  const Tensor y = record("fragile", numbers({2}), {x}, [&](const Tensor& dy, Gradients& d) {
    if (broken) fail(ErrorKind::numeric, "fragile", "broken");
    d.add(0, dy);
  });
  EXPECT_THROW(backward(total(y), {.keep = true}), Error);
  broken = false;
  backward(total(y));
  EXPECT_EQ(x.grad().item(), 1);
}

TEST(Autograd, WrongShapesOfGradientsAreNamed) {
  Tensor x = numbers({2, 3}).requires_grad(true);
  const Tensor y = record("wrong", scalar(0, Dtype::f64), {x}, [](const Tensor&, Gradients& d) {
    d.add(0, numbers({1, 2, 3}));
  });
  EXPECT_THROW(backward(y), Error);
  EXPECT_THROW(backward(times(x, x)), Error);  // neither one number nor a seed
  EXPECT_THROW(backward(times(x, x), {.seed = numbers({1})}), Error);
  EXPECT_THROW(Tensor({2}, Dtype::i64).requires_grad(true), Error);
}

TEST(Autograd, TapesOfTwoThreadsDoNotMeet) {
  const auto work = [] {
    for (int i = 0; i < 200; ++i) {
      Tensor x = numbers({1.0 * i}).requires_grad(true);
      backward(total(times(x, x)));
      ASSERT_EQ(x.grad().item(), 2 * i);
    }
  };
  std::thread other(work);
  work();
  other.join();
}

}  // namespace
}  // namespace heed
