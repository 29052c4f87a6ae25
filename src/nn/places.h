// Which places of padded sentences hold words.
#pragma once

#include <heed/ops.h>

namespace heed {

// Boolean (B,longest): true before the end of each sentence. lengths i64 (B).
inline Tensor within(const Tensor& lengths, int64_t longest) {
  return less(unsqueeze(arange(longest), 0), unsqueeze(lengths, 1));
}
// The same as 1 and 0 in f32.
inline Tensor places(const Tensor& lengths, int64_t longest) { return to(within(lengths, longest), Dtype::f32); }

}  // namespace heed
