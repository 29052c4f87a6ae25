// What the absolute positions share: a table of vectors, a row a place, added to q and k.
#pragma once

#include <functional>

#include "attention/slots.h"

namespace heed::attention {

// The places from the first to the last that a query or a key stands at: max(S, T) of them.
int64_t places(const Sizes& n);
// q_i += table[i'], k_j += table[j]: rows counted from the first place in use.
void add_places(Pipeline& p, const Tensor& table);
// The same in double; row(place) is the table's.
void add_places(Plain& x, const std::function<double(int64_t place, int64_t column)>& table);

}  // namespace heed::attention
