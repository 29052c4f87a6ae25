#include "kernels/panels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/panels.cc"
#include "hwy/foreach_target.h"
#include "kernels/panels-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

void PackSingle(const Factor<float>& b, int64_t depth, int64_t columns, float* panel) {
  pack_strips(b, depth, columns, panel);
}
void PackDouble(const Factor<double>& b, int64_t depth, int64_t columns, double* panel) {
  pack_strips(b, depth, columns, panel);
}

int64_t StripSingle() { return Panels<float>::kStrip; }
int64_t StripDouble() { return Panels<double>::kStrip; }

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace {

HWY_EXPORT(PackSingle);
HWY_EXPORT(PackDouble);
HWY_EXPORT(StripSingle);
HWY_EXPORT(StripDouble);

}  // namespace

template <>
int64_t strip_width<float>() {
  return HWY_DYNAMIC_DISPATCH(StripSingle)();
}
template <>
int64_t strip_width<double>() {
  return HWY_DYNAMIC_DISPATCH(StripDouble)();
}

void pack_panel(const Factor<float>& b, int64_t depth, int64_t columns, float* panel) {
  HWY_DYNAMIC_DISPATCH(PackSingle)(b, depth, columns, panel);
}
void pack_panel(const Factor<double>& b, int64_t depth, int64_t columns, double* panel) {
  HWY_DYNAMIC_DISPATCH(PackDouble)(b, depth, columns, panel);
}

}  // namespace heed::kernels
#endif
