#include <heed/nn.h>

#include "base/check.h"

namespace heed {
namespace {

int64_t or_else(int64_t given, int64_t otherwise) { return given > 0 ? given : otherwise; }

// (B,T,H·D) -> (B,H,T,D): split, then transposed, or positions would be mixed.
Tensor split_heads(const Tensor& x, int64_t heads) {
  check(x.rank() == 3, "multi-head", "got shape {}, wanted (B,T,width)", x.shape().text());
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

Attended MultiHead::step(const Tensor& x, KeyValueCache& cache, const AttendOptions& options) const {
  cache.append(split_heads(key(x), groups), split_heads(value(x), groups));
  Attended y = cache.attend(split_heads(query(x), heads), options);
  y.out = output(join_heads(y.out));
  return y;
}

}  // namespace heed
