#include "kernels/linear_cross_entropy_blocks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/linear_cross_entropy_blocks.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/exponential-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// A by rows that, while it is read, asks L2 for what lies `stride` floats further on: the next block. A line at a time,
// so that the requests never queue up before the product's own loads.
struct ByRowsAndNext {
  const float* data;
  int64_t row_stride, stride;
  HWY_INLINE ByRowsAndNext from_row(int64_t i) const { return {data + i * row_stride, row_stride, stride}; }
  template <int kRows>
  struct Cursor {
    const float* row[kRows];
    int64_t stride, k = 0;
    HWY_INLINE explicit Cursor(const ByRowsAndNext& a) : stride(a.stride) {
      HWY_UNROLL(8) for (int r = 0; r < kRows; ++r) row[r] = a.data + r * a.row_stride;
    }
    HWY_INLINE float get(int r) const {
      if (k % 16 == 0) __builtin_prefetch(row[r] + k + stride, 0, 2);
      return row[r][k];
    }
    HWY_INLINE void next() { ++k; }
  };
};
HWY_INLINE ByRowsAndNext by_rows_and_next(const float* data, int64_t columns, int64_t rows, bool more) {
  return {data, columns, more ? rows * columns : 0};
}

template <bool kBias, bool kKeep>
HWY_NOINLINE void logits(const LogitBlock& block) {
  const D d;
  const LogitBlock b = block;
  product<BestShape, Columns::whole>(
      b.classes, b.columns, b.width, by_rows_and_next(b.weight, b.width, b.classes, b.more),
      panels(b.x_panels, b.width), per_vector([b, d](int64_t row, int64_t column, auto z, auto) HWY_ATTR {
        if constexpr (kBias) z = hn::Add(z, hn::Set(d, b.bias[row]));
        const V e = exp_at_most_88(d, hn::Sub(z, hn::LoadU(d, b.reference + column)));
        if constexpr (kKeep) hn::StoreU(e, d, b.exponentials + row * b.columns + column);
        hn::StoreU(hn::Max(z, hn::LoadU(d, b.largest + column)), d, b.largest + column);
        hn::StoreU(hn::Add(e, hn::LoadU(d, b.sum + column)), d, b.sum + column);
      }));
}

void LogitsOfBlock(const LogitBlock& b) {
  if (b.bias)
    b.exponentials ? logits<true, true>(b) : logits<true, false>(b);
  else
    b.exponentials ? logits<false, true>(b) : logits<false, false>(b);
}

void InputGradientOfBlock(const InputGradientBlock& b) {
  const D d;
  const auto a = by_columns(b.exponentials, b.columns);
  const auto weight = matrix(b.weight, b.width);
  if (b.add)
    product(b.columns, b.width, b.classes, a, weight, add_to(d, b.part, b.width));
  else
    product(b.columns, b.width, b.classes, a, weight, store_to(d, b.part, b.width));
}

template <class Epilogue>
HWY_NOINLINE void weight_gradient(const WeightGradientBlock& b, Epilogue epilogue) {
  product(b.classes, b.width, b.columns, by_rows_and_next(b.exponentials, b.columns, b.classes, b.more),
          panels(b.x_panels, b.columns), epilogue);
}

void add_bias_gradient(const WeightGradientBlock& b) {
  const D d;
  for (int64_t v = 0; v < b.classes; ++v) {
    V sum = hn::Zero(d);
    for (int64_t i = 0; i < b.columns; i += static_cast<int64_t>(hn::Lanes(d)))
      sum = hn::MulAdd(hn::LoadU(d, b.exponentials + v * b.columns + i), hn::LoadU(d, b.factor + i), sum);
    b.dbias[v] += hn::GetLane(hn::SumOfLanes(d, sum));
  }
}

void WeightGradientOfBlock(const WeightGradientBlock& b) {
  const D d;
  if (b.dweight && b.add) weight_gradient(b, add_to(d, b.dweight, b.width));
  if (b.dweight && !b.add) weight_gradient(b, store_to(d, b.dweight, b.width));
  if (b.dbias) add_bias_gradient(b);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {

HWY_EXPORT(LogitsOfBlock);
HWY_EXPORT(InputGradientOfBlock);
HWY_EXPORT(WeightGradientOfBlock);

void logit_block(const LogitBlock& block) { HWY_DYNAMIC_DISPATCH(LogitsOfBlock)(block); }
void input_gradient_block(const InputGradientBlock& block) { HWY_DYNAMIC_DISPATCH(InputGradientOfBlock)(block); }
void weight_gradient_block(const WeightGradientBlock& block) { HWY_DYNAMIC_DISPATCH(WeightGradientOfBlock)(block); }

}  // namespace heed::kernels
#endif
