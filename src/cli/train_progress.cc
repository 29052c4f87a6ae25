#include "cli/train_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "base/memory_limit.h"

namespace heed::cli {
namespace {

constexpr int kBarWidth = 20;
constexpr int64_t kSamples = 2;
constexpr double kBarEvery = 0.1, kLineEvery = 5;  // seconds

bool draws_bars() {
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) && terminal && std::strcmp(terminal, "dumb") != 0;
}

std::string bar(double share) {
  const int full = static_cast<int>(std::lround(share * kBarWidth));
  std::string text;
  for (int n = 0; n < kBarWidth; ++n) text += n < full ? "█" : "░";
  return text;
}

std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

double left(const StepReport& r) { return r.share > 0 ? r.progress.seconds * (1 - r.share) / r.share : 0; }

}  // namespace

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::lround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

TrainProgress::TrainProgress() : bar_(draws_bars()) {}

void TrainProgress::begin(const RunPlan& plan) {
  const TrainingTask& task = plan.task;
  unit_ = task.unit();
  int64_t weights = 0;
  for (const auto& [name, tensor] : task.learner().weights) weights += tensor.numel();
  std::string chosen;
  for (const auto& [name, text] : plan.fields.all()) chosen += fmt::format(" {}={}", name, text);
  line(fmt::format("{}: {} with {:.2f} M weights on {}", task.name(), task.model_name(),
                   static_cast<double>(weights) / 1e6, task.data().dump()));
  line("options:" + chosen);
  line(fmt::format("memory: about {} of weights, {} of gradients and the optimizer, {} of the largest batch",
                   memory_text(plan.memory.weights), memory_text(plan.memory.optimizer),
                   memory_text(plan.memory.batch)));
  if (plan.from.step > 0)
    line(fmt::format("goes on after step {}, {} so far", plan.from.step, duration(plan.from.seconds)));
}

void TrainProgress::step(const StepReport& r) {
  const double now = seconds();
  rate_ = rate_ == 0 ? r.targets_a_second : 0.95 * rate_ + 0.05 * r.targets_a_second;
  if (now - shown_ < (bar_ ? kBarEvery : kLineEvery)) return;
  shown_ = now;
  if (!bar_)
    return line(fmt::format("step {}  epoch {}  loss {:.4f}  {:.0f} {}/s  {} left", r.progress.step,
                            r.progress.epoch + 1, r.loss, rate_, unit_, duration(left(r))));
  fmt::print(stderr, "\r\x1b[K{} {:3.0f} %  step {}  loss {:.3f}  {:.1f} k {}/s  {} left", bar(r.share), 100 * r.share,
             r.progress.step, r.loss, rate_ / 1000, unit_, duration(left(r)));
  std::fflush(stderr);
  drawn_ = true;
}

void TrainProgress::validation(const ValidationReport& r, const TrainingTask& task) {
  std::string text = fmt::format("step {}  training loss {:.4f}", r.progress.step, r.training_loss);
  for (const Measure& measure : task.measure()) text += fmt::format("  {} {:.4g}", spaced(measure.name), measure.value);
  line(text + (r.best ? "  best so far" : ""));
  for (const std::string& sample : task.samples(kSamples)) line("    " + sample);
}

void TrainProgress::trouble(const std::string& what) { line("heed: " + what); }

void TrainProgress::clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

void TrainProgress::line(const std::string& text) {
  clear();
  fmt::print(stderr, "{}\n", text);
}

}  // namespace heed::cli
