// Talking heads (Shazeer et al. 2020, arXiv:2003.02436): J = q·k/√D for each of H heads; scores_h' = Σ_h P_h'h J_h;
// weights_h' = softmax; mixed_h'' = Σ_h' R_h''h' weights_h'; out_h'' = mixed_h'' v_h''.
// Every weight depends on all heads, so a block of queries is computed with all of them, by taped ops that are computed
// again in the backward pass: the memory is that of a block.
#include <cmath>

#include "attention/slots.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

constexpr int64_t kQueriesAtOnce = 64;

// The bias that hides what the span hides, for the queries [begin, end).
Tensor hidden(const attention::Visible& visible, int64_t begin, int64_t end, Dtype dtype) {
  Tensor bias = Tensor::zeros({end - begin, visible.keys()}, dtype);
  for (int64_t i = begin; i < end; ++i)
    for (int64_t j = 0; j < visible.keys(); j += attention::kPanel) {
      const uint64_t bits = visible.bits(0, 0, i, j);
      for (int64_t x = j; x < std::min(visible.keys(), j + attention::kPanel); ++x)
        if (!(bits >> (x - j) & 1)) bias.slice(0, i - begin, i - begin + 1).slice(1, x, x + 1).fill(-INFINITY);
    }
  return bias;
}

// (H',H) mixes x (B,H,T,S) over its heads.
Tensor mix(const Tensor& by, const Tensor& x) { return einsum("gh,bhts->bgts", {by, x}); }

}  // namespace

Tensor talking_heads(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& scores, const Tensor& weights,
                     const Span& span) {
  const char* op = "talking_heads";
  check(q.rank() == 4 && k.rank() == 4 && v.rank() == 4, op, "q {}, k {}, v {}: wanted four dimensions each", q.shape(),
        k.shape(), v.shape());
  check(scores.rank() == 2 && scores.dim(1) == q.dim(1), op, "the mixing of scores has shape {}, q has {} heads",
        scores.shape(), q.dim(1));
  check(weights.rank() == 2 && weights.dim(1) == scores.dim(0) && weights.dim(0) == v.dim(1), op,
        "the mixing of weights has shape {}, wanted ({}, {}): v's heads, and the heads after the first mixing",
        weights.shape(), v.dim(1), scores.dim(0));
  attention::Pipeline p;
  p.q = q, p.k = k, p.v = v;
  p.n = {q.dim(0), q.dim(1), k.dim(1), q.dim(2), k.dim(2), q.dim(3), v.dim(3)};
  p.visible = attention::Visible(q.dim(2), k.dim(2));
  if (const attention::SpanRoom* room = attention::room_of(span)) room->prepare(p);
  const double scale = 1 / std::sqrt(static_cast<double>(q.dim(3)));
  std::vector<Tensor> out;
  for (int64_t i = 0; i < q.dim(2); i += kQueriesAtOnce) {
    const int64_t end = std::min(q.dim(2), i + kQueriesAtOnce);
    const Tensor bias = hidden(p.visible, i, end, q.dtype());
    const auto block = [bias, scale](const std::vector<Tensor>& in) {
      const Tensor s = mix(in[3], matmul(in[0], transpose(in[1])) * scale) + bias;
      return matmul(mix(in[4], softmax(s)), in[2]);
    };
    out.push_back(checkpoint(block, {slice(q, 2, i, end), k, v, scores, weights}));
  }
  return out.empty() ? Tensor::zeros({q.dim(0), v.dim(1), 0, v.dim(3)}, q.dtype()) : concat(out, 2);
}

}  // namespace heed
