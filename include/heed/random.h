// Random numbers: counter-based, so that the same seed gives the same bits on every machine and with any number of
// threads.
//
//   heed::seed(1);
//   heed::Tensor noise = heed::randn({2, 3});
//   heed::Tensor again = heed::randn({2, 3}, heed::Random{.seed = 1});   // the same numbers
#pragma once

#include <heed/tensor.h>

namespace heed {

// A place in the sequence (seed, stream): a value. Taking numbers moves `position` forward.
struct Random {
  uint64_t seed = 0;
  uint64_t stream = 0;
  uint64_t position = 0;  // in calls of Philox, four 32-bit words each

  // Reserves `calls` calls and returns where they begin.
  Random take(uint64_t calls) {
    Random here = *this;
    position += calls;
    return here;
  }
};

Random& random();           // the calling thread's own; what functions use that are handed none
void seed(uint64_t value);  // random() = {value, 0, 0}

Tensor rand(const Shape& shape, Random& from = random(), Dtype dtype = Dtype::f32);   // uniform in [0, 1)
Tensor randn(const Shape& shape, Random& from = random(), Dtype dtype = Dtype::f32);  // normal, mean 0, deviation 1
Tensor randn(const Shape& shape, Random&& from, Dtype dtype = Dtype::f32);
Tensor randint(int64_t low, int64_t high, const Shape& shape, Random& from = random());  // i64 in [low, high)
Tensor permutation(int64_t n, Random& from = random());                                  // i64, 0 to n-1 shuffled

}  // namespace heed
