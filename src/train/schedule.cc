// warm-up: η·(step + 1)/w; after it, with x the share of the training that is done
//   linear   η·(1 − x)                cosine  η·(1 + cos πx)/2
//   noam     η·√(w/step)              Vaswani et al. 2017, arXiv:1706.03762, whose η is 1/√(D·w)
//   plateau  η·½^(validations without a better one, in twos …)
#include "train/schedule.h"

#include <algorithm>
#include <cmath>

namespace heed {

double learning_rate(const FitOptions& options, const TrainingProgress& progress, double share) {
  const double rate = options.learning_rate, step = static_cast<double>(progress.step + 1),
               warm_up = static_cast<double>(std::max<int64_t>(1, options.warm_up));
  if (step < warm_up) return rate * step / warm_up;
  switch (options.schedule) {
    case Schedule::constant: return rate;
    case Schedule::linear: return rate * (1 - share);
    case Schedule::cosine: return rate * (1 + std::cos(M_PI * share)) / 2;
    case Schedule::noam: return rate * std::sqrt(warm_up / step);
    case Schedule::plateau: return rate * progress.rate_factor;
  }
  return rate;
}

}  // namespace heed
