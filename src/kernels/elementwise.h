// Two arrays in, one out, element by element, with broadcasting. Results beyond the caches are written past them.
// T is float or double where nothing else is said. `out` may be an input that is not broadcast.
#pragma once

#include "kernels/strides.h"

namespace heed::kernels {

enum class Binary { add, subtract, multiply, divide, minimum, maximum, power };
enum class Compare { equal, not_equal, less, less_equal, greater, greater_equal };
enum class Logical { both, either, one };

// out = a op b; minimum and maximum of a NaN are NaN.
template <class T>
void binary(Binary op, const Strides<2>& strides, const T* a, const T* b, T* out);

// out = a op b ? 1 : 0; also for int64_t, int32_t, uint8_t. Comparisons with NaN are false, but for not_equal.
template <class T>
void compare(Compare op, const Strides<2>& strides, const T* a, const T* b, bool* out);

void logical(Logical op, const Strides<2>& strides, const bool* a, const bool* b, bool* out);
void logical_not(const bool* x, bool* out, int64_t n);

// out = condition ? a : b; strides of condition, a, b. Any T of 1, 2, 4 or 8 bytes.
template <class T>
void choose(const Strides<3>& strides, const bool* condition, const T* a, const T* b, T* out);

// out = min(max(x, low), high).
template <class T>
void clamp(const T* x, T* out, int64_t n, double low, double high);
// dx = low <= x <= high ? dy : 0.
template <class T>
void clamp_backward(const T* x, const T* dy, T* dx, int64_t n, double low, double high);

// out += x, both contiguous.
template <class T>
void accumulate(const T* x, T* out, int64_t n);

}  // namespace heed::kernels
