// The range test of the learning rate: it grows from step to step, and what becomes of the loss says how far it may go.
//                                                                                 Smith 2017, arXiv:1506.01186
//   η_t = η_0 (η_n/η_0)^(t/n)
//   m_t = β m_{t−1} + (1 − β) l_t,  drawn is m_t/(1 − β^t)
// Ends where the smoothed loss is not finite or far above its least; suggested is a tenth of the rate of the least.
#include <heed/train.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace heed {
namespace {

constexpr double kSmooth = 0.95;   // β
constexpr double kDiverged = 2;    // times the least …
constexpr int64_t kSettling = 20;  // … after so many steps

// The weights and the random numbers as they were, once more.
class AsBefore {
 public:
  explicit AsBefore(const NamedTensors& weights) : weights_(weights), random_(random()) {
    for (const auto& [name, tensor] : weights) copies_.push_back(tensor.detach().clone());
  }
  ~AsBefore() {
    for (size_t n = 0; n < copies_.size(); ++n) weights_[n].second.detach().copy_from(copies_[n]);
    random() = random_;
  }
  AsBefore(const AsBefore&) = delete;
  AsBefore& operator=(const AsBefore&) = delete;

 private:
  NamedTensors weights_;
  std::vector<Tensor> copies_;
  Random random_;
};

bool less_loss(const RateTest::Point& a, const RateTest::Point& b) { return a.loss < b.loss; }

bool diverged(const std::vector<RateTest::Point>& curve) {
  if (curve.empty()) return false;
  const double least = std::min_element(curve.begin(), curve.end(), less_loss)->loss, last = curve.back().loss;
  return !std::isfinite(last) || (static_cast<int64_t>(curve.size()) > kSettling && last > kDiverged * least);
}

FitOptions of_test(FitOptions options, const RateTestOptions& test) {
  options.steps = test.steps, options.validate_every = test.steps + 1, options.bad_steps = test.steps + 1;
  options.epochs = std::numeric_limits<double>::max(), options.minutes = 0, options.patience = 0, options.average = 0;
  return options;
}

}  // namespace

RateTest find_learning_rate(const Learner& learner, const FitOptions& options, const RateTestOptions& test,
                            const FitWatchers& watchers) {
  check(test.least > 0 && test.most > test.least && test.steps > 1, "find_learning_rate",
        "{} to {} in {} steps: wanted rates above 0 that grow", test.least, test.most, test.steps);
  const AsBefore scope(learner.weights);
  Learner unvalidated = learner;
  unvalidated.validate = nullptr;
  RateTest found;
  double mean = 0;
  fit(unvalidated, of_test(options, test),
      {.on_step =
           [&](const StepReport& report) {
             mean = kSmooth * mean + (1 - kSmooth) * report.loss;
             const double settled = 1 - std::pow(kSmooth, static_cast<double>(found.curve.size() + 1));
             found.curve.push_back({report.learning_rate, mean / settled});
             if (watchers.on_step) watchers.on_step(report);
           },
       .stop = [&] { return diverged(found.curve) || (watchers.stop && watchers.stop()); },
       .learning_rate =
           [&](int64_t step) {
             const double share = static_cast<double>(step) / static_cast<double>(test.steps - 1);
             return test.least * std::pow(test.most / test.least, share);
           }});
  while (!found.curve.empty() && !std::isfinite(found.curve.back().loss)) found.curve.pop_back();
  if (found.curve.empty())
    throw Error(ErrorKind::numeric, "find_learning_rate", "the loss of the first step is not finite");
  found.suggested = std::min_element(found.curve.begin(), found.curve.end(), less_loss)->rate / 10;
  return found;
}

}  // namespace heed
