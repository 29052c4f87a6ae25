// A convolution over time of which one half of the channels opens and closes the other.
#pragma once

#include <heed/nn.h>

namespace heed {

// y = a∘σ(b), [a; b] = conv(x); its weight is gain·v/‖v‖ for each channel.
// Dauphin et al. 2016, arXiv:1612.08083; Salimans & Kingma 2016, arXiv:1602.07868
struct GatedConvolution {
  Tensor direction, gain, bias;  // v (2·width, width, kernel), (2·width), (2·width)

  // So initialised that the variance stays, also where inputs are dropped (Gehring et al. 2017, §3.5).
  GatedConvolution(int64_t width, int64_t kernel, double dropout);
  // (B, T + kernel − 1, width) -> (B, T, width); the gates σ(b) likewise.
  Tensor operator()(const Tensor& x, const Watch& gates = {}) const;
  void visit(auto&& field) { field("direction", direction), field("gain", gain), field("bias", bias); }
};

}  // namespace heed
