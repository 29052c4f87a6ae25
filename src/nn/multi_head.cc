#include <heed/nn.h>

#include <algorithm>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

int64_t or_else(int64_t given, int64_t otherwise) { return given > 0 ? given : otherwise; }

// (B,T,H·D) -> (B,H,T,D): split, then transposed, or positions would be mixed.
Tensor split_heads(const Tensor& x, int64_t heads) {
  check(x.rank() == 3, "multi-head", "got shape {}, wanted (B,T,width)", x.shape());
  return permute(reshape(x, {x.dim(0), x.dim(1), heads, x.dim(2) / heads}), {0, 2, 1, 3});
}
Tensor join_heads(const Tensor& x) {
  return reshape(permute(x, {0, 2, 1, 3}), {x.dim(0), x.dim(2), x.dim(1) * x.dim(3)});
}

struct Widths {
  int64_t groups, head, value_head;
  Widths(int64_t width, const MultiHeadOptions& o)
      : groups(or_else(o.groups, o.heads)),
        head(or_else(o.head_width, o.heads > 0 ? width / o.heads : 0)),
        value_head(or_else(o.value_head_width, head)) {
    check(std::min({o.groups, o.key_width, o.value_width, o.head_width, o.value_head_width}) >= 0, "multi-head",
          "groups or a width are below 0");
    check(o.heads > 0 && groups > 0 && o.heads % groups == 0, "multi-head", "{} groups do not divide {} heads", groups,
          o.heads);
    check(o.head_width > 0 || width % o.heads == 0, "multi-head", "{} heads do not divide a width of {}", o.heads,
          width);
  }
};

}  // namespace

MultiHead::MultiHead(int64_t width, const MultiHeadOptions& o)
    : heads(o.heads),
      groups(Widths(width, o).groups),
      query(width, heads * Widths(width, o).head, Activation::none, o.bias),
      key(or_else(o.key_width, width), groups * Widths(width, o).head, Activation::none, o.bias),
      value(or_else(o.value_width, or_else(o.key_width, width)), groups * Widths(width, o).value_head, Activation::none,
            o.bias),
      output(heads * Widths(width, o).value_head, width, Activation::none, o.bias) {}

Attended MultiHead::operator()(const Tensor& x, const Tensor& keys, const Tensor& values,
                               const AttendOptions& options) const {
  Attended y =
      attend(split_heads(query(x), heads), split_heads(key(keys), groups), split_heads(value(values), groups), options);
  y.out = output(join_heads(y.out));
  return y;
}

std::pair<Tensor, Tensor> MultiHead::read(const Tensor& keys, const Tensor& values) const {
  return {split_heads(key(keys), groups), split_heads(value(values), groups)};
}

// Rows of a sentence share its keys as the heads of a group do: (B·R,H,T,D) -> (B,H·R,T,D), the rows of a head
// together.
Attended MultiHead::look(const Tensor& x, const Tensor& keys, const Tensor& values,
                         const AttendOptions& options) const {
  const Tensor q = split_heads(query(x), heads);
  const int64_t sentences = keys.dim(0), steps = q.dim(2), width = q.dim(3);
  check(sentences > 0 && q.dim(0) % sentences == 0, "multi-head", "{} rows for {} sentences", q.dim(0), sentences);
  const int64_t rows = q.dim(0) / sentences;
  const auto together = [&](const Tensor& y, int64_t a, int64_t b) {
    return permute(reshape(y, {sentences, a, b, steps, y.dim(-1)}), {0, 2, 1, 3, 4});
  };
  Attended y = attend(rows == 1 ? q : reshape(together(q, rows, heads), {sentences, heads * rows, steps, width}), keys,
                      values, options);
  const auto apart = [&](const Tensor& z) {
    return rows == 1 || !z.defined() ? z
                                     : reshape(together(z, heads, rows), {sentences * rows, heads, steps, z.dim(-1)});
  };
  y.out = output(join_heads(apart(y.out))), y.weights = apart(y.weights);
  return y;
}

Attended MultiHead::step(const Tensor& x, KeyValueCache& cache, const AttendOptions& options) const {
  cache.append(split_heads(key(x), groups), split_heads(value(x), groups));
  Attended y = cache.attend(split_heads(query(x), heads), options);
  y.out = output(join_heads(y.out));
  return y;
}

}  // namespace heed
