// Tensors as a person reads them: aligned columns, few digits, the middle of large ones left out.
#include <fmt/format.h>
#include <heed/tensor.h>

#include <algorithm>
#include <cmath>
#include <ostream>

namespace heed {
namespace {

constexpr int64_t kEdge = 3;            // elements shown at each end of an abridged dimension
constexpr int64_t kAbridgeFrom = 1000;  // elements

std::string element_text(const Tensor& tensor, const Shape& index) {
  const Dtype dtype = tensor.dtype();
  if (dtype == Dtype::i64) return fmt::format("{}", tensor.at<int64_t>(index));  // also beyond what a double can say
  const double value = tensor.value(index);
  if (dtype == Dtype::boolean) return value != 0 ? "true" : "false";
  if (!is_floating(dtype)) return fmt::format("{:.0f}", value);
  const bool plain = value == 0 || (std::abs(value) >= 1e-4 && std::abs(value) < 1e6);
  return plain ? fmt::format("{:.6g}", value) : fmt::format("{:.4e}", value);
}

// The indices shown of a dimension; -1 stands for those left out.
std::vector<int64_t> shown(int64_t size, bool abridge) {
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < size; ++i) {
    if (!abridge || size <= 2 * kEdge || i < kEdge || i >= size - kEdge)
      indices.push_back(i);
    else if (i == kEdge)
      indices.push_back(-1), i = size - kEdge - 1;
  }
  return indices;
}

class Printer {
 public:
  Printer(const Tensor& tensor) : tensor_(tensor), abridge_(tensor.numel() > kAbridgeFrom) {
    Shape index;
    visit(index, [this](const std::string& text) { width_ = std::max(width_, text.size()); });
  }

  std::string print() {
    Shape index;
    block(index);
    return std::move(out_);
  }

 private:
  template <class Leaf>
  void visit(Shape& index, const Leaf& leaf) {
    if (index.rank() == tensor_.rank()) return leaf(element_text(tensor_, index));
    for (int64_t i : shown(tensor_.shape()[index.rank()], abridge_)) {
      if (i < 0) continue;
      index.push_back(i);
      visit(index, leaf);
      index.erase(index.rank() - 1);
    }
  }

  void block(Shape& index) {
    const int depth = index.rank(), below = tensor_.rank() - depth;
    if (below == 0) {
      out_ += fmt::format("{:>{}}", element_text(tensor_, index), width_);
      return;
    }
    out_ += '[';
    bool first = true;
    for (int64_t i : shown(tensor_.shape()[depth], abridge_)) {
      if (!first)
        out_ += below == 1 ? ", " : ",\n" + std::string(below > 2 ? 1 : 0, '\n') + std::string(depth + 1, ' ');
      first = false;
      if (i < 0) {
        out_ += "...";
        continue;
      }
      index.push_back(i);
      block(index);
      index.erase(index.rank() - 1);
    }
    out_ += ']';
  }

  const Tensor& tensor_;
  bool abridge_;
  size_t width_ = 0;
  std::string out_;
};

}  // namespace

std::string text(const Tensor& tensor) {
  if (!tensor.defined()) return "(undefined tensor)";
  std::string out = Printer(tensor).print();
  if (tensor.dtype() != Dtype::f32 || tensor.numel() > kAbridgeFrom || tensor.numel() == 0)
    out += fmt::format("  {} {}", name(tensor.dtype()), tensor.shape().text());
  return out;
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << text(tensor); }

}  // namespace heed
