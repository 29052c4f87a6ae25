// Training: optimisers that step over all weights at once, and clipping.
//
//   heed::Linear model(2, 1);
//   heed::Adam optimizer(heed::weights(model), {.learning_rate = 0.01});
//   for (int step = 0; step < 100; ++step) {
//     heed::Tensor x = heed::randn({16, 2});
//     heed::backward(heed::mse_loss(model(x), heed::sum(x, {1}, true)));
//     heed::clip_gradients(heed::weights(model), 1.0);
//     optimizer.step();                                          // and forgets the gradients
//   }
#pragma once

#include <heed/nn.h>

#include <memory>

namespace heed {

// Where PyTorch and Keras differ (places of epsilon, bias correction, accumulators), a step follows one of them
// exactly.
enum class Convention { pytorch, keras };

struct SgdOptions {
  double learning_rate = 0.01;
  double momentum = 0;
  double dampening = 0;
  bool nesterov = false;
  double weight_decay = 0;
  Convention convention = Convention::pytorch;
};
struct RmspropOptions {
  double learning_rate = 0.01;
  double decay = 0.99;  // of the mean square; Keras' default is 0.9
  double momentum = 0;
  bool centered = false;
  double epsilon = 1e-8;
  double weight_decay = 0;
  Convention convention = Convention::pytorch;
};
struct AdagradOptions {
  double learning_rate = 0.01;
  double initial = 0;  // of the accumulator; Keras' default is 0.1
  double rate_decay = 0;
  double epsilon = 1e-10;
  double weight_decay = 0;
  Convention convention = Convention::pytorch;
};
struct AdamOptions {
  double learning_rate = 0.001;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;    // Keras' default is 1e-7
  double weight_decay = 0;  // Adam: added to the gradient; AdamW: taken off the weight
  bool amsgrad = false;
  Convention convention = Convention::pytorch;
};
// What all optimisers share: the weights, their state, and one step over all of them.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // One step for every weight that has a gradient, which it then forgets (keep_gradients: it does not).
  void step(bool keep_gradients = false);
  int64_t steps() const { return steps_; }

  double learning_rate = 0;

  // The state as tensors, named after the weights' numbers: for checkpoints.
  NamedTensors state() const;
  void set_state(const NamedTensors& state, int64_t steps);

 protected:
  struct Slot {
    Tensor weight;
    std::vector<Tensor> state;
  };
  Optimizer(std::vector<Tensor> weights, double learning_rate, int states, double initial = 0);
  // One step over the slots whose weights have gradients; all of one dtype. steps() counts from 1.
  virtual void update(std::span<Slot> slots) = 0;

 private:
  std::vector<Slot> slots_;
  int64_t steps_ = 0;
};

class Sgd final : public Optimizer {
 public:
  explicit Sgd(std::vector<Tensor> weights, const SgdOptions& options = {});

 private:
  void update(std::span<Slot> slots) override;
  SgdOptions options_;
};

class Rmsprop final : public Optimizer {
 public:
  explicit Rmsprop(std::vector<Tensor> weights, const RmspropOptions& options = {});

 private:
  void update(std::span<Slot> slots) override;
  RmspropOptions options_;
};

class Adagrad final : public Optimizer {
 public:
  explicit Adagrad(std::vector<Tensor> weights, const AdagradOptions& options = {});

 private:
  void update(std::span<Slot> slots) override;
  AdagradOptions options_;
};

class Adam final : public Optimizer {
 public:
  explicit Adam(std::vector<Tensor> weights, const AdamOptions& options = {});

 private:
  void update(std::span<Slot> slots) override;
  AdamOptions options_;
};

class AdamW final : public Optimizer {
 public:
  explicit AdamW(std::vector<Tensor> weights, const AdamOptions& options = {.weight_decay = 0.01});

 private:
  void update(std::span<Slot> slots) override;
  AdamOptions options_;
};

// Scales all gradients so that their common norm is at most `limit`; returns the norm before.
double clip_gradients(const std::vector<Tensor>& weights, double limit);

}  // namespace heed
