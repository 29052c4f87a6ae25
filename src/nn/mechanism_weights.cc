#include "nn/mechanism_weights.h"

#include <cmath>

namespace heed {
namespace {

// As the row says, or like any weight of that shape: matrices by Glorot, vectors with a variance of 1/n.
void begin(Tensor tensor, const attention::Learned& learned, const attention::Sizes& sizes) {
  if (learned.start) {
    float* x = tensor.data<float>();
    for (int64_t i = 0; i < tensor.numel(); ++i) x[i] = static_cast<float>(learned.start(sizes, i));
  } else if (tensor.rank() >= 2) {
    initialize::glorot_uniform(tensor);
  } else {
    const double limit = std::sqrt(3 / static_cast<double>(tensor.numel()));
    initialize::uniform(tensor, -limit, limit);
  }
}

}  // namespace

attention::LearnedTensors initial_tensors(const attention::Mechanism& mechanism, const attention::Sizes& sizes,
                                          int64_t inner) {
  attention::LearnedTensors tensors;
  for (const attention::Learned& learned : mechanism.learned) {
    Tensor tensor = weight(attention::filled(learned.shape(sizes), inner));
    begin(tensor.detach(), learned, sizes);
    tensors[learned.name] = tensor;
  }
  return tensors;
}

}  // namespace heed
