#include <fmt/ranges.h>
#include <heed/tensor.h>

#include <algorithm>
#include <ostream>

#include "base/check.h"

namespace heed {

Shape::Shape(std::span<const int64_t> sizes) {
  check(sizes.size() <= kMaxRank, "shape", "{} dimensions, at most {} are supported", sizes.size(), kMaxRank);
  std::copy(sizes.begin(), sizes.end(), sizes_);
  rank_ = static_cast<int>(sizes.size());
}

int64_t Shape::numel() const {
  int64_t product = 1;
  for (int64_t size : *this) product = checked_multiply(product, size, "shape");
  return product;
}

void Shape::push_back(int64_t size) { insert(rank_, size); }

void Shape::insert(int position, int64_t size) {
  check(rank_ < kMaxRank, "shape", "more than {} dimensions", kMaxRank);
  std::copy_backward(sizes_ + position, sizes_ + rank_, sizes_ + rank_ + 1);
  sizes_[position] = size;
  ++rank_;
}

void Shape::erase(int position) {
  std::copy(sizes_ + position + 1, sizes_ + rank_, sizes_ + position);
  --rank_;
}

bool Shape::operator==(const Shape& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }

std::string Shape::text() const { return fmt::format("({})", fmt::join(begin(), end(), ", ")); }

std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.text(); }

Shape contiguous_strides(const Shape& shape) {
  Shape strides = shape;
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = step;
    // Beyond 64 bits only where another size is zero: there are no elements then, and any stride will do.
    if (multiply_overflows(step, std::max<int64_t>(1, shape[i]), &step)) step = 1;
  }
  return strides;
}

// NumPy's rule: from the last dimension on, sizes are equal or one of them is 1.
Shape broadcast_shapes(const Shape& a, const Shape& b, const char* op) {
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape result = longer;
  const int shift = longer.rank() - shorter.rank();
  for (int i = 0; i < shorter.rank(); ++i) {
    const int64_t s = shorter[i], l = longer[i + shift];
    check(s == l || s == 1 || l == 1, op, "shapes {} and {} do not broadcast: {} against {} in dimension {}", a.text(),
          b.text(), l, s, i + shift);
    result[i + shift] = l == 1 ? s : l;
  }
  return result;
}

int wrap_dim(int dim, int rank, const char* op) {
  check(dim >= -rank && dim < rank, op, "dimension {} does not exist in a tensor of rank {}", dim, rank);
  return dim < 0 ? dim + rank : dim;
}

}  // namespace heed
