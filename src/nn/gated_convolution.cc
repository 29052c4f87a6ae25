#include "nn/gated_convolution.h"

#include <cmath>

#include "base/check.h"

namespace heed {

static Tensor lengths_of(const Tensor& direction) { return norm(direction, 2, {1, 2}, true); }

GatedConvolution::GatedConvolution(int64_t width, int64_t kernel, double dropout) {
  check(kernel >= 1, "kernel", "got {}, wanted one or more", kernel);
  direction = weight({2 * width, width, kernel}), gain = weight({2 * width}), bias = weight({2 * width});
  initialize::normal(direction, 0, std::sqrt(4 * (1 - dropout) / static_cast<double>(kernel * width)));
  gain.copy_from(lengths_of(direction.detach()).squeeze(2).squeeze(1));
}

Tensor GatedConvolution::operator()(const Tensor& x, const Watch& gates) const {
  const Tensor filters = direction * (reshape(gain, {-1, 1, 1}) / lengths_of(direction));
  const std::vector<Tensor> halves = chunk(conv1d(transpose(x), filters, bias), 2, 1);
  const Tensor opened = sigmoid(halves[1]);
  return transpose(halves[0] * (gates.watcher ? transpose(gates.shown(transpose(opened))) : opened));
}

}  // namespace heed
