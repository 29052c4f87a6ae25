// Epilogues of the backward pass, on a tile of queries × 64 keys: the weights again, and the gradients of the scores.
#if defined(HEED_ATTENTION_ENGINE_SCORE_GRADIENTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_ATTENTION_ENGINE_SCORE_GRADIENTS_INL_H_
#undef HEED_ATTENTION_ENGINE_SCORE_GRADIENTS_INL_H_
#else
#define HEED_ATTENTION_ENGINE_SCORE_GRADIENTS_INL_H_
#endif

#include "attention/engine/pieces-inl.h"
#include "attention/engine/relative-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

inline constexpr int64_t kTileStride = kPanel;

// A block of queries against one panel of keys.
template <class T>
struct TileState {
  T *weights, *dscores, *slope;  // [rows][64]: P, then P∘M; dS; the derivative of the cap
  T* dcentres;                   // [rows]
  const T *log_sum_exp, *delta;  // [rows]; the first in units of log 2
};

// Epilogue of the scores' product: the weights again.
template <class T, class Pieces>
struct WeighAgain {
  using C = Number<T>;
  Pieces pieces;
  TileState<C> tile;
  int64_t row0, first;
  Streaming normalizer;
  C factor;  // from products to scores
  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const Vector<C> (&product)[kVectors], Width) const {
    const Tag<C> d;
    row += row0, column += first;
    Vector<C> x[kVectors];
    at_scale<T>(product, factor, x);
    pieces(row, column, x);
    if constexpr (Pieces::kMany)
      if (pieces.cap != 0) note_slope(row * kTileStride + column, x);
    C* weights = tile.weights + row * kTileStride + column;
    const auto log_sum_exp = hn::Set(d, tile.log_sum_exp[row]);
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) {
      if (!Pieces::kMany || normalizer == Streaming::softmax)
        hn::StoreU(normalized<C>(x[v], log_sum_exp), d, weights + v * kLanes<C>);
      else
        hn::StoreU(weight_alone<C>(normalizer, x[v]), d, weights + v * kLanes<C>);
    }
  }

 private:
  // d cap·tanh(s/cap) / ds = 1 − (x/cap)², x the capped score; where hidden, whatever is finite.
  template <int kVectors>
  HWY_INLINE void note_slope(int64_t at, const Vector<C> (&x)[kVectors]) const {
    const Tag<C> d;
    for (int v = 0; v < kVectors; ++v) {
      const auto part = hn::Max(hn::Set(d, C{-1}), hn::Div(x[v], hn::Set(d, pieces.cap)));
      hn::StoreU(hn::NegMulAdd(part, part, hn::Set(d, C{1})), d, tile.slope + at + v * kLanes<C>);
    }
  }
};

// Epilogue of dO·Vᵀ: dS = P∘(dP∘M − δ). kHidden: 0 at hidden keys, if there are, whose values may be anything.
template <class T, class Multiplier, bool kHidden = false>
struct ScoreGradients {
  using C = Number<T>;
  TileState<C> tile;
  Multiplier multiplier;
  int64_t row0, first, panel_column;
  C scale;                         // that dS carries
  const uint64_t* bits = nullptr;  // as in ScorePieces, where kHidden
  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const Vector<C> (&dp)[kVectors], Width) const {
    const Tag<C> d;
    row += row0, column += first;
    Vector<C> x[kVectors];
    at_scale<T>(dp, scale, x);
    const auto delta = hn::Set(d, tile.delta[row]);
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) {
      const int64_t at = row * kTileStride + column + v * kLanes<C>, key = panel_column + column + v * kLanes<C>;
      const auto p = hn::LoadU(d, tile.weights + at);
      auto ds = hn::Mul(p, hn::Sub(multiplier.dropped(row, key, x[v]), delta));
      if constexpr (kHidden)
        if (bits) ds = hn::IfThenElseZero(lanes_of(d, bits[row], column + v * kLanes<C>), ds);
      hn::StoreU(ds, d, tile.dscores + at);
      if constexpr (!std::is_same_v<Multiplier, NoMultiplier>)
        hn::StoreU(multiplier.dropped(row, key, p), d, tile.weights + at);
    }
  }
};

// The same with everything that is rare: other normalisers, a cap, hidden keys, a gradient of the weights.
template <class T>
struct ScoreGradientsOfPieces {
  using C = Number<T>;
  ScoreGradients<T, Multipliers<Number<T>>> base;
  Streaming normalizer;
  bool capped;
  const uint64_t* bits;  // as in ScorePieces
  const C* dweights;     // of the block's first query and the panel's first key, or null
  int64_t dweights_row;
  const C* guide;  // likewise
  int64_t guide_row;
  GuideKind guide_kind;
  const C* guide_factors;  // of the block's queries
  const C* relative;       // the same, of the relative values

  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const Vector<C> (&dp)[kVectors], Width) const {
    row += base.row0, column += base.first;
    Vector<C> x[kVectors];
    at_scale<T>(dp, base.scale, x);
    for (int v = 0; v < kVectors; ++v) one(row, column + v * kLanes<C>, x[v]);
  }

 private:
  HWY_NOINLINE void one(int64_t row, int64_t column, Vector<C> dp) const {
    const Tag<C> d;
    const int64_t at = row * kTileStride + column, key = base.panel_column + column;
    const auto seen = bits ? lanes_of(d, bits[row], column) : hn::FirstN(d, hn::Lanes(d));
    const auto p = hn::LoadU(d, base.tile.weights + at);
    if (relative) dp = hn::Add(dp, hn::MaskedLoad(seen, d, relative + row * RelativeBlock<C>::kDiagonal + column));
    dp = base.multiplier.dropped(row, key, dp);
    if (dweights)
      dp = hn::MulAdd(hn::MaskedLoad(seen, d, dweights + row * dweights_row + column), hn::Set(d, base.scale), dp);
    const auto aligned = guide ? hn::MaskedLoad(seen, d, guide + row * guide_row + column) : hn::Zero(d);
    if (guide && guide_kind == GuideKind::squared_error)
      dp = hn::MulAdd(hn::Sub(p, aligned), hn::Set(d, 2 * base.scale * guide_factors[row]), dp);
    dp = base.multiplier.focused(row, key, dp);
    if (base.multiplier.centres)
      base.tile.dcentres[row] += base.multiplier.centre_gradient(row, key, seen, hn::Mul(p, dp)) / base.scale;
    auto ds = hn::Mul(p, hn::Sub(dp, hn::Set(d, base.tile.delta[row])));
    if (guide && guide_kind == GuideKind::cross_entropy)
      ds = hn::NegMulAdd(aligned, hn::Set(d, base.scale * guide_factors[row]), ds);
    if (normalizer == Streaming::sigmoid) ds = hn::Mul(hn::Mul(p, hn::Sub(hn::Set(d, C{1}), p)), dp);
    if (normalizer == Streaming::none) ds = dp;
    if (capped) ds = hn::Mul(ds, hn::LoadU(d, base.tile.slope + at));
    hn::StoreU(hn::IfThenElseZero(seen, ds), d, base.tile.dscores + at);
    hn::StoreU(base.multiplier.dropped(row, key, base.multiplier.focused(row, key, p)), d, base.tile.weights + at);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#endif  // HEED_ATTENTION_ENGINE_SCORE_GRADIENTS_INL_H_
