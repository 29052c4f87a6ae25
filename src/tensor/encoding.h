// How files store elements: every dtype of the safetensors format. Tensors hold some of them as they are and others
// after a conversion that loses nothing.
#pragma once

#include <heed/tensor.h>

#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "tensor/file.h"

namespace heed {

// In the order of the table in encoding.cc.
enum class Encoding : uint8_t {
  boolean,
  f4,
  f6_e2m3,
  f6_e3m2,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,  // at most a byte
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  c64,
  f64,
  i64,
  u64
};
inline constexpr int kEncodings = 22;

const char* name(Encoding encoding);  // as safetensors writes it: "F8_E4M3"
int bits_of(Encoding encoding);       // of one element
std::optional<Encoding> encoding_named(std::string_view name);
Encoding encoding_of(Dtype dtype);                  // the same bytes
std::optional<Dtype> dtype_for(Encoding encoding);  // the smallest dtype that holds every value (U64: nearly)
bool is_integer(Encoding encoding);

// Bytes that `numel(shape)` elements take; nothing where that overflows, a size is negative, or a part of a byte is
// left over.
std::optional<int64_t> bytes_of(Encoding encoding, std::span<const int64_t> shape);

// A tensor of `bytes`, which are exactly as many as the shape takes: a view of them where the elements need no change
// and lie at a multiple of their size, else a copy. `where` names file and tensor in errors.
Tensor tensor_of(const Bytes& bytes, Encoding encoding, std::span<const int64_t> shape, std::string_view where);

// Values of floats with 8 bits or fewer (f4, f8_*), by their bits.
const std::array<float, 256>& small_floats(Encoding encoding);

// Readers of one element out of any address.
template <class T>
struct PlainElements {
  const uint8_t* data;
  T operator[](int64_t i) const {
    T value;
    std::memcpy(&value, data + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
    return value;
  }
};
template <class T>  // bf16, f16
struct HalfElements {
  const uint8_t* data;
  float operator[](int64_t i) const { return static_cast<float>(PlainElements<T>{data}[i]); }
};
struct ByteFloatElements {
  const uint8_t* data;
  const float* values;
  float operator[](int64_t i) const { return values[data[i]]; }
};
struct NibbleFloatElements {
  const uint8_t* data;
  const float* values;
  float operator[](int64_t i) const { return values[data[i / 2] >> (i % 2 * 4) & 15]; }
};

// Calls function(reader); false where elements have no order (C64) or no agreed packing (F6).
template <class Function>
bool visit_elements(Encoding encoding, const uint8_t* data, Function&& function) {
  switch (encoding) {
    case Encoding::boolean:
    case Encoding::u8: return function(PlainElements<uint8_t>{data}), true;
    case Encoding::i8: return function(PlainElements<int8_t>{data}), true;
    case Encoding::i16: return function(PlainElements<int16_t>{data}), true;
    case Encoding::u16: return function(PlainElements<uint16_t>{data}), true;
    case Encoding::i32: return function(PlainElements<int32_t>{data}), true;
    case Encoding::u32: return function(PlainElements<uint32_t>{data}), true;
    case Encoding::i64: return function(PlainElements<int64_t>{data}), true;
    case Encoding::u64: return function(PlainElements<uint64_t>{data}), true;
    case Encoding::f16: return function(HalfElements<f16>{data}), true;
    case Encoding::bf16: return function(HalfElements<bf16>{data}), true;
    case Encoding::f32: return function(PlainElements<float>{data}), true;
    case Encoding::f64: return function(PlainElements<double>{data}), true;
    case Encoding::f8_e5m2:
    case Encoding::f8_e4m3:
    case Encoding::f8_e8m0:
    case Encoding::f8_e4m3fnuz:
    case Encoding::f8_e5m2fnuz: return function(ByteFloatElements{data, small_floats(encoding).data()}), true;
    case Encoding::f4: return function(NibbleFloatElements{data, small_floats(encoding).data()}), true;
    case Encoding::f6_e2m3:
    case Encoding::f6_e3m2:
    case Encoding::c64: return false;
  }
  return false;
}

}  // namespace heed
