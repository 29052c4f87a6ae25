// Attention over the layers of one text, and of another that looks at the last of them.
#pragma once

#include <heed/tensor.h>

#include <vector>

namespace heed::explain {

// attention_rollout and attention_flow over layers (H,S,S), and from what looks at the last one, top (H,T,S): (T,S).
Tensor rollout_from(const Tensor& top, const std::vector<Tensor>& layers);
Tensor flow_from(const Tensor& top, const std::vector<Tensor>& layers);

}  // namespace heed::explain
