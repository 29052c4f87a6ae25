// How far a step turns each pair of columns of rope, stretched as RopeScaling says.
#pragma once

#include <heed/attention.h>

#include <vector>

namespace heed::attention {

struct Frequencies {
  std::vector<double> turns;  // radians a place, for each pair of columns
  double amplitude = 1;       // of cosine and sine
};
// `width` columns, `length` places in use.
Frequencies frequencies(const RopeOptions& options, int64_t width, int64_t length);

// Error where the options make no sense, whatever q and k are.
void check_frequencies(const RopeOptions& options);

}  // namespace heed::attention
