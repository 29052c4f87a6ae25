// Dropout with inverted scaling (Srivastava et al., 2014): y = x / (1 - p) where kept, 0 where dropped. No mask is
// stored: it is a function of (seed, stream, position), and backward computes it again.
//
// Decision of element i: with block b = i / 128, e = i mod 128, the four words of
//   philox(seed, stream, position + 16 b + e mod 16)
// hold eight decisions of 16 bits. Word e / 32, its low half where e mod 32 < 16, else its high half; the element is
// dropped where that half is less than round(65536 p). So one call of the generator serves eight elements, sixteen
// calls side by side fill the lanes of a register, and the bits are the same on every instruction set.
#pragma once

#include <cstdint>

namespace heed::kernels {

struct DropoutKey {
  uint64_t seed = 0, stream = 0, position = 0;
};

// Positions that n elements use up: the next call that must not repeat decisions starts at position + this.
inline constexpr int64_t dropout_positions(int64_t n) { return (n + 127) / 128 * 16; }

// out may be x. 0 <= p <= 1; with p = 1 all is zero.
void dropout(const float* x, float* out, int64_t n, double p, DropoutKey key);
void dropout(const double* x, double* out, int64_t n, double p, DropoutKey key);

// The decisions themselves, a bit an element that is kept: `count` blocks of 128 elements, each `step` blocks after the
// one before, the first being number `block`. keep: [count][2], the low bits first.
void dropout_bits(const DropoutKey& key, double p, int64_t block, int64_t step, int64_t count, uint64_t* keep);

// dx = dy * mask / (1 - p): d(x m / (1 - p))/dx, the same function of dy. Writes dx; dx may be dy.
template <class T>
void dropout_backward(const T* dy, T* dx, int64_t n, double p, DropoutKey key) {
  dropout(dy, dx, n, p, key);
}

}  // namespace heed::kernels
