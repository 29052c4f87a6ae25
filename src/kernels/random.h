// Random numbers in bulk. Number i is a function of (seed, stream, position, i) in plain arithmetic without fused steps
// or library functions, so the bits are the same on every machine, instruction set and number of threads.
#pragma once

#include <cstdint>

namespace heed::kernels {

struct RandomKey {
  uint64_t seed = 0, stream = 0, position = 0;
};

// Calls of Philox that n numbers of `bytes` bytes use: a call makes four of 4 or two of 8.
constexpr uint64_t random_calls(int64_t n, int64_t bytes) {
  const int64_t each = 16 / bytes;
  return static_cast<uint64_t>((n + each - 1) / each);
}

// Uniform in [0, 1): 24 random bits in a float, 53 in a double.
void uniform(float* out, int64_t n, const RandomKey& key);
void uniform(double* out, int64_t n, const RandomKey& key);

// Normal, mean 0, deviation 1 (Box & Muller 1958: √(−2 ln u) cos 2πv and √(−2 ln u) sin 2πv).
void normal(float* out, int64_t n, const RandomKey& key);
void normal(double* out, int64_t n, const RandomKey& key);

// Whole numbers in [low, high), high > low.
void integers(int64_t* out, int64_t n, int64_t low, int64_t high, const RandomKey& key);

// 0 … n−1 in random order (Fisher & Yates).
void permutation(int64_t* out, int64_t n, const RandomKey& key);

}  // namespace heed::kernels
