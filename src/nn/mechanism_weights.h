// The learned tensors of a mechanism as a layer begins with them.
#pragma once

#include <heed/nn.h>

#include "attention/mechanisms.h"

namespace heed {

// Those of `sizes`; inner: the width of small networks within, 0 for that of examples.
attention::LearnedTensors initial_tensors(const attention::Mechanism& mechanism, const attention::Sizes& sizes,
                                          int64_t inner = 0);

}  // namespace heed
