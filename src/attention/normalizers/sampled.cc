// sampled: each query looks at one key, drawn by the softmax of its scores.
//   out = v_j with probability p_j       log_probability = log p_j       entropy = −Σ p log p
// Values get their gradient through out; scores get none through it. What trains them is the score function of what was
// drawn, Williams 1992, doi:10.1007/BF00992696; Xu et al. 2015, arXiv:1502.03044 §4.1:
//   ∂ log p_j / ∂s = e_j − p       ∂ entropy / ∂s = −p∘(log p + entropy)
// Row i of head h and batch b draws by word (b·H + h)·T + i of the call: the same keys for any number of threads.
#include "attention/engine/row_block.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/normalizers/sampled.cc"
#include "hwy/foreach_target.h"
// After Highway's own, in this order.
#include "attention/normalizers/row-inl.h"
#include "attention/normalizers/sampled.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {
namespace sampled_rows {

// 2^(s − largest), and their sums by panels of 64 keys.
template <class T>
HWY_INLINE double exponentials(const ScoreRow<T>& row, T largest, T* to, double* sums) {
  const Tag<T> d;
  double total = 0;
  for (int64_t first = 0; first < row.count; first += kPanel) {
    auto sum = hn::Zero(d);
    for (int64_t i = first; i < first + kPanel; i += kLanes<T>) {
      const auto e = power_of_two(hn::Sub(hn::LoadU(d, row.data + i), hn::Set(d, largest)));
      hn::StoreU(e, d, to + i);
      sum = hn::Add(sum, e);
    }
    total += sums[first / kPanel] = static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
  }
  return total;
}

// The first place where the running sum exceeds `wanted`, or else the last that has any.
template <class T>
HWY_INLINE int64_t place_of(const T* x, int64_t count, double wanted) {
  int64_t place = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (x[i] > 0) place = i, wanted -= static_cast<double>(x[i]);
    if (wanted < 0) break;
  }
  return place;
}
template <class T>
HWY_INLINE int64_t drawn(const T* x, const double* sums, int64_t count, double wanted) {
  int64_t panel = 0;
  for (int64_t i = 0; i < count / kPanel; ++i) {
    if (sums[i] > 0) panel = i;
    if (wanted < sums[i]) break;
    wanted -= sums[i];
  }
  return panel * kPanel + place_of(x + panel * kPanel, kPanel, wanted);
}

template <class T>
HWY_INLINE bool has_nan(const ScoreRow<T>& row) {
  const Tag<T> d;
  Accumulators<T> nothing(0);  // 0, or NaN
  for_vectors<T>(row.count, [&](int64_t at, int part) HWY_ATTR {
    const auto s = hn::LoadU(d, row.data + at);
    nothing[part] = hn::Add(nothing[part], hn::IfThenElseZero(hn::IsNaN(s), s));
  });
  return std::isnan(nothing.sum());
}

// Σ p log₂ p, p = 2^(s − lse)
template <class T>
HWY_INLINE double sum_of_logs(const ScoreRow<T>& row, T lse) {
  const Tag<T> d;
  Accumulators<T> sum(0);
  for_vectors<T>(row.count, [&](int64_t at, int part) HWY_ATTR {
    const auto log = hn::Sub(hn::LoadU(d, row.data + at), hn::Set(d, lse));
    const auto p = power_of_two(log);
    sum[part] = hn::Add(sum[part], hn::IfThenElseZero(hn::Gt(p, hn::Zero(d)), hn::Mul(p, log)));
  });
  return static_cast<double>(sum.sum());
}

template <class T>
RowStatistics measure(const ScoreRow<T>& row, const Random& from) {
  struct Powers;
  struct Sums;
  const T largest = largest_of(row.data, row.count);
  if (has_nan(row) || largest == INFINITY) return improper_row(kNotANumber);
  if (largest == -INFINITY) return improper_row(kNowhere);
  T* powers = kernels::scratch<Powers, T>(row.count);
  double* sums = kernels::scratch<Sums, double>(row.count / kPanel);
  const double total = exponentials(row, largest, powers, sums);
  const int64_t place = drawn(powers, sums, row.count, uniform(from, row.number) * total);
  const double lse = static_cast<double>(largest) + std::log2(total);
  return {.largest = lse,
          .threshold = (static_cast<double>(row.data[place]) - lse) * kLn2,
          .sum = -sum_of_logs(row, static_cast<T>(lse)) * kLn2,
          .place = static_cast<double>(row.first + place)};
}

inline RowStatistics improper(const RowStatistics& of) { return {.threshold = of.place == kNowhere ? INFINITY : NAN}; }

template <class T>
void weigh(const ScoreRow<T>& row, const RowStatistics& of) {
  if (of.place < 0) return weigh_improper(row, improper(of));
  std::fill_n(row.data, row.count, T{0});
  row.data[static_cast<int64_t>(of.place) - row.first] = 1;
}

// What arrives at log p and at the entropy stands in place of them: with_arrived.
template <class T>
void backward(const ScoreRow<T>& row, const RowStatistics& of, T* gradient) {
  const Tag<T> d;
  if (of.place < 0) return backward_improper(row, improper(of), gradient);
  const T lse = static_cast<T>(of.largest), of_log = static_cast<T>(of.threshold), of_entropy = static_cast<T>(of.sum);
  const T entropy = of_entropy == 0 ? T{0} : static_cast<T>(-sum_of_logs(row, lse) * kLn2);
  for_vectors<T>(row.count, [&](int64_t at, int) HWY_ATTR {
    const auto log = hn::Sub(hn::LoadU(d, row.data + at), hn::Set(d, lse));
    const auto p = power_of_two(log);
    const auto information = hn::MulAdd(log, hn::Set(d, static_cast<T>(kLn2)), hn::Set(d, entropy));
    const auto ds = hn::Mul(hn::Neg(p), hn::MulAdd(hn::Set(d, of_entropy), information, hn::Set(d, of_log)));
    hn::StoreU(hn::IfThenElseZero(hn::Gt(p, hn::Zero(d)), ds), d, gradient + at);
  });
  gradient[static_cast<int64_t>(of.place) - row.first] += of_log;
  weigh(row, of);
}

template <class T>
RowPieces<T> pieces(const Random& from) {
  return {[from](const ScoreRow<T>& row) { return measure(row, from); }, weigh<T>, backward<T>};
}

}  // namespace sampled_rows

RowPieces<float> sampled_f32(const Random& from) { return sampled_rows::pieces<float>(from); }
RowPieces<double> sampled_f64(const Random& from) { return sampled_rows::pieces<double>(from); }

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "attention/rows.h"
#include "attention/slots.h"

namespace heed::attention {
namespace {

HWY_EXPORT(sampled_f32);
HWY_EXPORT(sampled_f64);

class Sampled final : public NormalizerRoom {
 public:
  const char* name() const override { return "sampled"; }
  void prepare(Pipeline& p) const override {
    p.draws = [](const Random& from) {
      return RowNormalizer{HWY_DYNAMIC_DISPATCH(sampled_f32)(from), HWY_DYNAMIC_DISPATCH(sampled_f64)(from)};
    };
    p.row_normalizer = p.draws({});
  }
  void reference(const Plain& x, int64_t i, std::vector<double>& row) const override {
    const NormalizerRoom& softmax = room_of(Normalizer{});
    softmax.reference(x, i, row);
    double wanted = uniform(x.random, (x.batch * x.heads + x.head) * x.queries + i);
    bool found = false;
    for (double& p : row) {
      wanted -= p;
      const bool here = !found && wanted < 0 && p > 0;
      found |= here;
      if (!std::isnan(p)) p = here ? 1 : 0;
    }
  }
};

}  // namespace

Mechanism sampled_row() {
  return {
      .name = "sampled",
      .year = 2015,
      .paper = "Xu et al. 2015, arXiv:1502.03044; Williams 1992, doi:10.1007/BF00992696",
      .formula = "v_j, j ~ p = softmax(q·Kᵀ / √D),  ∂E[r] = E[r ∂log p_j]",
      .cost = "O(T·S·D) time, O(T) memory, a few rows of S in work",
      .purpose = {"Hard attention that learns where to look: a key is drawn, and a reward says whether that was good.",
                  "能学会看哪里的硬注意力：抽取一个键，再由奖励说明这次选择的好坏。"},
      .trap =
          {"Out brings the scores no gradient: add score_function_loss(attended, reward), with a baseline, or the "
           "noise of the estimate drowns it. For reading, take hard or softmax instead of a draw.",
           "输出不给分数任何梯度：须加上 score_function_loss(attended, reward) 并使用基线，否则估计的噪声会淹没信号。"
           "推理时应改用 hard 或 softmax，而不是抽样。"},
      .code = "heed::attend(q, k, v, {.normalizer = heed::sampled()})",
      .learned = {},
      .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.normalizer = sampled()}; }};
}

}  // namespace heed::attention

namespace heed {

Normalizer sampled() { return {std::make_shared<attention::Sampled>()}; }

}  // namespace heed
#endif
