// Bytes as a program of views: whatever is asked, each view lies within the storage and has as many elements as its
// shape says, or an Error(usage) was thrown.
#include <heed/base.h>
#include <heed/tensor.h>

#include "support/fuzz.h"

namespace {

using heed::Shape;
using heed::Tensor;
using heed::testing::must;

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}
  bool empty() const { return data_ == end_; }
  uint8_t byte() { return data_ < end_ ? *data_++ : 0; }
  // Mostly small, at times as large or small as there is.
  int64_t number() {
    const uint8_t value = byte();
    if (value < 0xf0) return static_cast<int64_t>(value % 16) - 4;
    constexpr int64_t kLarge[] = {INT64_MAX,        INT64_MAX - 1,    INT64_MIN,           INT64_MIN + 1,
                                  int64_t{1} << 62, int64_t{1} << 32, -(int64_t{1} << 32), 1 << 16};
    return kLarge[value % 8];
  }
  Shape shape() {
    Shape shape;
    for (int rank = byte() % 10; rank > 0; --rank) shape.push_back(number());
    return shape;
  }

 private:
  const uint8_t *data_, *end_;
};

void check_within(const Tensor& base, const Tensor& view) {
  if (view.numel() == 0) return;
  int64_t low = static_cast<const uint8_t*>(view.raw()) - static_cast<const uint8_t*>(base.raw()), high = low;
  for (int i = 0; i < view.rank(); ++i) {
    const int64_t reach = (view.shape()[i] - 1) * view.strides()[i];
    (reach < 0 ? low : high) += reach;
  }
  must(low >= 0 && high < base.numel(), "a view lies within the storage");
  must(view.numel() == view.shape().numel(), "as many elements as the shape says");
  if (view.numel() < 1 << 16) must(view.packed().contiguous(), "packed is contiguous");
}

Tensor step(const Tensor& at, Input& input) {
  switch (input.byte() % 9) {
    case 0: return at.view(input.shape());
    case 1: return at.transpose(static_cast<int>(input.number()), static_cast<int>(input.number()));
    case 2: return at.permute(input.shape());
    case 3: {
      const int dim = static_cast<int>(input.number());
      const int64_t begin = input.number(), end = input.number();
      return at.slice(dim, begin, end, input.number());
    }
    case 4: {
      const int dim = static_cast<int>(input.number());
      return at.select(dim, input.number());
    }
    case 5: return at.expand(input.shape());
    case 6: return at.squeeze(static_cast<int>(input.number()));
    case 7: return at.unsqueeze(static_cast<int>(input.number()));
    default: {
      const Shape shape = input.shape(), strides = input.shape();
      return at.as_strided(shape, strides, input.number());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  try {
    heed::broadcast_shapes(input.shape(), input.shape(), "fuzz");
  } catch (const heed::Error&) {
  }
  Shape shape;
  for (int rank = input.byte() % 5; rank > 0; --rank) shape.push_back(input.byte() % 5);
  const Tensor base = Tensor::zeros(shape, heed::Dtype::u8);
  Tensor at = base;
  while (!input.empty()) {
    try {
      at = step(at, input);
    } catch (const heed::Error& error) {
      must(error.kind() == heed::ErrorKind::usage, "a wrong view is Error(usage)");
    }
    check_within(base, at);
  }
  return 0;
}
