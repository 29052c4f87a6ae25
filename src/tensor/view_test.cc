// Views against a model that keeps, for each place of the view, the number of the element that must stand there.
#include <gtest/gtest.h>
#include <heed/tensor.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "support/close.h"
#include "support/files.h"

namespace heed {
namespace {

using testing::close;
using testing::refused;

// A tensor as a plain list of elements, rows first, and its shape. Each operation is written as a loop over places.
struct Model {
  std::vector<int64_t> shape, elements;

  static int64_t count(const std::vector<int64_t>& shape) {
    return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  }
  std::vector<int64_t> place(int64_t at) const {
    std::vector<int64_t> index(shape.size());
    for (size_t i = shape.size(); i-- > 0; at /= shape[i]) index[i] = at % shape[i];
    return index;
  }
  int64_t at(const std::vector<int64_t>& index) const {
    int64_t flat = 0;
    for (size_t i = 0; i < shape.size(); ++i) flat = flat * shape[i] + index[i];
    return elements[static_cast<size_t>(flat)];
  }
  // A model of another shape, whose element at an index is this one's at source(index).
  template <class Source>
  Model mapped(const std::vector<int64_t>& wanted, const Source& source) const {
    Model result{wanted, std::vector<int64_t>(static_cast<size_t>(count(wanted)))};
    for (size_t i = 0; i < result.elements.size(); ++i)
      result.elements[i] = at(source(result.place(static_cast<int64_t>(i))));
    return result;
  }
};

Model counting(const std::vector<int64_t>& shape) {
  Model model{shape, std::vector<int64_t>(static_cast<size_t>(Model::count(shape)))};
  std::iota(model.elements.begin(), model.elements.end(), int64_t{0});
  return model;
}

// All choices of a run come from one list of numbers, so that a shorter list is a shorter run.
class Choices {
 public:
  explicit Choices(std::vector<uint32_t> numbers) : numbers_(std::move(numbers)) {}
  bool empty() const { return at_ >= numbers_.size(); }
  int64_t in(int64_t begin, int64_t end) {  // begin to end - 1
    return empty() ? begin : begin + numbers_[at_++] % (end - begin);
  }

 private:
  std::vector<uint32_t> numbers_;
  size_t at_ = 0;
};

struct Both {
  Tensor tensor;
  Model model;
  Choices choices;
};

int any_dim(Both& both) { return static_cast<int>(both.choices.in(0, both.tensor.rank())); }
int maybe_negative(Both& both, int dim) { return both.choices.in(0, 2) ? dim : dim - both.tensor.rank(); }

void transpose(Both& both) {
  const int a = any_dim(both), b = any_dim(both);
  std::vector<int64_t> shape = both.model.shape;
  std::swap(shape[static_cast<size_t>(a)], shape[static_cast<size_t>(b)]);
  both.model = both.model.mapped(shape, [&](std::vector<int64_t> index) {
    std::swap(index[static_cast<size_t>(a)], index[static_cast<size_t>(b)]);
    return index;
  });
  both.tensor = both.tensor.transpose(maybe_negative(both, a), maybe_negative(both, b));
}

void permute(Both& both) {
  std::vector<int64_t> order(both.model.shape.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  for (size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[static_cast<size_t>(both.choices.in(0, static_cast<int64_t>(i)))]);
  std::vector<int64_t> shape;
  for (int64_t from : order) shape.push_back(both.model.shape[static_cast<size_t>(from)]);
  both.model = both.model.mapped(shape, [&](const std::vector<int64_t>& index) {
    std::vector<int64_t> from(index.size());
    for (size_t i = 0; i < index.size(); ++i) from[static_cast<size_t>(order[i])] = index[i];
    return from;
  });
  both.tensor = both.tensor.permute(order);
}

// Python's rule, place by place: begin, begin + step, ... while below end.
void slice(Both& both) {
  const int dim = any_dim(both);
  const auto d = static_cast<size_t>(dim);
  const int64_t size = both.model.shape[d];
  const int64_t begin = both.choices.in(-size - 2, size + 3), end = both.choices.in(-size - 2, size + 3);
  const int64_t step = both.choices.in(1, 4);
  const int64_t first = std::max<int64_t>(begin < 0 ? begin + size : begin, 0),
                last = std::min(end < 0 ? end + size : end, size);
  std::vector<int64_t> shape = both.model.shape;
  shape[d] = 0;
  for (int64_t i = first; i < last; i += step) ++shape[d];
  both.model = both.model.mapped(shape, [&](std::vector<int64_t> index) {
    index[d] = first + index[d] * step;
    return index;
  });
  both.tensor = both.tensor.slice(maybe_negative(both, dim), begin, end, step);
}

void select(Both& both) {
  const int dim = any_dim(both);
  const auto d = static_cast<size_t>(dim);
  const int64_t size = both.model.shape[d];
  if (size == 0) return;
  const int64_t index = both.choices.in(0, size);
  std::vector<int64_t> shape = both.model.shape;
  shape.erase(shape.begin() + dim);
  both.model = both.model.mapped(shape, [&](std::vector<int64_t> at) {
    at.insert(at.begin() + dim, index);
    return at;
  });
  both.tensor = both.tensor.select(maybe_negative(both, dim), both.choices.in(0, 2) ? index : index - size);
}

void unsqueeze(Both& both) {
  if (both.tensor.rank() == kMaxRank) return;
  const int dim = static_cast<int>(both.choices.in(0, both.tensor.rank() + 1));
  both.model.shape.insert(both.model.shape.begin() + dim, 1);
  both.tensor = both.tensor.unsqueeze(dim);
}

void squeeze(Both& both) {
  const int dim = any_dim(both);
  if (both.model.shape[static_cast<size_t>(dim)] != 1) return;
  both.model.shape.erase(both.model.shape.begin() + dim);
  both.tensor = both.tensor.squeeze(maybe_negative(both, dim));
}

// Sizes of one are repeated, and new dimensions stand in front.
void expand(Both& both) {
  std::vector<int64_t> shape = both.model.shape;
  for (int64_t& size : shape)
    if (size == 1) size = both.choices.in(0, 4);
  const bool one_more = both.tensor.rank() < kMaxRank && both.choices.in(0, 2) == 1;
  if (one_more) shape.insert(shape.begin(), both.choices.in(1, 3));
  if (Model::count(shape) > 4096) return;
  const std::vector<int64_t> before = both.model.shape;
  both.model = both.model.mapped(shape, [&](const std::vector<int64_t>& index) {
    std::vector<int64_t> from(before.size());
    for (size_t i = 0; i < from.size(); ++i) from[i] = before[i] == 1 ? 0 : index[i + one_more];
    return from;
  });
  both.tensor = both.tensor.expand(shape);
}

void reshape(Both& both) {
  constexpr int kWays = 3;
  const std::vector<int64_t> ways[kWays] = {{-1}, {1, -1}, {-1, 1, 1}};
  const std::vector<int64_t>& shape = ways[both.choices.in(0, kWays)];
  both.tensor = both.tensor.packed();
  if (both.tensor.numel() == 0) return;
  both.model.shape = shape;
  for (int64_t& size : both.model.shape)
    if (size == -1) size = both.tensor.numel();
  both.tensor = both.tensor.view(shape);
}

void expect_equal(const Both& both) {
  RC_ASSERT(both.tensor.shape() == Shape(both.model.shape));
  RC_ASSERT(both.tensor.numel() == static_cast<int64_t>(both.model.elements.size()));
  const Tensor packed = both.tensor.packed();
  const std::span<const int64_t> got = packed.span<int64_t>();
  RC_ASSERT(std::vector<int64_t>(got.begin(), got.end()) == both.model.elements);
  for (size_t i = 0; i < both.model.elements.size(); i += 7)
    RC_ASSERT(both.tensor.at<int64_t>(both.model.place(static_cast<int64_t>(i))) == both.model.elements[i]);
}

RC_GTEST_PROP(Views, AnySequenceIsWhatTheModelSays, (const std::vector<uint32_t>& numbers)) {
  Both both{Tensor(), Model(), Choices(numbers)};
  std::vector<int64_t> shape;
  for (int64_t rank = both.choices.in(0, 5); rank > 0; --rank) shape.push_back(both.choices.in(0, 5));
  both.model = counting(shape);
  both.tensor = tensor_from(both.model.elements, shape);
  constexpr void (*kSteps[])(Both&) = {transpose, permute, slice, select, unsqueeze, squeeze, expand, reshape};
  while (!both.choices.empty()) {
    const int64_t step = both.choices.in(0, std::ssize(kSteps));
    (both.tensor.rank() == 0 ? unsqueeze : kSteps[step])(both);
    expect_equal(both);
  }
}

// NumPy's rule, size by size.
RC_GTEST_PROP(Broadcasting, SizesAreEqualOrOne, ()) {
  const auto sizes = rc::gen::inRange<int64_t>(0, 4);
  const auto a = *rc::gen::container<std::vector<int64_t>>(*rc::gen::inRange<size_t>(0, 5), sizes);
  const auto b = *rc::gen::container<std::vector<int64_t>>(*rc::gen::inRange<size_t>(0, 5), sizes);
  const size_t rank = std::max(a.size(), b.size());
  const auto size = [&](const std::vector<int64_t>& shape, size_t i) {
    return i + shape.size() < rank ? 1 : shape[i + shape.size() - rank];
  };
  bool fits = true;
  std::vector<int64_t> want;
  for (size_t i = 0; i < rank; ++i) {
    fits = fits && (size(a, i) == size(b, i) || size(a, i) == 1 || size(b, i) == 1);
    want.push_back(size(a, i) == 1 ? size(b, i) : size(a, i));
  }
  if (!fits) {
    RC_ASSERT(bool(
        refused(ErrorKind::usage, {"add", Shape(a).text(), Shape(b).text()}, [&] { broadcast_shapes(a, b, "add"); })));
    return;
  }
  RC_ASSERT(broadcast_shapes(a, b, "add") == Shape(want));
  RC_ASSERT(broadcast_shapes(b, a, "add") == Shape(want));
  RC_ASSERT(Tensor::zeros(a).expand(want).shape() == Shape(want));
}

TEST(Views, ShareTheElements) {
  Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  Tensor column = x.slice(1, 0, 1);
  EXPECT_TRUE(column.shares_storage(x));
  EXPECT_FALSE(column.contiguous());
  x.at<float>({0, 0}) = 7;
  EXPECT_EQ(column.value({0, 0}), 7);
  column.fill(9);
  EXPECT_TRUE(close(x.values(), std::vector<double>{9, 2, 3, 9, 5, 6}, 0));
  EXPECT_FALSE(x.clone().shares_storage(x));
  EXPECT_TRUE(x.packed().shares_storage(x));
}

TEST(Views, CopiesBroadcastAndConvert) {
  Tensor x = Tensor::zeros({2, 3}, Dtype::i32);
  x.copy_from(tensor({1.9, -2.9, NAN}, Dtype::f64));
  EXPECT_TRUE(close(x.values(), std::vector<double>{1, -2, 0, 1, -2, 0}, 0));
  x.transpose(0, 1).copy_from(tensor({5, 6}));
  EXPECT_TRUE(close(x.values(), std::vector<double>{5, 5, 5, 6, 6, 6}, 0));
}

TEST(Views, StridesOfOnesOwn) {
  const Tensor x = tensor({1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(close(x.as_strided({2, 2}, {3, 1}, 1).values(), std::vector<double>{2, 3, 5, 6}, 0));
  EXPECT_TRUE(close(x.as_strided({6}, {-1}, 5).values(), std::vector<double>{6, 5, 4, 3, 2, 1}, 0));
  EXPECT_TRUE(close(x.slice(0, 2, 4).as_strided({3}, {1}, -2).values(), std::vector<double>{1, 2, 3}, 0));
  EXPECT_EQ(x.as_strided({0, 9}, {100, 100}, 50).numel(), 0);
  const auto wrong = [&](const Shape& shape, const Shape& strides, int64_t offset) {
    return refused(ErrorKind::usage, {"as_strided"}, [&] { x.as_strided(shape, strides, offset); });
  };
  EXPECT_TRUE(wrong({7}, {1}, 0));
  EXPECT_TRUE(wrong({6}, {1}, 1));
  EXPECT_TRUE(wrong({2}, {-1}, 0));
  EXPECT_TRUE(wrong({1}, {1}, -1));
  EXPECT_TRUE(wrong({2, 2}, {1}, 0));
  EXPECT_TRUE(wrong({3, 3}, {int64_t{1} << 62, 1}, 0));
  EXPECT_TRUE(wrong({1}, {1}, INT64_MAX));
}

TEST(Views, WrongOnesNameTheOpAndTheShape) {
  const Tensor x = Tensor::zeros({2, 3});
  const auto usage = [](const std::vector<std::string>& parts, const auto& action) {
    return refused(ErrorKind::usage, parts, action);
  };
  EXPECT_TRUE(usage({"reshape", "(2, 3)", "(4, 2)"}, [&] { x.view({4, 2}); }));
  EXPECT_TRUE(usage({"reshape", "(-1, 4)"}, [&] { x.view({-1, 4}); }));
  EXPECT_TRUE(usage({"reshape", "-1"}, [&] { x.view({-1, -1}); }));
  EXPECT_TRUE(usage({"reshape", "-2"}, [&] { x.view({-2, -3}); }));
  EXPECT_TRUE(usage({"reshape", "64 bits"}, [&] { x.view({int64_t{1} << 62, 4}); }));
  EXPECT_TRUE(usage({"reshape"}, [&] { Tensor::zeros({0}).view({-1, 0}); }));
  EXPECT_TRUE(usage({"view", "packed"}, [&] { x.transpose(0, 1).view({6}); }));
  EXPECT_TRUE(usage({"transpose", "2"}, [&] { x.transpose(0, 2); }));
  EXPECT_TRUE(usage({"permute", "(0)"}, [&] { x.permute({0}); }));
  EXPECT_TRUE(usage({"permute", "twice"}, [&] { x.permute({0, -2}); }));
  EXPECT_TRUE(usage({"permute", "exist"}, [&] { x.permute({0, INT64_MAX}); }));
  EXPECT_TRUE(usage({"slice", "step 0"}, [&] { x.slice(0, 0, 1, 0); }));
  EXPECT_TRUE(usage({"slice", "-3"}, [&] { x.slice(-3, 0, 1); }));
  EXPECT_TRUE(usage({"select", "index 2", "(2, 3)"}, [&] { x.select(0, 2); }));
  EXPECT_TRUE(usage({"select"}, [&] { Tensor::zeros({0}).select(0, 0); }));
  EXPECT_TRUE(usage({"expand", "(2, 3)", "(2, 4)"}, [&] { x.expand({2, 4}); }));
  EXPECT_TRUE(usage({"expand"}, [&] { x.expand({3}); }));
  EXPECT_TRUE(usage({"64 bits"}, [&] { scalar(1).expand({int64_t{1} << 62, 4}); }));
  EXPECT_TRUE(usage({"squeeze", "(2, 3)"}, [&] { x.squeeze(0); }));
  EXPECT_TRUE(usage({"shape", "8"}, [&] { Tensor::zeros({1, 1, 1, 1, 1, 1, 1, 1}).unsqueeze(0); }));
  EXPECT_TRUE(usage({"(2, 0)", "(2, 3)"}, [&] { x.value({2, 0}); }));
  EXPECT_TRUE(usage({"undefined"}, [&] { Tensor().slice(0, 0, 1); }));
}

TEST(Views, SizesBeyondAllMeasureWithoutElements) {
  const int64_t large = int64_t{1} << 62;
  const Tensor x = Tensor::zeros({0, large, large});
  EXPECT_EQ(x.numel(), 0);
  EXPECT_TRUE(x.contiguous());
  EXPECT_EQ(x.transpose(0, 2).unsqueeze(1).shape(), (Shape{large, 1, large, 0}));
  EXPECT_EQ(x.clone().numel(), 0);
}

}  // namespace
}  // namespace heed
