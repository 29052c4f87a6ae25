// Copies through strides, with conversion: what turns any view into packed elements.
#include <heed/tensor.h>

#include <cstring>

#include "base/threads.h"
#include "tensor/dtype.h"

namespace heed {
namespace {

// to[i] = from[i] over a shape, each side with strides of its own.
struct Walk {
  Shape shape, to, from;
};

// Neighbouring dimensions that lie behind each other on both sides become one; sizes of one vanish.
Walk collapsed(const Walk& walk) {
  Walk result;
  for (int i = 0; i < walk.shape.rank(); ++i) {
    if (walk.shape[i] == 1) continue;
    const int last = result.shape.rank() - 1;
    const bool joins =
        last >= 0 && result.to[last] == walk.to[i] * walk.shape[i] && result.from[last] == walk.from[i] * walk.shape[i];
    if (joins) {
      result.shape[last] *= walk.shape[i], result.to[last] = walk.to[i], result.from[last] = walk.from[i];
    } else {
      result.shape.push_back(walk.shape[i]), result.to.push_back(walk.to[i]), result.from.push_back(walk.from[i]);
    }
  }
  if (result.shape.rank() == 0) result = {{1}, {1}, {1}};
  return result;
}

template <class To, class From>
void copy_row(To* to, int64_t to_step, const From* from, int64_t from_step, int64_t n) {
  if constexpr (std::is_same_v<To, From>)
    if (to_step == 1 && from_step == 1) {
      std::memcpy(to, from, static_cast<size_t>(n) * sizeof(To));
      return;
    }
  for (int64_t i = 0; i < n; ++i) to[i * to_step] = convert<To>(from[i * from_step]);
}

// All dimensions but the last are counted through; a long single row is cut so that threads share it.
template <class To, class From>
void copy_walk(const Walk& any, To* to, const From* from) {
  const Walk walk = collapsed(any);
  const int last = walk.shape.rank() - 1;
  const int64_t n = walk.shape[last], rows = walk.shape.numel() / n;
  if (rows == 1) {
    parallel(n, 1 << 16, [&](int64_t begin, int64_t end) {
      copy_row(to + begin * walk.to[last], walk.to[last], from + begin * walk.from[last], walk.from[last], end - begin);
    });
    return;
  }
  parallel(rows, (1 << 15) / n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      int64_t rest = row, to_at = 0, from_at = 0;
      for (int i = last - 1; i >= 0; --i) {
        const int64_t index = rest % walk.shape[i];
        rest /= walk.shape[i];
        to_at += index * walk.to[i], from_at += index * walk.from[i];
      }
      copy_row(to + to_at, walk.to[last], from + from_at, walk.from[last], n);
    }
  });
}

}  // namespace

void Tensor::copy_from(const Tensor& source) {
  const Tensor from = source.shape() == shape() ? source : source.expand(shape());
  if (numel() == 0) return;
  dispatch(dtype(), [&](auto to_zero) {
    dispatch(from.dtype(), [&](auto from_zero) {
      copy_walk(Walk{shape(), strides(), from.strides()}, static_cast<decltype(to_zero)*>(raw()),
                static_cast<const decltype(from_zero)*>(from.raw()));
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

Tensor Tensor::packed() const { return contiguous() ? *this : clone(); }

Tensor Tensor::to(Dtype wanted) const {
  if (dtype() == wanted) return *this;
  Tensor result(shape(), wanted);
  result.copy_from(*this);
  return result;
}

}  // namespace heed
