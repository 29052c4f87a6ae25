#include "support/gradcheck.h"

#include <heed/base.h>

#include <algorithm>

#include "base/philox.h"
#include "support/close.h"

namespace heed::testing {
namespace {

using ::testing::AssertionFailure;
using ::testing::AssertionResult;
using ::testing::AssertionSuccess;

bool differentiable(const Tensor& x) { return x.dtype() == Dtype::f64; }

// A copy with the strides of x.
Tensor same_layout(const Tensor& x, Dtype dtype) {
  int64_t span = 1;
  for (int i = 0; i < x.rank(); ++i) span += std::max<int64_t>(x.shape()[i] - 1, 0) * x.strides()[i];
  Tensor copy = Tensor::zeros({span}, dtype).as_strided(x.shape(), x.strides(), 0);
  copy.copy_from(x);
  return copy;
}

Inputs leaves(const Inputs& inputs, Dtype dtype) {
  Inputs result;
  for (const Tensor& input : inputs) {
    result.push_back(differentiable(input) ? same_layout(input, dtype) : input);
    if (differentiable(input)) result.back().requires_grad(true);
  }
  return result;
}

Inputs wanting(const Inputs& inputs) {
  Inputs result;
  for (const Tensor& input : inputs)
    if (input.requires_grad()) result.push_back(input);
  return result;
}

double weighted_sum(const Tensor& output, const std::vector<double>& weights) {
  const std::vector<double> values = output.values();
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) sum += weights[i] * values[i];
  return sum;
}

// The element of x at place `flat` of its row-major order.
double& element(Tensor& x, int64_t flat) {
  Shape index = x.shape();
  for (int i = x.rank() - 1; i >= 0; --i) {
    index[i] = flat % x.shape()[i];
    flat /= x.shape()[i];
  }
  return x.at<double>(index);
}

std::vector<double> differences(const Function& f, const Inputs& inputs, Tensor& x,
                                const std::vector<double>& weights) {
  NoGrad off;
  std::vector<double> result;
  for (int64_t i = 0; i < x.numel(); ++i) {
    const double middle = element(x, i), step = 1e-5 * (1 + std::abs(middle));
    element(x, i) = middle + step;
    const double above = weighted_sum(f(inputs), weights);
    element(x, i) = middle - step;
    const double below = weighted_sum(f(inputs), weights);
    element(x, i) = middle;
    result.push_back((above - below) / (2 * step));
  }
  return result;
}

AssertionResult labelled(const AssertionResult& result, const std::string& label) {
  return result ? result : AssertionFailure() << label << ": " << result.message();
}

}  // namespace

Tensor sample(const Shape& shape, double low, double high, uint64_t seed) {
  Tensor result(shape, Dtype::f64);
  for (int64_t i = 0; i < result.numel(); ++i)
    result.data<double>()[i] = low + (high - low) * 0x1p-32 * philox(seed, 77, static_cast<uint64_t>(i))[0];
  return result;
}

std::vector<Tensor> layouts(const Shape& shape, double low, double high, uint64_t seed) {
  std::vector<Tensor> result = {sample(shape, low, high, seed)};
  if (shape.rank() == 0) return result;
  Shape reversed = shape, order = shape, wide = shape, longer = shape;
  std::reverse(reversed.begin(), reversed.end());
  for (int i = 0; i < shape.rank(); ++i) order[i] = shape.rank() - 1 - i;
  const int last = shape.rank() - 1;
  wide[last] = 2 * shape[last] + 1, longer[last] = shape[last] + 1;
  result.push_back(sample(reversed, low, high, seed + 1).permute(order));
  result.push_back(sample(wide, low, high, seed + 2).slice(last, 1, wide[last], 2));
  result.push_back(sample(longer, low, high, seed + 3).slice(last, 1, longer[last]));
  return result;
}

AssertionResult gradcheck(const Function& f, const Inputs& inputs, double tolerance) {
  Inputs in = leaves(inputs, Dtype::f64);
  const Tensor output = f(in);
  if (output.numel() == 0) return AssertionFailure() << "the output is empty";
  if (!output.requires_grad()) return AssertionFailure() << "the output is not on the tape";
  const Tensor weights = sample(output.shape(), 0.5, 1.5, 99);
  const Inputs wanted = wanting(in);
  const std::vector<Tensor> got = gradients(output, wanted, {.seed = weights});
  const std::vector<double> w = weights.values();
  size_t place = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    if (!in[i].requires_grad()) continue;
    const Tensor& gradient = got[place++];
    if (gradient.shape() != in[i].shape())
      return AssertionFailure() << "gradient " << i << " has shape " << gradient.shape().text() << ", wanted "
                                << in[i].shape().text();
    const AssertionResult same = close(gradient.values(), differences(f, in, in[i], w), tolerance);
    if (!same) return labelled(same, "gradient of input " + std::to_string(i));
  }
  return place > 0 ? AssertionSuccess() : AssertionFailure() << "no input was checked";
}

AssertionResult f32_agrees(const Function& f, const Inputs& inputs, double tolerance) {
  const Inputs narrow = leaves(inputs, Dtype::f32);
  Inputs wide;  // the very values that f32 holds
  for (size_t i = 0; i < inputs.size(); ++i) {
    wide.push_back(differentiable(inputs[i]) ? narrow[i].to(Dtype::f64) : inputs[i]);
    if (differentiable(inputs[i])) wide.back().requires_grad(true);
  }
  const Tensor got = f(narrow), want = f(wide);
  if (got.dtype() != Dtype::f32) return AssertionFailure() << "the output is " << name(got.dtype());
  if (AssertionResult same = close(got.values(), want.values(), tolerance); !same) return labelled(same, "output");
  const Tensor weights = sample(want.shape(), 0.5, 1.5, 99).to(Dtype::f32);
  const auto got_gradients = gradients(got, wanting(narrow), {.seed = weights});
  const auto want_gradients = gradients(want, wanting(wide), {.seed = weights.to(Dtype::f64)});
  for (size_t i = 0; i < want_gradients.size(); ++i)
    if (AssertionResult same = close(got_gradients[i].values(), want_gradients[i].values(), tolerance); !same)
      return labelled(same, "gradient " + std::to_string(i));
  return AssertionSuccess();
}

AssertionResult runs_empty(const Function& f, const Inputs& inputs) {
  for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
    const Inputs in = leaves(inputs, dtype), wanted = wanting(in);
    const Tensor output = f(in);
    if (!output.requires_grad()) return AssertionFailure() << "the output is not on the tape";
    const auto got = gradients(output, wanted, {.seed = Tensor::zeros(output.shape(), output.dtype())});
    for (size_t i = 0; i < got.size(); ++i)
      if (got[i].shape() != wanted[i].shape() || got[i].dtype() != dtype)
        return AssertionFailure() << "gradient " << i << " is " << got[i].shape().text();
  }
  return AssertionSuccess();
}

AssertionResult complains(const std::function<void()>& f, const std::vector<std::string>& words) {
  try {
    f();
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const std::string& word : words)
      if (text.find(word) == std::string::npos) return AssertionFailure() << "'" << word << "' is not in: " << text;
    return AssertionSuccess();
  }
  return AssertionFailure() << "no error";
}

}  // namespace heed::testing
