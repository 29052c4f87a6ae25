// Recurrent layers step by step, as decoders with attention go.
#pragma once

#include <heed/nn.h>

namespace heed {

// A layer whose input has two parts: one that is known of all steps beforehand, as the words of a target, and one that
// each step brings, as what it looked at. The first part's products are made for all steps at once, if there are
// several.
class SteppedLayer {
 public:
  SteppedLayer(const Recurrent& layer, const Tensor& known);  // (B,T,known width)
  const std::vector<Tensor>& read() const { return read_; }   // of each step, what `step` wants of it
  // watch: sees the gates.
  RecurrentState step(const Tensor& read, const Tensor& brought, const RecurrentState& before,
                      const Watch& watch = {}) const;

 private:
  Recurrent layer_;
  std::vector<Tensor> read_;
  Tensor of_brought_;  // columns of the input's weights; undefined: the step takes the input whole
};

}  // namespace heed
