// entmax15: between softmax and sparsemax, with the curve of a square.
//   p_j = [s_j/2 − τ]₊²,  Σ p = 1        ds = g∘dp − g·(Σ g∘dp / Σ g),  g = √p
// Peters, Niculae & Martins 2019, arXiv:1905.05702. τ by Newton's method: Σ [s/2 − τ]₊² − 1 is convex and falls, so
// that from the largest score less 1 upwards it meets its zero without passing it.
#include "attention/engine/row_block.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/normalizers/entmax.cc"
#include "hwy/foreach_target.h"
// After Highway's own, in this order.
#include "attention/normalizers/row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {
namespace entmax_rows {

// τ + (Σ [s − τ]₊² − 1) / 2 Σ [s − τ]₊; NaN if a score is.
template <class T>
HWY_INLINE T next_threshold(const Candidates<T>& scores, T tau) {
  const Tag<T> d;
  Accumulators<T> sum(0), squares(0);
  for_vectors<T>(scores.whole_steps(), [&](int64_t at, int part) HWY_ATTR {
    const auto x = hn::Sub(hn::LoadU(d, scores.data + at), hn::Set(d, tau));
    const auto root = hn::IfThenZeroElse(hn::Le(x, hn::Zero(d)), x);
    sum[part] = hn::Add(sum[part], root);
    squares[part] = hn::MulAdd(root, root, squares[part]);
  });
  return tau + (squares.sum() - 1) / (2 * sum.sum());
}

// threshold: τ, and largest: what it is counted from.
template <class T>
RowStatistics measure(const ScoreRow<T>& row) {
  const Candidates<T> scores = candidates_of(row, static_cast<T>(2 * kLog2E * 1.0001), static_cast<T>(kLn2 / 2));
  if (scores.count == 0) return {.threshold = INFINITY};
  T tau = -1, before = -1;
  do {
    before = tau;
    tau = next_threshold(scores, tau);
  } while (tau > before);
  return {.largest = scores.largest, .threshold = tau};
}

// Scores become g = √p.
template <class T>
HWY_INLINE void take_roots(const ScoreRow<T>& row, const RowStatistics& of) {
  const Tag<T> d;
  const auto largest = hn::Set(d, static_cast<T>(of.largest)), tau = hn::Set(d, static_cast<T>(of.threshold));
  for_vectors<T>(row.count, [&](int64_t at, int) HWY_ATTR {
    const auto s = hn::Sub(hn::LoadU(d, row.data + at), largest);
    hn::StoreU(hn::Max(hn::Zero(d), hn::MulSub(s, hn::Set(d, static_cast<T>(kLn2 / 2)), tau)), d, row.data + at);
  });
}

template <class T>
void weigh(const ScoreRow<T>& row, const RowStatistics& of) {
  const Tag<T> d;
  if (!proper(of)) return weigh_improper(row, of);
  take_roots(row, of);
  for_vectors<T>(row.count, [&](int64_t at, int) HWY_ATTR {
    const auto root = hn::LoadU(d, row.data + at);
    hn::StoreU(hn::Mul(root, root), d, row.data + at);
  });
}

template <class T>
void backward(const ScoreRow<T>& row, const RowStatistics& of, T* gradient) {
  const Tag<T> d;
  if (!proper(of)) return backward_improper(row, of, gradient);
  take_roots(row, of);
  Accumulators<T> sum(0), roots(0);
  for_vectors<T>(row.count, [&](int64_t at, int part) HWY_ATTR {
    const auto root = hn::LoadU(d, row.data + at);
    const auto of_weights = hn::IfThenElseZero(hn::Ne(root, hn::Zero(d)), hn::LoadU(d, gradient + at));
    sum[part] = hn::MulAdd(root, of_weights, sum[part]);
    roots[part] = hn::Add(roots[part], root);
  });
  const auto mean = hn::Set(d, sum.sum() / roots.sum());
  for_vectors<T>(row.count, [&](int64_t at, int) HWY_ATTR {
    const auto root = hn::LoadU(d, row.data + at);
    const auto of_scores = hn::Mul(root, hn::Sub(hn::LoadU(d, gradient + at), mean));
    hn::StoreU(hn::IfThenElseZero(hn::Ne(root, hn::Zero(d)), of_scores), d, gradient + at);
    hn::StoreU(hn::Mul(root, root), d, row.data + at);
  });
}

}  // namespace entmax_rows

RowPieces<float> entmax_f32() {
  return {entmax_rows::measure<float>, entmax_rows::weigh<float>, entmax_rows::backward<float>};
}
RowPieces<double> entmax_f64() {
  return {entmax_rows::measure<double>, entmax_rows::weigh<double>, entmax_rows::backward<double>};
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "attention/rows.h"
#include "attention/slots.h"

namespace heed::attention {
namespace {

HWY_EXPORT(entmax_f32);
HWY_EXPORT(entmax_f64);

class Entmax15 final : public NormalizerRoom {
 public:
  const char* name() const override { return "entmax15"; }
  void prepare(Pipeline& p) const override {
    p.row_normalizer = RowNormalizer{HWY_DYNAMIC_DISPATCH(entmax_f32)(), HWY_DYNAMIC_DISPATCH(entmax_f64)()};
  }
  // The paper's: with scores in falling order, τ of the first k solves Σ (s/2 − τ)² = 1; k is the largest whose τ does
  // not exceed its last score.
  void reference(const Plain&, int64_t, std::vector<double>& row) const override {
    std::vector<double> sorted = row;
    std::sort(sorted.rbegin(), sorted.rend());
    const double largest = sorted.empty() || sorted[0] == -INFINITY ? 0 : sorted[0];
    double sum = 0, squares = 0, tau = INFINITY;
    for (size_t k = 1; k <= sorted.size() && sorted[k - 1] != -INFINITY; ++k) {
      const double x = (sorted[k - 1] - largest) / 2, count = static_cast<double>(k);
      sum += x, squares += x * x;
      const double mean = sum / count, inside = (1 - (squares - mean * sum)) / count;
      if (inside < 0 || mean - std::sqrt(inside) > x) break;
      tau = mean - std::sqrt(inside);
    }
    for (double& s : row) {
      const double root = std::max(0.0, (s - largest) / 2 - tau);
      s = root * root;
    }
  }
};

}  // namespace

Mechanism entmax15_row() {
  return {.name = "entmax15",
          .year = 2019,
          .paper = "Peters, Niculae & Martins 2019, arXiv:1905.05702",
          .formula = "[Q Kᵀ / 2√D − τ]₊² V, Σ p = 1",
          .cost = "O(T·S·D) time, O(T) memory, a few rows of S in work",
          .purpose = {"Sparse like sparsemax, smooth like softmax: weights fade to exactly 0 instead of being cut off.",
                      "像 sparsemax 一样稀疏，像 softmax 一样平滑：权重渐变到恰好为 0，而不是被截断。"},
          .trap = {"The scores are halved before the threshold: without the half the weights are those of another "
                   "mechanism.",
                   "取阈值之前分数要先减半；漏掉这个 1/2 得到的就是另一种机制的权重。"},
          .code = "heed::attend(q, k, v, {.normalizer = heed::entmax15()})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.normalizer = entmax15()}; }};
}

}  // namespace heed::attention

namespace heed {

Normalizer entmax15() { return {std::make_shared<attention::Entmax15>()}; }

}  // namespace heed
#endif
