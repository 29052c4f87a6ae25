// Is a gradient right? Finite differences in f64 through the same tape, and the f32 path against the f64 one.
//
//   EXPECT_TRUE(gradcheck([](const Inputs& in) { return heed::tanh(in[0] * in[1]); }, {sample({3, 5}), sample({5})}));
#pragma once

#include <gtest/gtest.h>
#include <heed/autograd.h>

#include <functional>
#include <vector>

namespace heed::testing {

using Inputs = std::vector<Tensor>;
using Function = std::function<Tensor(const Inputs&)>;

// f64 values spread over [low, high), the same for the same seed.
Tensor sample(const Shape& shape, double low = -2, double high = 2, uint64_t seed = 1);

// f64 views of every awkward kind that have this shape: packed, transposed in memory, every second element of a larger
// tensor in the last dimension, and starting at an odd offset.
std::vector<Tensor> layouts(const Shape& shape, double low = -2, double high = 2, uint64_t seed = 1);

// Compares d(Σ w·f(inputs))/d(inputs), w random, with central differences for every element of every input that is f64.
// Inputs keep their strides. Fails where an input is empty, where a gradient is missing or has
// another shape. |got - want| <= tolerance (1 + |want|).
::testing::AssertionResult gradcheck(const Function& f, const Inputs& inputs, double tolerance = 1e-6);

// Output and gradients in f32 against those in f64, f64 inputs converted with their strides kept.
::testing::AssertionResult f32_agrees(const Function& f, const Inputs& inputs, double tolerance = 1e-5);

// f runs on inputs of which some are empty, and its gradients have the shapes of the inputs.
::testing::AssertionResult runs_empty(const Function& f, const Inputs& inputs);

// f throws heed::Error whose text contains each of `words`.
::testing::AssertionResult complains(const std::function<void()>& f, const std::vector<std::string>& words);

}  // namespace heed::testing
