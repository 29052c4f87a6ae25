// bf16 in pairs: two neighbours along the depth of a product in 32 bits, the first in the low half. A pair is what the
// tile reads in place of a number; a product of two pairs adds two products to a sum in f32.
#pragma once

namespace heed::kernels {

struct Bf16Pair {
  float bits;  // never read as a number
};

// Whether this processor multiplies pairs, with the instruction set in use (avx512_bf16).
bool multiplies_pairs();

}  // namespace heed::kernels
