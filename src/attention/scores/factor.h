// A factor of the scores: a number, or learned: one number, or one a head (H).
#pragma once

#include <heed/ops.h>

namespace heed::attention {

class Factor {
 public:
  Factor(const char* who, double value);  // Error where it is 0 or not finite
  explicit Factor(Tensor learned) : learned_(std::move(learned)) {}
  Tensor times(const Tensor& x, int64_t heads) const;  // x: (B,H,T,D)
  double of(int64_t head) const;

 private:
  double value_ = 1;
  Tensor learned_;
};

}  // namespace heed::attention
