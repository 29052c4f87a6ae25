#include "tensor/dtype.h"

#include <bit>
#include <cmath>

namespace heed {

const char* name(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32: return "f32";
    case Dtype::f64: return "f64";
    case Dtype::bf16: return "bf16";
    case Dtype::f16: return "f16";
    case Dtype::i64: return "i64";
    case Dtype::i32: return "i32";
    case Dtype::u8: return "u8";
    case Dtype::boolean: return "bool";
  }
  return "unknown";
}

int64_t size_of(Dtype dtype) {
  return dispatch(dtype, [](auto zero) { return static_cast<int64_t>(sizeof(zero)); });
}

bool is_floating(Dtype dtype) {
  return dtype == Dtype::f32 || dtype == Dtype::f64 || dtype == Dtype::bf16 || dtype == Dtype::f16;
}

// The upper half of an f32, rounded to nearest even; a NaN stays a (quiet) NaN.
bf16::bf16(float value) {
  const uint32_t word = std::bit_cast<uint32_t>(value);
  bits = std::isnan(value) ? static_cast<uint16_t>(word >> 16 | 0x40)
                           : static_cast<uint16_t>((word + 0x7fff + (word >> 16 & 1)) >> 16);
}
bf16::operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

// IEEE 754 binary16: 5 bits of exponent (bias 15), 10 of fraction.
f16::f16(float value) {
  const uint32_t word = std::bit_cast<uint32_t>(value), magnitude = word & 0x7fffffff;
  const auto sign = static_cast<uint16_t>(word >> 16 & 0x8000);
  if (magnitude > 0x7f800000) {
    bits = sign | 0x7e00;
  } else if (magnitude >= 0x477ff000) {  // rounds to 2^16 or more
    bits = sign | 0x7c00;
  } else if (magnitude >= 0x38800000) {  // normal
    const uint32_t rebased = magnitude - (112u << 23);
    bits = sign | static_cast<uint16_t>((rebased + 0xfff + (rebased >> 13 & 1)) >> 13);
  } else {  // subnormal: the addition rounds at 2^-24
    const float rounded = std::bit_cast<float>(magnitude) + 0.5f;
    bits = sign | static_cast<uint16_t>(std::bit_cast<uint32_t>(rounded) - 0x3f000000);
  }
}
f16::operator float() const {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | fraction << 13);
  if (exponent == 0)
    return std::copysign(std::ldexp(static_cast<float>(fraction), -24), std::bit_cast<float>(sign | 1));
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

}  // namespace heed
