// What a block of queries is handed: one head, its keys packed or as they are.
#pragma once

#include "attention/engine/problem.h"

namespace heed::attention {

inline constexpr int64_t kKeyBlock = 128;  // keys between two products with the values
inline constexpr double kHeadroom = 24;    // in log 2: sums of such weights stay far from overflow

// One head with its keys packed in panels of 64, and where they are wide its values in strips.
template <class T>
struct Head {
  const Problem<T>* problem;
  const Outputs<T>* outputs;
  int64_t b, h;
  const Unit<T>*key_panels, *value_strips;  // the second null where values are read as they are
  const uint8_t* exponentials;              // whether a panel holds exponentials, see added-inl.h
};

// Few queries against keys as they are: their packing would cost more than it brings.
template <class T>
void decode(const Problem<T>& problem, const Outputs<T>& outputs);

}  // namespace heed::attention
