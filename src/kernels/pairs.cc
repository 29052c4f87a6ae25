#include "kernels/pairs.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pairs.cc"
#include "hwy/foreach_target.h"
// After Highway's own.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {
bool has_pair_registers() { return HWY_TARGET <= HWY_AVX3; }
}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace {
HWY_EXPORT(has_pair_registers);
}

bool multiplies_pairs() {
#if HWY_ARCH_X86
  return HWY_DYNAMIC_DISPATCH(has_pair_registers)() && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

}  // namespace heed::kernels
#endif
