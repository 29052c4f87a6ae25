// A number of a counter-based sequence.
#pragma once

#include <heed/tensor.h>

#include "base/philox.h"

namespace heed::tokenize {

inline double uniform(Random& from) {  // in [0, 1)
  const Random at = from.take(1);
  return philox(at.seed, at.stream, at.position)[0] * 0x1p-32;
}

}  // namespace heed::tokenize
