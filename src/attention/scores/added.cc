#include "attention/scores/added.h"

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {

Tensor project(const Tensor& x, const Tensor& weight, const char* what, const char* of) {
  if (!weight.defined()) return x;
  const std::string shape = weight.shape().text();
  check(weight.rank() == 2 || weight.rank() == 3, "attend", "{} has shape {}: wanted (A, D), or (heads, A, D)", what,
        shape);
  check(weight.dim(-1) == x.dim(-1), "attend", "{} has shape {}, {} is {} wide", what, shape, of, x.dim(-1));
  if (weight.rank() == 2) return linear(x, weight);
  check(weight.dim(0) == x.dim(1), "attend", "{} has shape {}, {} has {} heads", what, shape, of, x.dim(1));
  return matmul(x, transpose(weight));
}

Tensor project_keys(const Pipeline& p, const Tensor& weight, const char* what) {
  return weight.defined() ? project(without_padding(p, p.k), weight, what, "k") : p.k;
}

void add_scores(Pipeline& p, const Tensor& q, const Tensor& k, const Tensor& v) {
  check(q.dim(-1) == k.dim(-1), "attend", "the projected query is {} wide, the projected key {}", q.dim(-1), k.dim(-1));
  p.n.width = q.dim(-1);
  check(v.shape() == Shape{p.n.width} || v.shape() == Shape{p.n.heads, p.n.width}, "attend",
        "the vector of the scores has shape {}, wanted ({}), or ({}, {}) for each head", v.shape(), p.n.width,
        p.n.heads, p.n.width);
  p.q = q, p.k = k, p.scale = 1;
  p.features = v.rank() == 1 ? unsqueeze(v, 0) : v;
}

std::vector<double> of_head(const Tensor& tensor, int rank, const Plain& x) {
  if (!tensor.defined()) return {};
  return tensor.rank() == rank ? tensor.values() : tensor[x.head * tensor.dim(0) / x.heads].values();
}

void add_product(const std::vector<double>& w, const double* x, size_t width, std::vector<double>& y) {
  if (w.empty())
    for (size_t a = 0; a < y.size(); ++a) y[a] += x[a];
  else
    for (size_t a = 0; a < y.size(); ++a)
      for (size_t c = 0; c < width; ++c) y[a] += w[a * width + c] * x[c];
}

}  // namespace heed::attention
