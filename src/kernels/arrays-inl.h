// Arrays by vectors of any type: whole vectors, a rest that touches nothing beyond the array, stores past the caches.
#if defined(HEED_KERNELS_ARRAYS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_ARRAYS_INL_H_
#undef HEED_KERNELS_ARRAYS_INL_H_
#else
#define HEED_KERNELS_ARRAYS_INL_H_
#endif

#include <cstdint>

#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
struct AllLanes {
  using T = hn::TFromD<D>;
  static HWY_INLINE hn::Vec<D> load(const T* p) { return hn::LoadU(D(), p); }
  static HWY_INLINE void store(hn::Vec<D> v, T* p) { hn::StoreU(v, D(), p); }
};
template <class D>
struct FirstLanes {
  using T = hn::TFromD<D>;
  hn::Mask<D> mask;
  HWY_INLINE hn::Vec<D> load(const T* p) const { return hn::MaskedLoad(mask, D(), p); }
  HWY_INLINE void store(hn::Vec<D> v, T* p) const { hn::BlendedStore(v, mask, D(), p); }
};

// y[i...] = value(i, lanes) for [0, n), where value loads its operands at i through `lanes`. Streaming stores go past
// the caches; the caller fences (hwy::FlushStream) before another thread reads.
template <class D, class T, class Value>
HWY_INLINE void write_array(D d, T* y, int64_t n, bool stream, const Value& value) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const auto some = [&](int64_t i, int64_t count) HWY_ATTR {
    const FirstLanes<D> lanes{hn::FirstN(d, static_cast<size_t>(count))};
    lanes.store(value(i, lanes), y + i);
  };
  int64_t i = 0;
  if (stream) {
    const auto offset = static_cast<int64_t>(reinterpret_cast<uintptr_t>(y) / sizeof(T) % kLanes);
    i = offset == 0 ? 0 : HWY_MIN(n, kLanes - offset);
    if (i > 0) some(0, i);
    for (; i + kLanes <= n; i += kLanes) hn::Stream(value(i, AllLanes<D>()), d, y + i);
  } else {
    for (; i + kLanes <= n; i += kLanes) AllLanes<D>::store(value(i, AllLanes<D>()), y + i);
  }
  if (i < n) some(i, n - i);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#endif  // HEED_KERNELS_ARRAYS_INL_H_
