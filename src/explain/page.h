// The viewer as one HTML file: it holds what was seen, needs no network and asks for nothing.
//
// Weights travel as whole numbers of 8 bits, or of 4 or 2 where the page would else be too large; each row has a scale
// of its own, so that a weight is off by at most 1/510 (1/30, 1/6) of its row's largest. The page says which.
#pragma once

#include <string>

#include "explain/seen.h"

namespace heed::explain {

inline constexpr size_t kLargestPage = 15'000'000;  // bytes

std::string page(const Seen& seen);

}  // namespace heed::explain
