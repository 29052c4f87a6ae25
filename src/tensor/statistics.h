// What one says of an array at first sight: its smallest and largest element, the mean, how many are NaN.
#pragma once

#include <optional>
#include <variant>

#include "tensor/encoding.h"

namespace heed {

using Number = std::variant<double, int64_t, uint64_t>;  // integers keep all their digits

// Of the elements that are not NaN; nothing where there is none.
struct Statistics {
  struct Range {
    Number min, max;
    double mean;
  };
  std::optional<Range> range;
  int64_t nan = 0;
};

// Nothing where the encoding has no order (C64) or no agreed packing (F6). `bytes` holds `count` elements.
std::optional<Statistics> statistics(Encoding encoding, const Bytes& bytes, int64_t count);

}  // namespace heed
