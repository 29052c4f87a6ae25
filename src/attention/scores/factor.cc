#include "attention/scores/factor.h"

#include <cmath>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {

Factor::Factor(const char* who, double value) : value_(value) {
  check(std::isfinite(value) && value != 0, who, "a scale of {}: wanted a finite number other than 0", value);
}

Tensor Factor::times(const Tensor& x, int64_t heads) const {
  if (!learned_.defined()) return x * value_;
  check(learned_.numel() == 1 || learned_.shape() == Shape{heads}, "attend",
        "the scale has shape {}, wanted one number or one for each of {} heads", learned_.shape(), heads);
  check(learned_.dtype() == x.dtype(), "attend", "the scale is {}, q is {}", name(learned_.dtype()), name(x.dtype()));
  return x * reshape(learned_, {learned_.numel(), 1, 1});
}

double Factor::of(int64_t head) const {
  return learned_.defined() ? learned_.values()[static_cast<size_t>(learned_.numel() == 1 ? 0 : head)] : value_;
}

}  // namespace heed::attention
