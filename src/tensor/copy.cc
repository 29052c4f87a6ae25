// Copies through strides, with conversion: what turns any view into packed elements.
#include <heed/tensor.h>

#include <bit>
#include <cstring>

#include "base/threads.h"
#include "tensor/dtype.h"
#include "tensor/walk.h"

namespace heed {
namespace {

// The usual pair of conversions, as loops that a compiler turns into vectors; the same as convert.
void convert_row(bf16* to, const float* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t word = std::bit_cast<uint32_t>(from[i]), nearest = (word + 0x7fff + (word >> 16 & 1)) >> 16;
    to[i].bits = static_cast<uint16_t>((word & 0x7fffffff) > 0x7f800000 ? word >> 16 | 0x40 : nearest);
  }
}
void convert_row(float* to, const bf16* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = std::bit_cast<float>(static_cast<uint32_t>(from[i].bits) << 16);
}

template <class To, class From>
void copy_row(To* to, int64_t to_step, const From* from, int64_t from_step, int64_t n) {
  if constexpr (std::is_same_v<To, From>)
    if (to_step == 1 && from_step == 1) {
      std::memcpy(to, from, static_cast<size_t>(n) * sizeof(To));
      return;
    }
  if constexpr (requires { convert_row(to, from, n); })
    if (to_step == 1 && from_step == 1) return convert_row(to, from, n);
  for (int64_t i = 0; i < n; ++i) to[i * to_step] = convert<To>(from[i * from_step]);
}

}  // namespace

void Tensor::copy_from(const Tensor& source) {
  const Tensor from = source.shape() == shape() ? source : source.expand(shape());
  if (numel() == 0) return;
  dispatch(dtype(), [&](auto to_zero) {
    dispatch(from.dtype(), [&](auto from_zero) {
      auto* target = static_cast<decltype(to_zero)*>(raw());
      const auto* origin = static_cast<const decltype(from_zero)*>(from.raw());
      kernels::for_pieces(walk_of(shape(), {strides(), from.strides()}), [=](const kernels::Piece<2>& piece) {
        copy_row(target + piece.at[0], piece.step[0], origin + piece.at[1], piece.step[1], piece.n);
      });
    });
  });
}

void Tensor::fill(double value) {
  if (value == 0 && contiguous() && numel() > 0) {
    const int64_t bytes = numel() * size_of(dtype());
    parallel(bytes, 1 << 18, [data = static_cast<char*>(raw())](int64_t begin, int64_t end) {
      std::memset(data + begin, 0, static_cast<size_t>(end - begin));
    });
    return;
  }
  Tensor one({}, Dtype::f64);
  *one.data<double>() = value;
  copy_from(one);
}

Tensor Tensor::clone() const {
  Tensor copy(shape(), dtype());
  copy.copy_from(*this);
  return copy;
}

const Tensor Tensor::packed() const { return contiguous() ? *this : clone(); }

Tensor Tensor::to(Dtype wanted) const {
  if (dtype() == wanted) return *this;
  Tensor result(shape(), wanted);
  result.copy_from(*this);
  return result;
}

}  // namespace heed
