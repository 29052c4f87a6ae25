// The viewer as one HTML file: it holds what was seen, needs no network and asks for nothing; or as a server gives it
// out.
//
// Weights travel as whole numbers of 8 bits, or of 4 or 2 where the page would else be too large; each row has a scale
// of its own, so that a weight is off by at most 1/510 (1/30, 1/6) of its row's largest, and by twice that where
// weights have a sign. The page says which.
#pragma once

#include <string>

#include "explain/seen.h"

namespace heed::explain {

inline constexpr size_t kLargestPage = 15'000'000;  // bytes

std::string page(const Seen& seen);

// The page of a server, which asks it for models, for what they look at, and for how their training goes. Scripts and
// style carry kNonce, to be replaced by what the answer's Content-Security-Policy names.
inline constexpr const char* kNonce = "{nonce}";
std::string served_page();

}  // namespace heed::explain
