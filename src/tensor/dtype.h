// Dispatch over dtypes, and the conversions of the 16-bit floats.
#pragma once

#include <heed/tensor.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace heed {

// Calls function(T{}) with the C++ type of a dtype.
template <class Function>
decltype(auto) dispatch(Dtype dtype, Function&& function) {
  switch (dtype) {
    case Dtype::f32: return function(float{});
    case Dtype::f64: return function(double{});
    case Dtype::bf16: return function(bf16{});
    case Dtype::f16: return function(f16{});
    case Dtype::i64: return function(int64_t{});
    case Dtype::i32: return function(int32_t{});
    case Dtype::u8: return function(uint8_t{});
    case Dtype::boolean: return function(bool{});
  }
  fail(ErrorKind::usage, "dtype", "unknown dtype {}", static_cast<int>(dtype));
}

// The same for the dtypes that ops calculate in.
template <class Function>
decltype(auto) dispatch_floating(Dtype dtype, const char* op, Function&& function) {
  if (dtype == Dtype::f32) return function(float{});
  if (dtype == Dtype::f64) return function(double{});
  fail(ErrorKind::usage, op, "got {}, wanted f32 or f64", name(dtype));
}

// The f32 just below a double in magnitude, its last bit set where something was cut off: rounding that again to 16
// bits gives what rounding the double would have given (Boldo & Melquiond, "When double rounding is odd", 2005).
inline float rounded_to_odd(double value) {
  const auto nearest = static_cast<float>(value);
  if (static_cast<double>(nearest) == value || value != value) return nearest;
  const auto bits = std::bit_cast<uint32_t>(nearest);
  const bool above = std::abs(static_cast<double>(nearest)) > std::abs(value);
  return std::bit_cast<float>((above ? bits - 1 : bits) | 1);
}

// One value into another type: floats are rounded to nearest even, out of range integers saturate, NaN becomes 0.
template <class To, class From>
To convert(From value) {
  constexpr bool half_from = std::is_same_v<From, bf16> || std::is_same_v<From, f16>;
  constexpr bool half_to = std::is_same_v<To, bf16> || std::is_same_v<To, f16>;
  if constexpr (std::is_same_v<To, From>)
    return value;
  else if constexpr (half_from)
    return convert<To>(static_cast<float>(value));
  else if constexpr (half_to && std::is_same_v<From, double>)
    return To(rounded_to_odd(value));
  else if constexpr (half_to)
    return To(static_cast<float>(value));
  else if constexpr (std::is_same_v<To, bool>)
    return value != From(0);
  else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (value != value) return To(0);
    const auto low = static_cast<From>(std::numeric_limits<To>::min());
    const auto high = static_cast<From>(std::numeric_limits<To>::max());
    if (value <= low) return std::numeric_limits<To>::min();
    if (value >= high) return std::numeric_limits<To>::max();
    return static_cast<To>(value);
  } else if constexpr (std::is_integral_v<To> && std::is_integral_v<From> && sizeof(To) < sizeof(From)) {
    const auto low = static_cast<From>(std::numeric_limits<To>::min());
    const auto high = static_cast<From>(std::numeric_limits<To>::max());
    return static_cast<To>(std::clamp(value, low, high));
  } else
    return static_cast<To>(value);
}

}  // namespace heed
