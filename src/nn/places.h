// Which places of padded sentences hold words.
#pragma once

#include <heed/ops.h>

namespace heed {

// f32 (B,longest): 1 before the end of each sentence, 0 from there on. lengths i64 (B).
inline Tensor places(const Tensor& lengths, int64_t longest) {
  return to(less(unsqueeze(arange(longest), 0), unsqueeze(lengths, 1)), Dtype::f32);
}

}  // namespace heed
