// Optimiser steps, fused: one pass over weight, gradient and state, all weights of a model in one parallel region.
//
// PyTorch and Keras write the same methods with small differences; Convention picks whose numbers come out:
//   weight decay   PyTorch adds it to the gradient, g += decay w (AdamW: w *= 1 - rate decay);
//                  Keras always decouples it, w *= 1 - rate decay, before the step.
//   SGD            Keras keeps the learning rate inside the momentum, m = momentum m - rate g.
//   RMSprop        eps after the root (PyTorch) or under it (Keras); Keras keeps the rate inside the momentum.
//   Adagrad        eps after the root or under it; the accumulator starts at 0 or at 0.1.
//   Adam           PyTorch adds eps to the corrected root, Keras to the raw one (Kingma & Ba's "epsilon hat").
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace heed::kernels {

enum class Convention { pytorch, keras };

// One weight tensor with its gradient and state, n values each. Which states a method uses it says below; they start at
// zero (Adagrad's at its initial accumulator).
template <class T>
struct WeightState {
  T* weight = nullptr;
  T* gradient = nullptr;
  std::array<T*, 3> state{};
  int64_t n = 0;
};

template <class T>
using WeightStates = std::span<const WeightState<T>>;

// state[0]: the momentum, used where momentum != 0.
struct SgdOptions {
  double learning_rate = 0.01, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;
  Convention convention = Convention::pytorch;
};

// state[0]: mean square; state[1]: mean gradient, where centered; state[2]: the momentum, where momentum != 0.
struct RmspropOptions {
  double learning_rate = 0.01, decay = 0.99, momentum = 0, epsilon = 1e-8, weight_decay = 0;
  bool centered = false;
  Convention convention = Convention::pytorch;
};

// state[0]: the accumulator.
struct AdagradOptions {
  double learning_rate = 0.01, epsilon = 1e-10, weight_decay = 0;
  Convention convention = Convention::pytorch;
};

// state[0]: first moment; state[1]: second moment; state[2]: the largest second moment so far, where amsgrad.
// decoupled makes it AdamW (in Keras' convention it always is).
struct AdamOptions {
  double learning_rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  bool decoupled = false, amsgrad = false;
  Convention convention = Convention::pytorch;
};

// One step; `step` counts from 1. The gradient is read as gradient_scale * gradient (clipping without a pass of its
// own) and is not written. T is float or double.
template <class T>
void sgd_step(WeightStates<T> weights, const SgdOptions& options, int64_t step, double gradient_scale = 1);
template <class T>
void rmsprop_step(WeightStates<T> weights, const RmspropOptions& options, double gradient_scale = 1);
template <class T>
void adagrad_step(WeightStates<T> weights, const AdagradOptions& options, double gradient_scale = 1);
template <class T>
void adam_step(WeightStates<T> weights, const AdamOptions& options, int64_t step, double gradient_scale = 1);

// The Euclidean norm of all gradients together, summed in double; the same bits for any number of threads.
template <class T>
double gradient_norm(WeightStates<T> weights);

// What to multiply gradients with so that their norm is at most max_norm: min(1, max_norm / (norm + 1e-6)) in PyTorch,
// max_norm / max(norm, max_norm) in Keras. NaN where the norm is not finite in Keras' convention.
double clip_scale(double norm, double max_norm, Convention convention = Convention::pytorch);

// gradient *= scale, in place.
template <class T>
void scale_gradients(WeightStates<T> weights, double scale);

}  // namespace heed::kernels
