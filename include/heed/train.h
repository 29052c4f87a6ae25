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

#include <functional>
#include <memory>
#include <span>
#include <string>

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

// ---- fit: the loop that goes with them ------------------------------------------------------------------------------

enum class Method { adam, adamw, sgd, nesterov, rmsprop, adagrad };
// How the learning rate goes on after the warm-up: linear and cosine fall to 0 at the end, noam by 1/√step, plateau by
// half whenever `patience`/2 validations brought nothing.
enum class Schedule { constant, linear, cosine, noam, plateau };

// What makes no sense, as a batch below 1, is refused with its name: by fit(), and by check_options() before any data
// is read.
struct FitOptions {
  Method optimizer = Method::adam;
  double learning_rate = 0.001;
  Schedule schedule = Schedule::cosine;
  int64_t warm_up = 0;  // steps
  double weight_decay = 0;
  double clip = 1;             // common norm of the gradients; 0: none
  int64_t accumulate = 1;      // batches a step
  double average = 0;          // of weights (EMA): this much of it stays each step; 0: none
  int64_t batch = 64;          // examples a batch …
  int64_t batch_tokens = 0;    // … or, where not 0, tokens with their padding
  int64_t bucket = 10;         // batches whose examples are sorted by length together: more pads less, mixes less
  double epochs = 10;          // over the data …
  int64_t steps = 0;           // … or so many steps …
  double minutes = 0;          // … or so long; the first limit that is reached ends it
  int64_t validate_every = 0;  // steps; 0: each epoch
  int64_t patience = 0;        // validations without a better one after which training ends; 0: goes on
  int64_t save_every = 0;      // steps; 0: with each validation
  int64_t bad_steps = 5;       // in a row (NaN, infinity) after which training gives up
  int64_t seed = 1;

  void visit(auto&& field) {
    field("optimizer", optimizer, "adam, adamw, sgd, nesterov, rmsprop or adagrad");
    field("learning_rate", learning_rate, "after the warm-up");
    field("schedule", schedule, "constant, linear, cosine, noam or plateau");
    field("warm_up", warm_up, "steps over which the rate rises");
    field("weight_decay", weight_decay, "how fast weights fade");
    field("clip", clip, "common norm of the gradients at most; 0: any");
    field("accumulate", accumulate, "batches a step");
    field("average", average, "of weights, as 0.999: moves by the rest each step; 0: none");
    field("batch", batch, "examples a batch");
    field("batch_tokens", batch_tokens, "tokens a batch in place of examples; 0: examples");
    field("bucket", bucket, "batches whose examples are sorted by length together; 1: none");
    field("epochs", epochs, "times over the data at most");
    field("steps", steps, "steps at most; 0: any number");
    field("minutes", minutes, "time at most; 0: any");
    field("validate_every", validate_every, "steps between validations; 0: an epoch");
    field("patience", patience, "validations without a better one before it ends; 0: never");
    field("save_every", save_every, "steps between checkpoints; 0: with validations");
    field("bad_steps", bad_steps, "NaN or infinite steps in a row before it gives up");
    field("seed", seed, "of weights, order and dropout");
  }
};
void check_options(const FitOptions& options);

// What is trained: weights, and losses of examples by their numbers.
struct Learner {
  NamedTensors weights = {};          // those that require no gradient stay as they are
  std::vector<int64_t> lengths = {};  // of the training examples: a batch holds such of similar length …
  bool packed = false;                // … but where they share rows
  std::function<double(std::span<const int64_t> examples)> count = {};  // of what the loss is a sum over
  std::function<Tensor(std::span<const int64_t> examples)> loss = {};   // a sum, one number
  std::function<double()> validate = {};  // less is better; none: the training loss counts
};

// Where training stands; what a checkpoint keeps beside the tensors.
struct TrainingProgress {
  int64_t step = 0, epoch = 0, batch = 0;              // batches of the epoch that are done
  double seconds = 0;                                  // of training, over all sessions
  int64_t targets = 0;                                 // that losses were taken of
  double best = 0;                                     // of the validations so far
  int64_t best_step = 0, validations = 0, waited = 0;  // since the best one
  double rate_factor = 1;                              // of plateau
  int64_t skipped = 0, skipped_in_a_row = 0;           // bad steps
  double loss_sum = 0, loss_count = 0;                 // since the last validation

  void visit(auto&& field) {
    field("step", step), field("epoch", epoch), field("batch", batch), field("seconds", seconds);
    field("targets", targets), field("best", best), field("best_step", best_step), field("validations", validations);
    field("waited", waited), field("rate_factor", rate_factor), field("skipped", skipped);
    field("skipped_in_a_row", skipped_in_a_row), field("loss_sum", loss_sum), field("loss_count", loss_count);
  }
};

struct StepReport {
  TrainingProgress progress;
  double loss = 0, learning_rate = 0, gradient_norm = 0;  // the loss a target
  double targets_a_second = 0;
  double share = 0;      // of the whole training that is done
  std::string bad = {};  // why the step was skipped
};
struct ValidationReport {
  TrainingProgress progress;
  double training_loss = 0, value = 0;
  bool best = false;
};

// All that another run needs to go on, bit for bit.
struct TrainingState {
  NamedTensors weights, optimizer, average, best;
  TrainingProgress progress;
  Random random;
};

// Who looks on; each may be left out.
struct FitWatchers {
  std::function<void(const StepReport&)> on_step = {};
  std::function<void(const ValidationReport&)> on_validation = {};  // the weights are those that were validated
  std::function<bool(const TrainingState&)> save = {};              // false: it could not; asked again ten steps later
  std::function<bool()> stop = {};                                  // true: ends after this step, saved
  std::function<double(int64_t step)> learning_rate = {};           // in place of the schedule's
};

// Trains until a limit of the options is reached, and puts the best weights back. `from`: goes on from there, with the
// same options. Error(numeric) after several bad steps in a row, the weights as they were before them.
TrainingProgress fit(const Learner& learner, const FitOptions& options = {}, const FitWatchers& watchers = {},
                     const TrainingState* from = nullptr);

// ---- before training ------------------------------------------------------------------------------------------------

// Bytes, an estimate: the weights, which are there; gradients, the optimiser's state and copies of the weights; what
// the largest batch leaves on the tape. Tries the longest example, and leaves no trace.
struct MemoryNeed {
  int64_t weights = 0, optimizer = 0, batch = 0;
  int64_t more() const { return optimizer + batch; }  // than there is before training
};
MemoryNeed memory_needed(const Learner& learner, const FitOptions& options = {});

// What becomes of the loss while the learning rate grows from step to step; weights are afterwards as they were.
struct RateTestOptions {
  double least = 1e-6, most = 1;
  int64_t steps = 200;
};
struct RateTest {
  struct Point {
    double rate, loss;  // smoothed
  };
  std::vector<Point> curve;  // up to where the loss diverges
  double suggested = 0;
};
RateTest find_learning_rate(const Learner& learner, const FitOptions& options = {}, const RateTestOptions& test = {},
                            const FitWatchers& watchers = {});

}  // namespace heed
