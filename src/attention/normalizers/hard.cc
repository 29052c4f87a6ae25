// hard: each query looks at one key, the one with the largest score (of equal ones the first).
//   p_j = 1 where j = arg max s, else 0        ds = 0: the choice does not move when a score moves a little
// Xu et al. 2015, arXiv:1502.03044. Only the values learn.
#include "attention/engine/row_block.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/normalizers/hard.cc"
#include "hwy/foreach_target.h"
// After Highway's own, in this order.
#include "attention/normalizers/row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {
namespace hard_rows {

// place: of the key that was chosen. threshold: +∞ where the row looks nowhere, NaN where a score is NaN.
template <class T>
RowStatistics measure(const ScoreRow<T>& row) {
  const Tag<T> d;
  const T largest = largest_of(row.data, row.count);
  Accumulators<T> nothing(0);  // 0, or NaN
  for_vectors<T>(row.count, [&](int64_t at, int part) HWY_ATTR {
    const auto s = hn::LoadU(d, row.data + at);
    nothing[part] = hn::Add(nothing[part], hn::IfThenElseZero(hn::IsNaN(s), s));
  });
  if (std::isnan(nothing.sum())) return {.threshold = NAN};
  if (largest == -INFINITY) return {.threshold = INFINITY};
  return {.place = static_cast<double>(row.first + (std::find(row.data, row.data + row.count, largest) - row.data))};
}

template <class T>
void weigh(const ScoreRow<T>& row, const RowStatistics& of) {
  if (!proper(of)) return weigh_improper(row, of);
  std::fill_n(row.data, row.count, T{0});
  row.data[static_cast<int64_t>(of.place) - row.first] = 1;
}

template <class T>
void backward(const ScoreRow<T>& row, const RowStatistics& of, T* gradient) {
  weigh(row, of);
  std::fill_n(gradient, row.count, T{0});
}

}  // namespace hard_rows

RowPieces<float> hard_f32() { return {hard_rows::measure<float>, hard_rows::weigh<float>, hard_rows::backward<float>}; }
RowPieces<double> hard_f64() {
  return {hard_rows::measure<double>, hard_rows::weigh<double>, hard_rows::backward<double>};
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "attention/rows.h"
#include "attention/slots.h"

namespace heed::attention {
namespace {

HWY_EXPORT(hard_f32);
HWY_EXPORT(hard_f64);

class Hard final : public NormalizerRoom {
 public:
  const char* name() const override { return "hard"; }
  void prepare(Pipeline& p) const override {
    p.row_normalizer = RowNormalizer{HWY_DYNAMIC_DISPATCH(hard_f32)(), HWY_DYNAMIC_DISPATCH(hard_f64)()};
  }
  void reference(const Plain&, int64_t, std::vector<double>& row) const override {
    const auto best = std::max_element(row.begin(), row.end());
    if (best == row.end()) return;
    const double weight = *best == -INFINITY ? 0 : 1;
    const auto place = best - row.begin();
    std::fill(row.begin(), row.end(), 0.0);
    row[static_cast<size_t>(place)] = weight;
  }
};

}  // namespace

Mechanism hard_row() {
  return {
      .name = "hard",
      .year = 2015,
      .paper = "Xu et al. 2015, arXiv:1502.03044",
      .formula = "v_j, j = arg max_j q·k_j / √D",
      .cost = "O(T·S·D) time, O(T) memory, a few rows of S in work",
      .purpose = {"One key and nothing else: a choice that can be read off, and a lookup at run time.",
                  "只看一个键，别无其他：选择一目了然，运行时相当于查表。"},
      .trap = {"The scores get no gradient, so a model cannot learn where to look through it: train with softmax, or "
               "with sampled and a reward.",
               "分数得不到梯度，模型无法借此学会看哪里：训练时应使用 softmax，或 sampled 加奖励。"},
      .code = "heed::attend(q, k, v, {.normalizer = heed::hard()})",
      .learned = {},
      .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.normalizer = hard()}; }};
}

}  // namespace heed::attention

namespace heed {

Normalizer hard() { return {std::make_shared<attention::Hard>()}; }

}  // namespace heed
#endif
