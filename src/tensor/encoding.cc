#include "tensor/encoding.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/threads.h"
#include "tensor/dtype.h"

namespace heed {
namespace {

struct EncodingRow {
  const char* name;
  int bits;
  std::optional<Dtype> dtype;  // the smallest that holds every value
  bool same_bytes;             // and holds them as they are
};

constexpr EncodingRow kTable[kEncodings] = {
    {"BOOL", 8, Dtype::boolean, true},
    {"F4", 4, std::nullopt, false},
    {"F6_E2M3", 6, std::nullopt, false},
    {"F6_E3M2", 6, std::nullopt, false},
    {"U8", 8, Dtype::u8, true},
    {"I8", 8, Dtype::i32, false},
    {"F8_E5M2", 8, Dtype::f32, false},
    {"F8_E4M3", 8, Dtype::f32, false},
    {"F8_E8M0", 8, Dtype::f32, false},
    {"F8_E4M3FNUZ", 8, Dtype::f32, false},
    {"F8_E5M2FNUZ", 8, Dtype::f32, false},
    {"I16", 16, Dtype::i32, false},
    {"U16", 16, Dtype::i32, false},
    {"F16", 16, Dtype::f16, true},
    {"BF16", 16, Dtype::bf16, true},
    {"I32", 32, Dtype::i32, true},
    {"U32", 32, Dtype::i64, false},
    {"F32", 32, Dtype::f32, true},
    {"C64", 64, std::nullopt, false},
    {"F64", 64, Dtype::f64, true},
    {"I64", 64, Dtype::i64, true},
    {"U64", 64, Dtype::i64, false},
};

const EncodingRow& row(Encoding encoding) { return kTable[static_cast<size_t>(encoding)]; }

// Sign, exponent, fraction: (-1)^s 2^(e - bias) 1.f, and 2^(1 - bias) 0.f where e is 0.
struct Layout {
  int exponent_bits, fraction_bits, bias;
  enum { numbers_only, ieee, last_is_nan, negative_zero_is_nan } special;
};

float small_float(const Layout& layout, int bits) {
  const int all = 1 << (layout.exponent_bits + layout.fraction_bits);
  const int magnitude = bits & (all - 1), sign = bits & all;
  const int exponent = magnitude >> layout.fraction_bits, fraction = magnitude & ((1 << layout.fraction_bits) - 1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  if (layout.special == Layout::negative_zero_is_nan && bits == all) return nan;
  if (layout.special == Layout::last_is_nan && magnitude == all - 1) return nan;
  if (layout.special == Layout::ieee && exponent == (1 << layout.exponent_bits) - 1)
    return fraction ? nan : (sign ? -1.0f : 1.0f) * std::numeric_limits<float>::infinity();
  const int whole = exponent ? (1 << layout.fraction_bits) + fraction : fraction;
  const float value = std::ldexp(static_cast<float>(whole), std::max(exponent, 1) - layout.bias - layout.fraction_bits);
  return sign ? -value : value;
}

std::array<float, 256> table_of(const Layout& layout) {
  const int count = 2 << (layout.exponent_bits + layout.fraction_bits);
  std::array<float, 256> table = {};
  for (int i = 0; i < 256; ++i) table[static_cast<size_t>(i)] = small_float(layout, i % count);
  return table;
}

// F8_E8M0 is a power of two alone: 2^(e - 127), 255 is NaN.
std::array<float, 256> table_of_powers() {
  std::array<float, 256> table;
  for (int i = 0; i < 255; ++i) table[static_cast<size_t>(i)] = std::ldexp(1.0f, i - 127);
  table[255] = std::numeric_limits<float>::quiet_NaN();
  return table;
}

}  // namespace

const char* name(Encoding encoding) { return row(encoding).name; }
int bits_of(Encoding encoding) { return row(encoding).bits; }
std::optional<Dtype> dtype_for(Encoding encoding) { return row(encoding).dtype; }

bool is_integer(Encoding encoding) {
  const char first = row(encoding).name[0];
  return first == 'I' || first == 'U';
}

std::optional<Encoding> encoding_named(std::string_view name) {
  for (int i = 0; i < kEncodings; ++i)
    if (kTable[i].name == name) return static_cast<Encoding>(i);
  return std::nullopt;
}

Encoding encoding_of(Dtype dtype) {
  for (int i = 0; i < kEncodings; ++i)
    if (kTable[i].same_bytes && kTable[i].dtype == dtype) return static_cast<Encoding>(i);
  fail(ErrorKind::usage, "dtype", "unknown dtype {}", static_cast<int>(dtype));
}

std::optional<int64_t> bytes_of(Encoding encoding, std::span<const int64_t> shape) {
  int64_t bits = bits_of(encoding);
  if (std::any_of(shape.begin(), shape.end(), [](int64_t size) { return size < 0; })) return std::nullopt;
  // A zero anywhere does not excuse an overflow elsewhere: the format's own reader multiplies in order, too.
  for (int64_t size : shape)
    if (multiply_overflows(bits, size, &bits)) return std::nullopt;
  if (bits % 8 != 0) return std::nullopt;
  return bits / 8;
}

const std::array<float, 256>& small_floats(Encoding encoding) {
  static const auto e5m2 = table_of({5, 2, 15, Layout::ieee});
  static const auto e4m3 = table_of({4, 3, 7, Layout::last_is_nan});
  static const auto e5m2fnuz = table_of({5, 2, 16, Layout::negative_zero_is_nan});
  static const auto e4m3fnuz = table_of({4, 3, 8, Layout::negative_zero_is_nan});
  static const auto e8m0 = table_of_powers();
  static const auto e2m1 = table_of({2, 1, 1, Layout::numbers_only});
  switch (encoding) {
    case Encoding::f8_e5m2: return e5m2;
    case Encoding::f8_e4m3: return e4m3;
    case Encoding::f8_e5m2fnuz: return e5m2fnuz;
    case Encoding::f8_e4m3fnuz: return e4m3fnuz;
    case Encoding::f8_e8m0: return e8m0;
    case Encoding::f4: return e2m1;
    default: fail(ErrorKind::usage, "encoding", "{} is not a small float", name(encoding));
  }
}

namespace {

void check_booleans(const Bytes& bytes, std::string_view where) {
  const std::span<const uint8_t> all = bytes.span();
  const auto other = std::find_if(all.begin(), all.end(), [](uint8_t value) { return value > 1; });
  check_format(other == all.end(), where, "bool: element {} is {}, wanted 0 or 1", other - all.begin(),
               other == all.end() ? 0 : *other);
}

void check_fits(const Bytes& bytes, std::string_view where) {
  const PlainElements<uint64_t> elements{bytes.data};
  for (int64_t i = 0; i < bytes.size / 8; ++i)
    if (elements[i] > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      fail(ErrorKind::data, where, "element {} is {}, which i64 cannot hold", i, elements[i]);
}

Tensor converted(const Bytes& bytes, Encoding encoding, const Shape& shape, Dtype dtype) {
  Tensor result(shape, dtype);
  dispatch(dtype, [&](auto zero) {
    using To = decltype(zero);
    To* to = result.data<To>();
    visit_elements(encoding, bytes.data, [&](auto from) {
      parallel(result.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) to[i] = convert<To>(from[i]);
      });
    });
  });
  return result;
}

}  // namespace

Tensor tensor_of(const Bytes& bytes, Encoding encoding, std::span<const int64_t> sizes, std::string_view where) {
  const EncodingRow& about = row(encoding);
  if (!about.dtype) fail(ErrorKind::data, where, "has dtype {}, which tensors cannot hold", about.name);
  if (sizes.size() > kMaxRank)
    fail(ErrorKind::data, where, "has {} dimensions, tensors have at most {}", sizes.size(), kMaxRank);
  const Shape shape(sizes);
  if (encoding == Encoding::boolean) check_booleans(bytes, where);
  if (encoding == Encoding::u64) check_fits(bytes, where);
  if (!about.same_bytes) return converted(bytes, encoding, shape, *about.dtype);
  if (bytes.size > 0 && bytes.owner &&
      reinterpret_cast<uintptr_t>(bytes.data) % static_cast<size_t>(about.bits / 8) == 0)
    return Tensor::adopt(bytes.data, shape, *about.dtype, bytes.owner);
  Tensor copy(shape, *about.dtype);
  if (bytes.size > 0) std::memcpy(copy.raw(), bytes.data, static_cast<size_t>(bytes.size));
  return copy;
}

}  // namespace heed
