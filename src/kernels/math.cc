#include "kernels/math.h"

#include "base/runtime.h"
#include "base/threads.h"
#include "kernels/streaming.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/math.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/arrays-inl.h"
#include "kernels/unary-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

template <class T>
void map_part(Unary function, const T* x, T* y, int64_t n, double parameter, bool stream) {
  with_function(function, parameter, [&](auto f) HWY_ATTR {
    const hn::ScalableTag<T> d;
    write_array(d, y, n, stream, [&](int64_t i, auto lanes) HWY_ATTR { return f.value(d, lanes.load(x + i)); });
  });
  if (stream) hwy::FlushStream();
}

void map_floats(Unary function, const float* x, float* y, int64_t n, double parameter, bool stream) {
  map_part(function, x, y, n, parameter, stream);
}
void map_doubles(Unary function, const double* x, double* y, int64_t n, double parameter, bool stream) {
  map_part(function, x, y, n, parameter, stream);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace {

HWY_EXPORT(map_floats);
HWY_EXPORT(map_doubles);
constexpr int64_t kGrain = 8192;  // elements worth a thread

}  // namespace

template <class T>
void map(Unary function, const T* x, T* y, int64_t n, double parameter) {
  start_runtime();
  const bool stream = streams(y, n, x == y);
  parallel(n, kGrain, [&](int64_t begin, int64_t end) {
    if constexpr (sizeof(T) == 4) {
      HWY_DYNAMIC_DISPATCH(map_floats)(function, x + begin, y + begin, end - begin, parameter, stream);
    } else {
      HWY_DYNAMIC_DISPATCH(map_doubles)(function, x + begin, y + begin, end - begin, parameter, stream);
    }
  });
}

template void map(Unary, const float*, float*, int64_t, double);
template void map(Unary, const double*, double*, int64_t, double);

const char* name(Unary function) {
  constexpr const char* kNames[kUnaryCount] = {
      "exp",  "exp2",    "log", "sqrt", "rsqrt",     "square", "reciprocal", "sin",  "cos",
      "tanh", "sigmoid", "erf", "gelu", "gelu_tanh", "silu",   "softplus",   "relu", "leaky_relu",
      "elu",  "neg",     "abs", "sign", "floor",     "ceil",   "round"};
  return kNames[static_cast<int>(function)];
}

}  // namespace heed::kernels
#endif  // HWY_ONCE
