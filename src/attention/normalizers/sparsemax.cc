// sparsemax: the point of the simplex that is nearest to the scores.
//   p_j = [s_j − τ]₊,  Σ p = 1        ds = p > 0 ? dp − mean of dp where p > 0 : 0
// Martins & Astudillo 2016, arXiv:1602.02068. τ by Michelot's iteration (1986): τ = (Σ s − 1)/n over those above τ,
// from the largest score less 1 upwards, until none drops out. Scores below that have no weight and are left out of it.
#include "attention/engine/row_block.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/normalizers/sparsemax.cc"
#include "hwy/foreach_target.h"
// After Highway's own, in this order.
#include "attention/normalizers/row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {
namespace sparsemax_rows {

// (Σ s − 1)/n over the scores above tau; NaN if one is.
template <class T>
HWY_INLINE T next_threshold(const Candidates<T>& scores, T tau) {
  const Tag<T> d;
  Accumulators<T> sum(0), count(0);
  for_vectors<T>(scores.whole_steps(), [&](int64_t at, int part) HWY_ATTR {
    const auto s = hn::LoadU(d, scores.data + at);
    const auto above = hn::Not(hn::Le(s, hn::Set(d, tau)));
    sum[part] = hn::Add(sum[part], hn::IfThenElseZero(above, s));
    count[part] = hn::Add(count[part], hn::IfThenElseZero(above, hn::Set(d, T{1})));
  });
  return (sum.sum() - 1) / count.sum();
}

// threshold: τ, and largest: what it is counted from.
template <class T>
RowStatistics measure(const ScoreRow<T>& row) {
  const Candidates<T> scores = candidates_of(row, static_cast<T>(kLog2E * 1.0001), static_cast<T>(kLn2));
  if (scores.count == 0) return {.threshold = INFINITY};
  T tau = -1, before = -1;
  do {
    before = tau;
    tau = next_threshold(scores, tau);
  } while (tau > before);
  return {.largest = scores.largest, .threshold = tau};
}

template <class T>
struct Weight {
  Vector<T> largest, tau;
  HWY_INLINE explicit Weight(const RowStatistics& of)
      : largest(hn::Set(Tag<T>(), static_cast<T>(of.largest))), tau(hn::Set(Tag<T>(), static_cast<T>(of.threshold))) {}
  HWY_INLINE Vector<T> operator()(Vector<T> s) const {
    const Tag<T> d;
    return hn::Max(hn::Zero(d), hn::MulSub(hn::Sub(s, largest), hn::Set(d, static_cast<T>(kLn2)), tau));
  }
};

template <class T>
void weigh(const ScoreRow<T>& row, const RowStatistics& of) {
  const Tag<T> d;
  if (!proper(of)) return weigh_improper(row, of);
  const Weight<T> weight(of);
  for_vectors<T>(row.count,
                 [&](int64_t at, int) HWY_ATTR { hn::StoreU(weight(hn::LoadU(d, row.data + at)), d, row.data + at); });
}

template <class T>
void backward(const ScoreRow<T>& row, const RowStatistics& of, T* gradient) {
  const Tag<T> d;
  if (!proper(of)) return backward_improper(row, of, gradient);
  weigh(row, of);
  Accumulators<T> sum(0), count(0);
  const auto has_weight = [&](int64_t at) HWY_ATTR { return hn::Ne(hn::LoadU(d, row.data + at), hn::Zero(d)); };
  for_vectors<T>(row.count, [&](int64_t at, int part) HWY_ATTR {
    const auto some = has_weight(at);
    sum[part] = hn::Add(sum[part], hn::IfThenElseZero(some, hn::LoadU(d, gradient + at)));
    count[part] = hn::Add(count[part], hn::IfThenElseZero(some, hn::Set(d, T{1})));
  });
  const auto mean = hn::Set(d, sum.sum() / count.sum());
  for_vectors<T>(row.count, [&](int64_t at, int) HWY_ATTR {
    hn::StoreU(hn::IfThenElseZero(has_weight(at), hn::Sub(hn::LoadU(d, gradient + at), mean)), d, gradient + at);
  });
}

}  // namespace sparsemax_rows

RowPieces<float> sparsemax_f32() {
  return {sparsemax_rows::measure<float>, sparsemax_rows::weigh<float>, sparsemax_rows::backward<float>};
}
RowPieces<double> sparsemax_f64() {
  return {sparsemax_rows::measure<double>, sparsemax_rows::weigh<double>, sparsemax_rows::backward<double>};
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "attention/rows.h"
#include "attention/slots.h"

namespace heed::attention {
namespace {

HWY_EXPORT(sparsemax_f32);
HWY_EXPORT(sparsemax_f64);

class Sparsemax final : public NormalizerRoom {
 public:
  const char* name() const override { return "sparsemax"; }
  void prepare(Pipeline& p) const override {
    p.row_normalizer = RowNormalizer{HWY_DYNAMIC_DISPATCH(sparsemax_f32)(), HWY_DYNAMIC_DISPATCH(sparsemax_f64)()};
  }
  // The paper's: with scores in falling order, the support is the longest prefix with 1 + k·s_k > Σ of the first k.
  void reference(const Plain&, int64_t, std::vector<double>& row) const override {
    std::vector<double> sorted = row;
    std::sort(sorted.rbegin(), sorted.rend());
    const double largest = sorted.empty() || sorted[0] == -INFINITY ? 0 : sorted[0];
    for (double& s : sorted) s -= largest;
    double sum = 0, tau = INFINITY;
    for (size_t k = 1; k <= sorted.size() && sorted[k - 1] != -INFINITY; ++k) {
      sum += sorted[k - 1];
      if (1 + static_cast<double>(k) * sorted[k - 1] > sum) tau = (sum - 1) / static_cast<double>(k);
    }
    for (double& s : row) s = std::max(0.0, s - largest - tau);
  }
};

}  // namespace

Mechanism sparsemax_row() {
  return {
      .name = "sparsemax",
      .year = 2016,
      .paper = "Martins & Astudillo 2016, arXiv:1602.02068",
      .formula = "[Q Kᵀ / √D − τ]₊ V, Σ p = 1",
      .cost = "O(T·S·D) time, O(T) memory, a few rows of S in work",
      .purpose = {"Weights that are exactly 0 for most keys: what was looked at can be listed, not only ranked.",
                  "大多数键的权重恰好为 0：关注了什么可以逐一列出，而不只是排序。"},
      .trap = {"A key without weight gets no gradient: scores that start far apart may never be learned. Scores less "
               "than 1 apart share the weight, so the scale matters more than with softmax.",
               "权重为 0 的键得不到梯度：起初相差太远的分数可能永远学不到。相差不到 1 "
               "的分数才会分享权重，因此缩放比 softmax 更要紧。"},
      .code = "heed::attend(q, k, v, {.normalizer = heed::sparsemax()})",
      .learned = {},
      .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.normalizer = sparsemax()}; }};
}

}  // namespace heed::attention

namespace heed {

Normalizer sparsemax() { return {std::make_shared<attention::Sparsemax>()}; }

}  // namespace heed
#endif
