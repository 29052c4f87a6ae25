// The loop of training: batches of an epoch, steps, validations, the best weights, checkpoints.
#include <heed/base.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "base/clock.h"
#include "base/threads.h"
#include "train/batches.h"
#include "train/schedule.h"

namespace heed {
namespace {

std::unique_ptr<Optimizer> make_optimizer(const FitOptions& o, const std::vector<Tensor>& weights) {
  const double rate = o.learning_rate, decay = o.weight_decay;
  switch (o.optimizer) {
    case Method::adam:
      return std::make_unique<Adam>(weights, AdamOptions{.learning_rate = rate, .weight_decay = decay});
    case Method::adamw:
      return std::make_unique<AdamW>(weights, AdamOptions{.learning_rate = rate, .weight_decay = decay});
    case Method::sgd: return std::make_unique<Sgd>(weights, SgdOptions{.learning_rate = rate, .weight_decay = decay});
    case Method::nesterov:
      return std::make_unique<Sgd>(
          weights, SgdOptions{.learning_rate = rate, .momentum = 0.9, .nesterov = true, .weight_decay = decay});
    case Method::rmsprop:
      return std::make_unique<Rmsprop>(weights, RmspropOptions{.learning_rate = rate, .weight_decay = decay});
    case Method::adagrad:
      return std::make_unique<Adagrad>(weights, AdagradOptions{.learning_rate = rate, .weight_decay = decay});
  }
  fail(ErrorKind::usage, "fit", "unknown optimizer {}", static_cast<int>(o.optimizer));
}

}  // namespace

void check_options(const FitOptions& o) {
  const auto at_least = [](int64_t value, int64_t least, const char* name) {
    check(value >= least, name, "got {}, wanted at least {}", value, least);
  };
  at_least(o.batch, 1, "batch"), at_least(o.accumulate, 1, "accumulate"), at_least(o.bad_steps, 1, "bad_steps");
  at_least(o.bucket, 1, "bucket");
  at_least(o.batch_tokens, 0, "batch_tokens"), at_least(o.steps, 0, "steps"), at_least(o.warm_up, 0, "warm_up");
  at_least(o.patience, 0, "patience"), at_least(o.validate_every, 0, "validate_every");
  at_least(o.save_every, 0, "save_every");
  check(o.learning_rate > 0, "learning_rate", "got {}, wanted more than 0", o.learning_rate);
  check(o.average >= 0 && o.average < 1, "average", "got {}, wanted 0 or more and less than 1", o.average);
  check(o.clip >= 0, "clip", "got {}, wanted 0 or more", o.clip);
  check(o.weight_decay >= 0, "weight_decay", "got {}, wanted 0 or more", o.weight_decay);
  check(o.epochs > 0 && o.minutes >= 0, "fit", "{} epochs and {} minutes: wanted some", o.epochs, o.minutes);
}

namespace {

NamedTensors cloned(const NamedTensors& tensors) {
  NamedTensors clones;
  for (const auto& [name, tensor] : tensors) clones.emplace_back(name, tensor.detach().clone());
  return clones;
}
void copy_into(const NamedTensors& to, const NamedTensors& from) {
  check(to.size() == from.size(), "fit", "a state of {} tensors for {} weights", from.size(), to.size());
  for (size_t n = 0; n < to.size(); ++n) to[n].second.detach().copy_from(from[n].second);
}

// a ← keep·a + (1 − keep)·w
void move_towards(Tensor average, const Tensor& weight, double keep) {
  float* a = average.data<float>();
  const float *w = weight.data<float>(), stays = static_cast<float>(keep);
  parallel(average.numel(), 1 << 15, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) a[i] = stays * a[i] + (1 - stays) * w[i];
  });
}

class Fitting {
 public:
  Fitting(const Learner& learner, const FitOptions& options, const FitWatchers& watchers, const TrainingState* from)
      : learner_(learner), options_(options), watchers_(watchers) {
    check_options(options);
    check(!learner.lengths.empty(), "fit", "there is nothing to learn from");

    for (const auto& [name, tensor] : learner.weights)
      if (tensor.requires_grad()) weights_.push_back(tensor);
    if (from) copy_into(learner.weights, from->weights);
    optimizer_ = make_optimizer(options, weights_);
    if (options.average > 0) average_ = cloned(learner.weights);
    if (from) go_on(*from);
    started_ = now() - progress_.seconds;
  }

  TrainingProgress run() {
    begin_epoch();
    while (!done()) {
      step();
      if (validation_is_due()) validate();
      if (saving_is_due()) save();
      if (watchers_.stop && watchers_.stop()) return save(), progress_;
    }
    if (validated_step_ != progress_.step) validate();
    save();
    copy_into(learner_.weights, best_);
    return progress_;
  }

 private:
  static double now() { return seconds(); }

  void go_on(const TrainingState& from) {
    progress_ = from.progress, random() = from.random, best_ = cloned(from.best);
    optimizer_->set_state(from.optimizer, progress_.step - progress_.skipped);
    if (options_.average > 0) copy_into(average_, from.average);
    validated_step_ = progress_.best_step;
  }

  // ---- where it stands -----------------------------------------------------------------------------------
  BatchOptions batch_options() const {
    return {.examples = options_.batch,
            .tokens = options_.batch_tokens,
            .bucket = options_.bucket,
            .packed = learner_.packed,
            .seed = static_cast<uint64_t>(options_.seed)};
  }
  void begin_epoch() { batches_ = batches_of_epoch(learner_.lengths, batch_options(), progress_.epoch); }
  double epochs_done() const {
    return static_cast<double>(progress_.epoch) +
           static_cast<double>(progress_.batch) / static_cast<double>(batches_.size());
  }
  // Of the limit that will be reached first.
  double share() const {
    double share = epochs_done() / options_.epochs;
    if (options_.steps > 0)
      share = std::max(share, static_cast<double>(progress_.step) / static_cast<double>(options_.steps));
    if (options_.minutes > 0) share = std::max(share, progress_.seconds / (60 * options_.minutes));
    return std::min(1.0, share);
  }
  bool done() const { return share() >= 1 || (options_.patience > 0 && progress_.waited >= options_.patience); }
  bool epoch_ended() const { return progress_.batch == 0; }
  bool every(int64_t steps) const { return steps > 0 ? progress_.step % steps == 0 : epoch_ended(); }
  bool validation_is_due() const { return every(options_.validate_every); }
  bool saving_is_due() const {
    return (unsaved_ && progress_.step % 10 == 0) ||
           every(options_.save_every > 0 ? options_.save_every : options_.validate_every);
  }

  // ---- a step --------------------------------------------------------------------------------------------
  std::vector<std::vector<int64_t>> next_batches() {
    std::vector<std::vector<int64_t>> next;
    for (int64_t n = 0; n < options_.accumulate && progress_.batch < static_cast<int64_t>(batches_.size()); ++n)
      next.push_back(batches_[static_cast<size_t>(progress_.batch++)]);
    return next;
  }

  double rate() const {
    return watchers_.learning_rate ? watchers_.learning_rate(progress_.step)
                                   : learning_rate(options_, progress_, share());
  }

  // The gradients of the mean over all targets of the batches; returns that mean.
  double gradients_of(const std::vector<std::vector<int64_t>>& batches, double count) {
    double sum = 0;
    for (const auto& batch : batches) {
      const Tensor loss = learner_.loss(batch);
      sum += loss.item();
      if (std::isfinite(sum)) backward(loss, {.seed = Tensor::full(loss.shape(), 1 / count, loss.dtype())});
    }
    return sum / count;
  }

  void step() {
    const double before = now();
    const auto batches = next_batches();
    double count = 0;
    for (const auto& batch : batches) count += learner_.count(batch);
    StepReport report;
    report.learning_rate = optimizer_->learning_rate = rate();
    report.loss = gradients_of(batches, count);
    report.gradient_norm = std::isfinite(report.loss)
                               ? clip_gradients(weights_, options_.clip > 0 ? options_.clip : HUGE_VAL)
                               : report.loss;
    std::isfinite(report.gradient_norm) ? take(report, count) : skip(report);
    if (progress_.batch == static_cast<int64_t>(batches_.size())) ++progress_.epoch, progress_.batch = 0, begin_epoch();
    progress_.seconds = now() - started_;
    report.targets_a_second = count / (now() - before), report.share = share(), report.progress = progress_;
    if (watchers_.on_step) watchers_.on_step(report);
    check_bad_steps(report);
  }

  void take(const StepReport& report, double count) {
    optimizer_->step();
    for (size_t n = 0; n < average_.size(); ++n)
      move_towards(average_[n].second, learner_.weights[n].second, options_.average);
    progress_.loss_sum += report.loss * count, progress_.loss_count += count;
    progress_.targets += static_cast<int64_t>(count), progress_.skipped_in_a_row = 0, ++progress_.step;
  }

  void skip(StepReport& report) {
    report.bad = std::isfinite(report.loss) ? "its gradients are not finite" : "its loss is not finite";
    zero_gradients(weights_);
    ++progress_.skipped, ++progress_.skipped_in_a_row, ++progress_.step;
  }

  void check_bad_steps(const StepReport& report) {
    if (progress_.skipped_in_a_row < options_.bad_steps) return;
    save();
    throw Error(ErrorKind::numeric, "training",
                fmt::format("{} steps in a row were skipped, the last, {}, since {}; the weights are as before them",
                            progress_.skipped_in_a_row, progress_.step, report.bad),
                "try a lower learning rate, a longer warm-up or a smaller norm to clip gradients at");
  }

  // ---- validations and checkpoints -----------------------------------------------------------------------
  void validate() {
    ValidationReport report;
    report.training_loss = progress_.loss_sum / std::max(1.0, progress_.loss_count);
    const NamedTensors trained = average_.empty() ? NamedTensors() : cloned(learner_.weights);
    if (!average_.empty()) copy_into(learner_.weights, average_);
    report.value = learner_.validate ? learner_.validate() : report.training_loss;
    report.best = best_.empty() || report.value < progress_.best;
    count_validation(report);
    report.progress = progress_;
    if (watchers_.on_validation) watchers_.on_validation(report);
    if (!average_.empty()) copy_into(learner_.weights, trained);
  }

  void count_validation(const ValidationReport& report) {
    ++progress_.validations;
    progress_.waited = report.best ? 0 : progress_.waited + 1;
    if (report.best)
      progress_.best = report.value, progress_.best_step = progress_.step, best_ = cloned(learner_.weights);
    if (progress_.waited > 0 && progress_.waited % std::max<int64_t>(1, options_.patience / 2) == 0)
      progress_.rate_factor /= 2;
    progress_.loss_sum = progress_.loss_count = 0, validated_step_ = progress_.step;
  }

  void save() {
    unsaved_ = watchers_.save &&
               !watchers_.save({learner_.weights, optimizer_->state(), average_, best_, progress_, random()});
  }

  const Learner& learner_;
  const FitOptions& options_;
  const FitWatchers& watchers_;
  std::vector<Tensor> weights_;  // without frozen ones
  std::unique_ptr<Optimizer> optimizer_;
  NamedTensors average_, best_;
  TrainingProgress progress_;
  Batches batches_;
  double started_ = 0;
  int64_t validated_step_ = -1;
  bool unsaved_ = false;
};

}  // namespace

TrainingProgress fit(const Learner& learner, const FitOptions& options, const FitWatchers& watchers,
                     const TrainingState* from) {
  return Fitting(learner, options, watchers, from).run();
}

}  // namespace heed
