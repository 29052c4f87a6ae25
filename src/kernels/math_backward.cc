#include "base/runtime.h"
#include "base/threads.h"
#include "kernels/math.h"
#include "kernels/streaming.h"

#ifndef HEED_KERNELS_MATH_BACKWARD_CC_
#define HEED_KERNELS_MATH_BACKWARD_CC_
namespace heed::kernels {

// dx = f'(x) dy over one part of the arrays.
template <class T>
struct Gradient {
  Unary function;
  double parameter;
  const T *x, *y, *dy;
  T* dx;
  bool stream;
};

}  // namespace heed::kernels
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/math_backward.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/arrays-inl.h"
#include "kernels/unary-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

template <class T>
void backward_part(const Gradient<T>& g, int64_t begin, int64_t end) {
  with_function(g.function, g.parameter, [&](auto f) HWY_ATTR {
    const hn::ScalableTag<T> d;
    write_array(d, g.dx + begin, end - begin, g.stream, [&](int64_t i, auto lanes) HWY_ATTR {
      auto x = hn::Zero(d), y = hn::Zero(d);
      if constexpr (decltype(f)::kNeedsInput) x = lanes.load(g.x + begin + i);
      if constexpr (decltype(f)::kNeedsOutput) y = lanes.load(g.y + begin + i);
      return f.gradient(d, x, y, lanes.load(g.dy + begin + i));
    });
  });
  if (g.stream) hwy::FlushStream();
}

void backward_floats(const Gradient<float>& g, int64_t begin, int64_t end) { backward_part(g, begin, end); }
void backward_doubles(const Gradient<double>& g, int64_t begin, int64_t end) { backward_part(g, begin, end); }

template <bool kInput>
bool needs(Unary function) {
  bool needed = false;
  with_function(function, 0, [&](auto f) { needed = kInput ? decltype(f)::kNeedsInput : decltype(f)::kNeedsOutput; });
  return needed;
}
bool needs_input(Unary function) { return needs<true>(function); }
bool needs_output(Unary function) { return needs<false>(function); }

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace {

HWY_EXPORT(backward_floats);
HWY_EXPORT(backward_doubles);
HWY_EXPORT(needs_input);
HWY_EXPORT(needs_output);
constexpr int64_t kGrain = 8192;  // elements worth a thread

}  // namespace

bool gradient_needs_input(Unary function) { return HWY_DYNAMIC_DISPATCH(needs_input)(function); }
bool gradient_needs_output(Unary function) { return HWY_DYNAMIC_DISPATCH(needs_output)(function); }

template <class T>
void map_backward(Unary function, const T* x, const T* y, const T* dy, T* dx, int64_t n, double parameter) {
  start_runtime();
  const bool in_place = dx == x || dx == y || dx == dy;
  const Gradient<T> g{function, parameter, x, y, dy, dx, streams(dx, n, in_place)};
  parallel(n, kGrain, [&](int64_t begin, int64_t end) {
    if constexpr (sizeof(T) == 4) {
      HWY_DYNAMIC_DISPATCH(backward_floats)(g, begin, end);
    } else {
      HWY_DYNAMIC_DISPATCH(backward_doubles)(g, begin, end);
    }
  });
}

template void map_backward(Unary, const float*, const float*, const float*, float*, int64_t, double);
template void map_backward(Unary, const double*, const double*, const double*, double*, int64_t, double);

}  // namespace heed::kernels
#endif  // HWY_ONCE
