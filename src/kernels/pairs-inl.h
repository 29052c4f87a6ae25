// Products and roundings of bf16 pairs, by avx512_bf16. Highway 1.0.3 has no such operations, so they are written as
// instructions; where the processor lacks them (multiplies_pairs), nobody may come here.
#if defined(HEED_KERNELS_PAIRS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_PAIRS_INL_H_
#undef HEED_KERNELS_PAIRS_INL_H_
#else
#define HEED_KERNELS_PAIRS_INL_H_
#endif

#include "hwy/highway.h"
#include "kernels/pairs.h"

// Whether this instruction set can hold the code at all.
#undef HEED_HAS_PAIRS
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86
#define HEED_HAS_PAIRS 1
#else
#define HEED_HAS_PAIRS 0
#endif

#if HEED_HAS_PAIRS
HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using PairVector = hn::Vec<hn::ScalableTag<float>>;  // 16 pairs, or 16 sums

// sum + Σ of both products of each pair.
HWY_INLINE PairVector add_pair_products(PairVector a, PairVector b, PairVector sum) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
  return sum;
}

// To the nearest bf16, of two equally near to the even one.
HWY_INLINE void store_rounded(PairVector x, uint16_t* to) {
  __m256i rounded;
  asm("vcvtneps2bf16 %1, %0" : "=v"(rounded) : "v"(x.raw));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), rounded);
}

// 32 numbers in order: 16 pairs.
HWY_INLINE PairVector pairs_in_order(PairVector first, PairVector second) {
  PairVector pairs;
  asm("vcvtne2ps2bf16 %2, %1, %0" : "=v"(pairs.raw) : "v"(second.raw), "v"(first.raw));
  return pairs;
}
// Of 16 numbers and the 16 below them, those above each other.
HWY_INLINE PairVector pairs_of_rows(PairVector row, PairVector below) {
  const hn::ScalableTag<uint32_t> d;
  const auto low = hn::Iota(d, 0);
  const auto order = hn::Or(low, hn::ShiftLeft<16>(hn::Add(low, hn::Set(d, 16))));
  const auto both = hn::BitCast(d, pairs_in_order(row, below));
  return hn::BitCast(hn::ScalableTag<float>(), decltype(both){_mm512_permutexvar_epi16(order.raw, both.raw)});
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();
#endif

#endif  // HEED_KERNELS_PAIRS_INL_H_
