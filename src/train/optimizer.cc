#include <heed/train.h>

#include <cmath>

#include "base/check.h"
#include "kernels/optimizer.h"
#include "tensor/dtype.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

kernels::Convention kernel(Convention convention) {
  return convention == Convention::keras ? kernels::Convention::keras : kernels::Convention::pytorch;
}

// Weights, gradients and states as the kernels take them. Gradients are packed first: they may be views.
template <class T>
class Pointers {
 public:
  void add(Tensor weight, std::span<Tensor> state) {
    gradients_.push_back(weight.grad().packed());
    kernels::WeightState<T> pointers{
        .weight = weight.data<T>(), .gradient = gradients_.back().data<T>(), .n = weight.numel()};
    for (size_t i = 0; i < state.size(); ++i) pointers.state[i] = state[i].data<T>();
    all_.push_back(pointers);
  }
  kernels::WeightStates<T> all() const { return all_; }

 private:
  std::vector<Tensor> gradients_;
  std::vector<kernels::WeightState<T>> all_;
};

// Calls step(pointers of T) for slots that are all of one dtype.
template <class Slots, class Step>
void with_pointers(Slots slots, const Step& step) {
  dispatch_floating(slots[0].weight.dtype(), "optimizer", [&](auto zero) {
    Pointers<decltype(zero)> pointers;
    for (auto& slot : slots) pointers.add(slot.weight, slot.state);
    step(pointers.all());
  });
}

kernels::AdamOptions kernel(const AdamOptions& options, double learning_rate, bool decoupled) {
  return {.learning_rate = learning_rate,
          .beta1 = options.beta1,
          .beta2 = options.beta2,
          .epsilon = options.epsilon,
          .weight_decay = options.weight_decay,
          .decoupled = decoupled,
          .amsgrad = options.amsgrad,
          .convention = kernel(options.convention)};
}

}  // namespace

Optimizer::Optimizer(std::vector<Tensor> weights, double learning_rate, int states, double initial)
    : learning_rate(learning_rate) {
  for (size_t i = 0; i < weights.size(); ++i) {
    Tensor& weight = weights[i];
    check(weight.defined() && weight.requires_grad() && !weight.place()->node, "optimizer",
          "weight {} is no leaf that requires a gradient", i);
    check(weight.contiguous(), "optimizer", "weight {} of shape {} is a strided view", i, weight.shape());
    Slot slot{weight, {}};
    for (int s = 0; s < states; ++s)
      slot.state.push_back(Tensor::full(weight.shape(), s == 0 ? initial : 0, weight.dtype()));
    slots_.push_back(std::move(slot));
  }
}

// The kernels take weights of one dtype at a time.
void Optimizer::step(bool keep_gradients) {
  ++steps_;
  for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
    std::vector<Slot> with_gradient;
    for (Slot& slot : slots_)
      if (slot.weight.dtype() == dtype && slot.weight.grad().defined()) with_gradient.push_back(slot);
    if (!with_gradient.empty()) update(with_gradient);
  }
  if (keep_gradients) return;
  for (Slot& slot : slots_) slot.weight.zero_grad();
}

NamedTensors Optimizer::state() const {
  NamedTensors found;
  for (size_t i = 0; i < slots_.size(); ++i)
    for (size_t s = 0; s < slots_[i].state.size(); ++s)
      found.emplace_back(fmt::format("{}.{}", i, s), slots_[i].state[s]);
  return found;
}

void Optimizer::set_state(const NamedTensors& state, int64_t steps) {
  const NamedTensors own = this->state();
  check(own.size() == state.size(), "optimizer", "a state of {} tensors for one of {}", state.size(), own.size());
  for (size_t i = 0; i < own.size(); ++i)
    check(own[i].first == state[i].first && own[i].second.shape() == state[i].second.shape(), "optimizer",
          "state {} of shape {} does not fit {} of shape {}", state[i].first, state[i].second.shape(), own[i].first,
          own[i].second.shape());
  for (size_t i = 0; i < own.size(); ++i) Tensor(own[i].second).copy_from(state[i].second);
  steps_ = steps;
}

Sgd::Sgd(std::vector<Tensor> weights, const SgdOptions& options)
    : Optimizer(std::move(weights), options.learning_rate, options.momentum != 0 ? 1 : 0), options_(options) {}

void Sgd::update(std::span<Slot> slots) {
  const kernels::SgdOptions options{.learning_rate = learning_rate,
                                    .momentum = options_.momentum,
                                    .dampening = options_.dampening,
                                    .weight_decay = options_.weight_decay,
                                    .nesterov = options_.nesterov,
                                    .convention = kernel(options_.convention)};
  with_pointers(slots, [&](auto weights) { kernels::sgd_step(weights, options, steps()); });
}

Rmsprop::Rmsprop(std::vector<Tensor> weights, const RmspropOptions& options)
    : Optimizer(std::move(weights), options.learning_rate, 3), options_(options) {}

void Rmsprop::update(std::span<Slot> slots) {
  const kernels::RmspropOptions options{.learning_rate = learning_rate,
                                        .decay = options_.decay,
                                        .momentum = options_.momentum,
                                        .epsilon = options_.epsilon,
                                        .weight_decay = options_.weight_decay,
                                        .centered = options_.centered,
                                        .convention = kernel(options_.convention)};
  with_pointers(slots, [&](auto weights) { kernels::rmsprop_step(weights, options); });
}

Adagrad::Adagrad(std::vector<Tensor> weights, const AdagradOptions& options)
    : Optimizer(std::move(weights), options.learning_rate, 1, options.initial), options_(options) {}

// PyTorch's decay of the rate: rate / (1 + (step - 1) decay).
void Adagrad::update(std::span<Slot> slots) {
  const double rate = learning_rate / (1 + static_cast<double>(steps() - 1) * options_.rate_decay);
  const kernels::AdagradOptions options{.learning_rate = rate,
                                        .epsilon = options_.epsilon,
                                        .weight_decay = options_.weight_decay,
                                        .convention = kernel(options_.convention)};
  with_pointers(slots, [&](auto weights) { kernels::adagrad_step(weights, options); });
}

Adam::Adam(std::vector<Tensor> weights, const AdamOptions& options)
    : Optimizer(std::move(weights), options.learning_rate, options.amsgrad ? 3 : 2), options_(options) {}

void Adam::update(std::span<Slot> slots) {
  with_pointers(slots,
                [&](auto weights) { kernels::adam_step(weights, kernel(options_, learning_rate, false), steps()); });
}

AdamW::AdamW(std::vector<Tensor> weights, const AdamOptions& options)
    : Optimizer(std::move(weights), options.learning_rate, options.amsgrad ? 3 : 2), options_(options) {}

void AdamW::update(std::span<Slot> slots) {
  with_pointers(slots,
                [&](auto weights) { kernels::adam_step(weights, kernel(options_, learning_rate, true), steps()); });
}

double clip_gradients(const std::vector<Tensor>& weights, double limit) {
  check(limit > 0, "clip_gradients", "limit {} is not positive", limit);
  double square = 0;
  const auto each_dtype = [&](const auto& visit) {
    for (Dtype dtype : {Dtype::f32, Dtype::f64})
      dispatch_floating(dtype, "clip_gradients", [&](auto zero) {
        using T = decltype(zero);
        std::vector<kernels::WeightState<T>> found;
        for (const Tensor& weight : weights) {
          Tensor gradient = weight.grad();
          if (!gradient.defined() || gradient.dtype() != dtype) continue;
          check(gradient.contiguous(), "clip_gradients", "a gradient of shape {} is a strided view", gradient.shape());
          found.push_back({.weight = nullptr, .gradient = gradient.data<T>(), .n = gradient.numel()});
        }
        if (!found.empty()) visit(kernels::WeightStates<T>(found));
      });
  };
  each_dtype([&](auto gradients) {
    const double norm = kernels::gradient_norm(gradients);
    square += norm * norm;
  });
  const double norm = std::sqrt(square), scale = kernels::clip_scale(norm, limit);
  if (scale < 1) each_dtype([&](auto gradients) { kernels::scale_gradients(gradients, scale); });
  return norm;
}

}  // namespace heed
