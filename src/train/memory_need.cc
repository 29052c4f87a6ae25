// What training will take beside the weights, before it takes it: gradients, the optimiser's state, the best weights,
// averages, and what the largest batch leaves on the tape. The last is tried on one and on two examples, as long as
// any, and grows with the examples of a batch.
#include <heed/base.h>
#include <heed/train.h>

#include <algorithm>

#include "base/check.h"

namespace heed {
namespace {

int64_t states_of(Method optimizer) {
  switch (optimizer) {
    case Method::adam:
    case Method::adamw: return 2;
    case Method::nesterov:
    case Method::rmsprop:
    case Method::adagrad: return 1;
    case Method::sgd: break;
  }
  return 0;
}

int64_t bytes_of(const NamedTensors& weights, bool learned) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : weights)
    if (!learned || tensor.requires_grad()) bytes += tensor.numel() * static_cast<int64_t>(size_of(tensor.dtype()));
  return bytes;
}

// Bytes at most beside what there is, of a step with these examples; the gradients go again.
int64_t tried(const Learner& learner, std::span<const int64_t> examples) {
  const Random before = random();
  reset_memory_peak();
  const int64_t held = memory_use().in_use;
  const Tensor loss = learner.loss(examples);
  backward(loss, {.seed = Tensor::full(loss.shape(), 1, loss.dtype())});
  const int64_t most = memory_use().peak - held;
  for (const auto& [name, tensor] : learner.weights)
    if (tensor.requires_grad()) Tensor(tensor).zero_grad();
  random() = before;
  return most;
}

}  // namespace

MemoryNeed memory_needed(const Learner& learner, const FitOptions& options) {
  const int64_t weights = bytes_of(learner.weights, false), learned = bytes_of(learner.weights, true);
  check(!learner.lengths.empty(), "memory_needed", "there is nothing to learn from");
  const auto longest = std::max_element(learner.lengths.begin(), learner.lengths.end());
  const std::vector<int64_t> two(2, longest - learner.lengths.begin());
  const int64_t one = tried(learner, std::span(two).first(1)), both = tried(learner, two);
  const int64_t by_tokens = options.batch_tokens / std::max<int64_t>(1, *longest);
  const int64_t examples = std::min(options.batch_tokens > 0 ? std::max<int64_t>(1, by_tokens) : options.batch,
                                    static_cast<int64_t>(learner.lengths.size()));
  const int64_t each = std::max<int64_t>(0, both - one), fixed = std::max<int64_t>(0, one - each - learned);
  return {.weights = weights,
          .optimizer = learned * (1 + states_of(options.optimizer)) + weights * (options.average > 0 ? 3 : 1),
          .batch = fixed + examples * each};
}

}  // namespace heed
