// top_k: softmax over the k largest scores of a row; of equal ones those of the first keys.
//   p_j = e^{s_j} / Σ_top e^s for the k largest, else 0        ds = p∘(dp − Σ p∘dp)
// Gupta, Dar, Goodman, Ciprut & Berant 2021, arXiv:2106.06899. The k-th largest is found without sorting: a set is cut
// at the middle between its smallest and largest number, and the half that holds the k-th is kept, until all are equal.
#include "attention/engine/row_block.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/normalizers/top_k.cc"
#include "hwy/foreach_target.h"
// After Highway's own, in this order.
#include "attention/normalizers/row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {
namespace top_k_rows {

// The k-th largest number, and how many of those that equal it are among the k.
template <class T>
struct Kth {
  T value;
  int64_t equals;
};

// Keeps the numbers above the bound, or the others, in their order. x has room for a vector more.
template <class T>
HWY_INLINE int64_t keep(T* x, int64_t count, T bound, bool above) {
  const Tag<T> d;
  int64_t kept = 0;
  for (int64_t at = 0; at < count; at += kLanes<T>) {
    const auto v = hn::LoadU(d, x + at);
    const auto is_above = hn::Gt(v, hn::Set(d, bound));
    const auto inside = hn::FirstN(d, static_cast<size_t>(std::min(kLanes<T>, count - at)));
    const auto wanted = hn::And(inside, above ? is_above : hn::Not(is_above));
    hn::StoreU(hn::Compress(v, wanted), d, x + kept);
    kept += static_cast<int64_t>(hn::CountTrue(d, wanted));
  }
  return kept;
}
template <class T>
HWY_INLINE int64_t count_above(const T* x, int64_t count, T bound) {
  const Tag<T> d;
  int64_t found = 0;
  for (int64_t at = 0; at < count; at += kLanes<T>) {
    const auto inside = hn::FirstN(d, static_cast<size_t>(std::min(kLanes<T>, count - at)));
    found += static_cast<int64_t>(hn::CountTrue(d, hn::And(inside, hn::Gt(hn::LoadU(d, x + at), hn::Set(d, bound)))));
  }
  return found;
}
template <class T>
struct Range {
  T low, high;
};
template <class T>
HWY_INLINE Range<T> range_of(const T* x, int64_t count) {
  const Tag<T> d;
  auto low = hn::Set(d, x[0]), high = low;
  int64_t at = 0;
  for (; at + kLanes<T> <= count; at += kLanes<T>) {
    const auto v = hn::LoadU(d, x + at);
    low = hn::Min(low, v), high = hn::Max(high, v);
  }
  Range<T> range{hn::GetLane(hn::MinOfLanes(d, low)), hn::GetLane(hn::MaxOfLanes(d, high))};
  for (; at < count; ++at) range = {std::min(range.low, x[at]), std::max(range.high, x[at])};
  return range;
}

// 1 <= k <= count; uses x up.
template <class T>
HWY_NOINLINE Kth<T> select(T* x, int64_t count, int64_t k) {
  for (;;) {
    const Range<T> range = range_of(x, count);
    if (range.low == range.high) return {range.low, k};
    T middle = range.low == -INFINITY ? range.low : range.low / 2 + range.high / 2;
    if (!(middle < range.high)) middle = range.low;
    const int64_t above = count_above(x, count, middle);
    count = keep(x, count, middle, above >= k);
    if (above < k) k -= above;
  }
}

// At least k scores are not below this: the k-th largest of the maxima of at least k parts of the row.
template <class T>
HWY_INLINE T bound_of(const ScoreRow<T>& row, int64_t k, T* maxima) {
  const Tag<T> d;
  const int64_t vectors = row.count / kLanes<T>, parts = (2 * k + kLanes<T> - 1) / kLanes<T>;
  if (2 * parts > vectors) return std::numeric_limits<T>::lowest();
  for (int64_t part = 0; part < parts; ++part) {
    auto largest = hn::Set(d, std::numeric_limits<T>::lowest());
    for (int64_t i = part; i < vectors; i += parts) largest = hn::Max(hn::LoadU(d, row.data + i * kLanes<T>), largest);
    hn::StoreU(largest, d, maxima + part * kLanes<T>);
  }
  return select(maxima, parts * kLanes<T>, k).value;
}

// The place of the n-th key whose score is this.
template <class T>
HWY_NOINLINE int64_t place_of(const ScoreRow<T>& row, T score, int64_t n) {
  int64_t j = 0;
  for (; n > 0; ++j) n -= row.data[j] == score;
  return row.first + j - 1;
}

// Which scores of a vector are among the k.
template <class T>
struct AmongTheK {
  T threshold;
  int64_t last;  // of those that equal the threshold: index in the row
  HWY_INLINE hn::Mask<Tag<T>> operator()(Vector<T> s, int64_t at) const {
    const Tag<T> d;
    const auto limit = hn::Set(d, threshold);
    if (HWY_LIKELY(last >= at + kLanes<T> - 1)) return hn::Ge(s, limit);
    const auto before = hn::FirstN(d, static_cast<size_t>(std::max<int64_t>(0, last + 1 - at)));
    return hn::Or(hn::Gt(s, limit), hn::And(before, hn::Eq(s, limit)));
  }
};
template <class T>
HWY_INLINE AmongTheK<T> chosen_of(const ScoreRow<T>& row, const RowStatistics& of) {
  return {static_cast<T>(of.threshold), static_cast<int64_t>(of.place) - row.first};
}

// body(at, scores, chosen): where something is chosen.
template <class T, class Body>
HWY_INLINE void for_chosen(const ScoreRow<T>& row, const AmongTheK<T>& chosen, const Body& body) {
  const Tag<T> d;
  for_vectors<T>(row.count, [&](int64_t at, int part) HWY_ATTR {
    const auto s = hn::LoadU(d, row.data + at);
    const auto some = chosen(s, at);
    if (!hn::AllFalse(d, some)) body(at, part, s, some);
  });
}

template <class T>
RowStatistics measure(const ScoreRow<T>& row, int64_t k) {
  struct Use;
  const Tag<T> d;
  T* list = kernels::scratch<Use, T>(row.count + 2 * kPanel);
  const T bound = bound_of(row, k, list);
  const int64_t count = take_from(row.data, row.count, bound, list);
  if (count == 0) return {.threshold = INFINITY};
  const T largest = largest_of(row.data, row.count);
  for (int64_t j = 0; j < count; ++j)
    if (!std::isfinite(list[j])) return {.threshold = NAN};
  RowStatistics of{.largest = largest, .threshold = bound, .place = static_cast<double>(row.first + row.count)};
  if (k < count) {
    const Kth<T> kth = select(list, count, k);
    of.threshold = kth.value;
    of.place = static_cast<double>(place_of(row, kth.value, kth.equals));
  }
  Accumulators<T> sum(0);
  for_chosen(row, chosen_of(row, of), [&](int64_t, int part, auto s, auto some) HWY_ATTR {
    sum[part] = hn::Add(sum[part], hn::IfThenElseZero(some, power_of_two(hn::Sub(s, hn::Set(d, largest)))));
  });
  of.sum = sum.sum();
  return of;
}

template <class T>
void weigh(const ScoreRow<T>& row, const RowStatistics& of) {
  const Tag<T> d;
  if (!proper(of)) return weigh_improper(row, of);
  const AmongTheK<T> chosen = chosen_of(row, of);
  const auto largest = hn::Set(d, static_cast<T>(of.largest)), factor = hn::Set(d, static_cast<T>(1 / of.sum));
  for_vectors<T>(row.count, [&](int64_t at, int) HWY_ATTR {
    const auto s = hn::LoadU(d, row.data + at);
    const auto some = chosen(s, at);
    auto p = hn::Zero(d);
    if (!hn::AllFalse(d, some)) p = hn::IfThenElseZero(some, hn::Mul(power_of_two(hn::Sub(s, largest)), factor));
    hn::StoreU(p, d, row.data + at);
  });
}

template <class T>
void backward(const ScoreRow<T>& row, const RowStatistics& of, T* gradient) {
  const Tag<T> d;
  if (!proper(of)) return backward_improper(row, of, gradient);
  weigh(row, of);
  Accumulators<T> sum(0);
  for_vectors<T>(row.count, [&](int64_t at, int part) HWY_ATTR {
    const auto p = hn::LoadU(d, row.data + at);
    const auto of_weights = hn::IfThenElseZero(hn::Ne(p, hn::Zero(d)), hn::LoadU(d, gradient + at));
    sum[part] = hn::MulAdd(p, of_weights, sum[part]);
  });
  const auto delta = hn::Set(d, sum.sum());
  for_vectors<T>(row.count, [&](int64_t at, int) HWY_ATTR {
    const auto p = hn::LoadU(d, row.data + at);
    const auto of_scores = hn::Mul(p, hn::Sub(hn::LoadU(d, gradient + at), delta));
    hn::StoreU(hn::IfThenElseZero(hn::Ne(p, hn::Zero(d)), of_scores), d, gradient + at);
  });
}

template <class T>
RowPieces<T> pieces(int64_t k) {
  return {[k](const ScoreRow<T>& row) { return measure(row, k); }, weigh<T>, backward<T>};
}

}  // namespace top_k_rows

RowPieces<float> top_k_f32(int64_t k) { return top_k_rows::pieces<float>(k); }
RowPieces<double> top_k_f64(int64_t k) { return top_k_rows::pieces<double>(k); }

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"

namespace heed::attention {
namespace {

HWY_EXPORT(top_k_f32);
HWY_EXPORT(top_k_f64);

class TopK final : public NormalizerRoom {
 public:
  explicit TopK(int64_t k) : k_(k) {}
  const char* name() const override { return "top_k"; }
  void prepare(Pipeline& p) const override {
    p.row_normalizer = RowNormalizer{HWY_DYNAMIC_DISPATCH(top_k_f32)(k_), HWY_DYNAMIC_DISPATCH(top_k_f64)(k_)};
  }
  void reference(const Plain&, int64_t, std::vector<double>& row) const override {
    std::vector<size_t> order(row.size());
    for (size_t j = 0; j < order.size(); ++j) order[j] = j;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return row[a] > row[b]; });
    std::vector<double> weights(row.size());
    double sum = 0;
    for (size_t i = 0; i < order.size() && i < static_cast<size_t>(k_) && row[order[i]] != -INFINITY; ++i)
      sum += weights[order[i]] = std::exp(row[order[i]] - row[order[0]]);
    for (size_t j = 0; j < row.size(); ++j) row[j] = sum == 0 ? 0 : weights[j] / sum;
  }

 private:
  int64_t k_;
};

}  // namespace

Mechanism top_k_row() {
  return {.name = "top_k",
          .year = 2021,
          .paper = "Gupta et al. 2021, arXiv:2106.06899",
          .formula = "softmax(s, j ∈ top_k(s)) V,  s = Q Kᵀ / √D",
          .cost = "O(T·S·D) time, O(T) memory, a few rows of S in work",
          .purpose = {"Each query looks at k keys at most: noise from thousands of small weights is gone.",
                      "每个查询至多关注 k 个键：成千上万个小权重带来的噪声就此消失。"},
          .trap = {"Keys outside of the k get no gradient. Of equal scores the first keys are taken, so a constant row "
                   "looks at its beginning.",
                   "k 个之外的键得不到梯度。分数相等时取靠前的键，因此分数全部相同的一行只看开头。"},
          .code = "heed::attend(q, k, v, {.normalizer = heed::top_k(32)})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.normalizer = top_k(3)}; }};
}

}  // namespace heed::attention

namespace heed {

Normalizer top_k(int64_t k) {
  check(k >= 1, "top_k", "k is {}, wanted at least 1", k);
  return {std::make_shared<attention::TopK>(k)};
}

}  // namespace heed
#endif
