// What chance gives a line: it depends on (seed, line) alone.
#pragma once

#include <cstdint>
#include <iterator>

#include "base/philox.h"

namespace heed::data {

class Draw {
 public:
  Draw(uint64_t seed, int64_t line) : seed_(seed), line_(static_cast<uint64_t>(line)) {}

  int64_t below(int64_t n) {  // in [0, n)
    const PhiloxWords words = philox(seed_, line_, position_++);
    const uint64_t word = uint64_t{words[1]} << 32 | words[0];
    return static_cast<int64_t>(static_cast<unsigned __int128>(word) * static_cast<uint64_t>(n) >> 64);
  }
  int64_t between(int64_t least, int64_t most) { return least + below(most - least + 1); }
  bool once_in(int64_t n) { return below(n) == 0; }
  template <class List>
  const auto& one_of(const List& list) {
    return *std::next(std::begin(list), below(static_cast<int64_t>(std::size(list))));
  }

 private:
  uint64_t seed_, line_, position_ = 0;
};

}  // namespace heed::data
