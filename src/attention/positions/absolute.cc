#include "attention/positions/absolute.h"

#include "base/check.h"

namespace heed::attention {

int64_t places(const Sizes& n) { return std::max(n.queries, n.keys); }

void add_places(Pipeline& p, const Tensor& table) {
  const int64_t all = places(p.n);
  check(p.k.dim(3) == p.n.width, "attend", "absolute positions for q and k alike: q is {} wide, k is {}", p.n.width,
        p.k.dim(3));
  p.q = p.q + slice(table, 0, all - p.n.queries, all);
  p.k = p.k + slice(table, 0, all - p.n.keys, all);
}

void add_places(Plain& x, const std::function<double(int64_t place, int64_t column)>& table) {
  const int64_t all = std::max(x.queries, x.keys);
  const auto add = [&](std::vector<double>& rows, int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      for (int64_t c = 0; c < x.width; ++c) rows[static_cast<size_t>(i * x.width + c)] += table(all - count + i, c);
  };
  add(x.q, x.queries), add(x.k, x.keys);
}

}  // namespace heed::attention
