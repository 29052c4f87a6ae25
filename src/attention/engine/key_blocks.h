// What the backward pass of a group is cut into.
#pragma once

#include <vector>

#include "attention/engine/problem.h"

namespace heed::attention {

inline constexpr int64_t kBackwardKeys = 128;  // whose gradients stay in the second cache

// The keys [begin, end) of one group, with all queries of its heads.
template <class T>
struct BackwardItem {
  const Problem<T>* problem;
  const Incoming<T>* incoming;
  const Outgoing<Number<T>>* outgoing;
  int64_t b, g;
  Interval keys;
  Rows<Number<T>> dq;
  std::vector<Rows<Number<T>>> dbiases;
  int64_t chunk;  // which one of the group's
  Number<T>* dcentres;
};

}  // namespace heed::attention
