#include "models/pooling.h"

#include <cmath>
#include <limits>

#include "nn/places.h"

namespace heed {
namespace {

// (B,S,1)
Tensor within(const Tensor& x, const Tensor& lengths) { return unsqueeze(heed::within(lengths, x.dim(1)), -1); }

Tensor mean_of(const Tensor& x, const Tensor& lengths) {
  return sum(without_padding(x, lengths), {1}) / unsqueeze(to(lengths, x.dtype()), 1);
}
Tensor max_of(const Tensor& x, const Tensor& lengths) {
  return max(where(within(x, lengths), x, -std::numeric_limits<double>::infinity()), 1);
}

}  // namespace

Tensor moved(const Tensor& lengths, int64_t by) {
  Tensor result = lengths.clone();
  for (int64_t n = 0; n < result.numel(); ++n) result.at<int64_t>({n}) += by;
  return result;
}
Tensor at_end(const Tensor& x, const Tensor& lengths) {
  const Tensor places = expand(reshape(moved(lengths, -1), {x.dim(0), 1, 1}), {x.dim(0), 1, x.dim(2)});
  return squeeze(gather(x, 1, places), 1);
}
Tensor without_padding(const Tensor& x, const Tensor& lengths) { return where(within(x, lengths), x, 0.0); }

TextPooling::TextPooling(int64_t width, Pool pool, const std::string& mechanism, int64_t longest) : pool(pool) {
  if (pool != Pool::attention) return;
  attention.emplace(width, SourceAttentionOptions{.mechanism = mechanism, .longest = longest});
  if (!attention->uses_queries()) return;
  query = weight({width});
  initialize::normal(query, 0, 1 / std::sqrt(static_cast<double>(width)));
}

TextPooling::Pooled TextPooling::operator()(const Tensor& x, const Tensor& lengths, const Pass& pass) const {
  switch (pool) {
    case Pool::mean: return {mean_of(x, lengths), {}};
    case Pool::max: return {max_of(x, lengths), {}};
    case Pool::first: return {select(x, 1, 0), {}};
    case Pool::last: return {at_end(x, lengths), {}};
    case Pool::attention: break;
  }
  const Shape one = {x.dim(0), 1, x.dim(2)};
  const Tensor asking = query.defined() ? expand(reshape(query, {1, 1, x.dim(2)}), one) : zeros(one, x.dtype());
  const Attended seen = (*attention)(asking, attention->read(x, lengths), 0, pass.weights, pass.watch("pooling"));
  return {squeeze(seen.out, 1), pass.weights ? squeeze(seen.weights, 1) : Tensor()};
}

}  // namespace heed
