// The names of what configurations choose from.
#pragma once

#include <heed/nn.h>

#include <array>
#include <utility>

#include "nn/source_attention.h"

namespace heed {

template <class Value, size_t kCount>
using Names = std::array<std::pair<const char*, Value>, kCount>;

constexpr Names<Cell, 5> names_of(Cell) {
  return {{{"lstm", Cell::lstm},
           {"gru", Cell::gru},
           {"gru_reset_before", Cell::gru_reset_before},
           {"tanh", Cell::tanh},
           {"relu", Cell::relu}}};
}
constexpr Names<Around, 3> names_of(Around) {
  return {{{"everything", Around::everything}, {"local_m", Around::local_m}, {"local_p", Around::local_p}}};
}

}  // namespace heed
