// Linear attention (Katharopoulos et al. 2020, arXiv:2006.16236): with φ(x) = elu(x) + 1 the sum over keys is taken
// once.
//   out_i = φ(q_i)ᵀ Z / φ(q_i)·z,   Z = Σ_j φ(k_j) v_jᵀ,   z = Σ_j φ(k_j);   causal: over j <= i
// The causal form runs in blocks: what lies before the block through Z and z, the block itself through its scores. All
// of it is taped ops, so the gradients are theirs.
#include <heed/attention.h>

#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed {
namespace {

constexpr int64_t kBlock = 64;

Tensor phi(const Tensor& x) { return elu(x) + 1; }

Tensor divided(const Tensor& out, const Tensor& norm) { return out / unsqueeze(norm, -1); }

// φ(q)·z for each query.
Tensor norms(const Tensor& q, const Tensor& z) { return sum(q * unsqueeze(z, -2), -1); }

// One block: what the state holds of earlier keys, and the keys of the block up to each query.
Tensor block(LinearState& state, const Tensor& q, const Tensor& k, const Tensor& v) {
  const Tensor scores = lower_triangle(matmul(q, transpose(k)));
  Tensor out = matmul(scores, v), norm = sum(scores, -1);
  if (state.sum.defined()) out = out + matmul(q, state.sum), norm = norm + norms(q, state.norm);
  const Tensor more = matmul(transpose(k), v), more_norm = sum(k, -2);
  state.sum = state.sum.defined() ? state.sum + more : more;
  state.norm = state.norm.defined() ? state.norm + more_norm : more_norm;
  return divided(out, norm);
}

}  // namespace

Tensor LinearState::step(const Tensor& q, const Tensor& k, const Tensor& v) { return block(*this, phi(q), phi(k), v); }

Tensor linear_attention(const Tensor& q, const Tensor& k, const Tensor& v, bool causal) {
  check(
      q.rank() >= 2 && q.rank() == k.rank() && k.rank() == v.rank() && q.dim(-1) == k.dim(-1) && k.dim(-2) == v.dim(-2),
      "linear_attention", "q {}, k {}, v {}: wanted (…,T,D), (…,S,D), (…,S,E)", q.shape(), k.shape(), v.shape());
  const Tensor fq = phi(q), fk = phi(k);
  if (!causal) return divided(matmul(fq, matmul(transpose(fk), v)), norms(fq, sum(fk, -2)));
  check(q.dim(-2) == k.dim(-2), "linear_attention", "causal with {} queries and {} keys: wanted as many", q.dim(-2),
        k.dim(-2));
  if (q.dim(-2) == 0) return matmul(fq, matmul(transpose(fk), v));
  LinearState state;
  std::vector<Tensor> out;
  for (int64_t i = 0; i < q.dim(-2); i += kBlock) {
    const int64_t end = std::min(q.dim(-2), i + kBlock);
    out.push_back(block(state, slice(fq, -2, i, end), slice(fk, -2, i, end), slice(v, -2, i, end)));
  }
  return concat(out, -2);
}

}  // namespace heed
