// The pieces of the pipeline between the product q·k and the weighted sum, on the neighbouring keys of one query: they
// run in the epilogue of the product, while its result is in registers. Scores are in units of log 2, so that weights
// are powers of two.
#if defined(HEED_ATTENTION_ENGINE_PIECES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_ATTENTION_ENGINE_PIECES_INL_H_
#undef HEED_ATTENTION_ENGINE_PIECES_INL_H_
#else
#define HEED_ATTENTION_ENGINE_PIECES_INL_H_
#endif

#include <array>
#include <cmath>

#include "attention/engine/bands.h"
#include "attention/engine/problem.h"
#include "attention/engine/units-inl.h"
#include "kernels/exponential-inl.h"
#include "kernels/logarithm-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

inline constexpr double kLog2E = 1.44269504088896340736, kLn2 = 0.69314718055994530942;

// A row's log-sum-exp in units of log 2; one that looks nowhere has weights 2^(−∞ − 0).
template <class T>
HWY_INLINE T in_log2(T log_sum_exp) {
  return log_sum_exp == -INFINITY ? T{0} : log_sum_exp * static_cast<T>(kLog2E);
}

// 2^r for |r| <= 1/2, with a relative error of 1e-7.
HWY_INLINE Vector<float> power_of_fraction(Vector<float> r) {
  const Tag<float> d;
  auto p = hn::MulAdd(hn::Set(d, 0.00132764717813f), r, hn::Set(d, 0.00967554133276f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.0555071327415f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.240221197239f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.693146967064f));
  return hn::MulAdd(p, r, hn::Set(d, 1.00000007165f));
}
// 2^x; 0 for −∞, ∞ from 128 on, NaN for NaN.
HWY_INLINE Vector<float> power_of_two(Vector<float> x) {
  const Tag<float> d;
#if HWY_TARGET <= HWY_AVX3
  x = hn::Max(hn::Set(d, -200.0f), x);
  const auto n = hn::Round(x);
  return kn::scale_by_power(d, power_of_fraction(hn::Sub(x, n)), n);
#else
  const auto magic = hn::Set(d, kn::kExponentMagic);
  x = hn::Min(hn::Set(d, 128.0f), hn::Max(hn::Set(d, -127.0f), x));
  const auto n_with_magic = hn::Add(x, magic), r = hn::Sub(x, hn::Sub(n_with_magic, magic));
  return hn::Mul(power_of_fraction(r), kn::power_of_exponent(d, n_with_magic));
#endif
}
HWY_INLINE Vector<double> power_of_two(Vector<double> x) { return kn::exp2(Tag<double>(), x); }

// Softmax's weights from scores and their log-sum-exp, in units of log 2. Of scores that are huge the difference is but
// rounding; no weight exceeds 1.
template <class T>
HWY_INLINE Vector<T> normalized(Vector<T> x, Vector<T> log_sum_exp) {
  return power_of_two(hn::Min(hn::Zero(Tag<T>()), hn::Sub(x, log_sum_exp)));  // NaN stays NaN
}

// Lanes of 64 keys as bits: those of the vector that begins at `column`.
template <class D>
HWY_INLINE hn::Mask<D> lanes_of(D d, uint64_t bits, int64_t column) {
  const uint64_t here = bits >> column;
  return hn::LoadMaskBits(d, reinterpret_cast<const uint8_t*>(&here));
}

// Products times their factor: where the tile multiplied numbers, one of them carried it; pairs do not.
template <class T, int kVectors>
HWY_INLINE void at_scale(const Vector<Number<T>> (&product)[kVectors], Number<T> factor,
                         Vector<Number<T>> (&x)[kVectors]) {
  const auto by = hn::Set(Tag<Number<T>>(), factor);
  HWY_UNROLL(4)
  for (int v = 0; v < kVectors; ++v) x[v] = std::is_same_v<T, bf16> ? hn::Mul(product[v], by) : product[v];
}

// The product is the score.
struct NoPieces {
  static constexpr bool kMany = false;
  template <class V, int kVectors>
  HWY_INLINE void operator()(int64_t, int64_t, V (&)[kVectors]) const {}
};

// The product is the score of those keys that the query sees, −∞ that of others.
struct HiddenKeys {
  static constexpr bool kMany = false;
  const uint64_t* bits;  // one a query of the block; null: all keys are visible
  template <class V, int kVectors>
  HWY_INLINE void operator()(int64_t row, int64_t column, V (&x)[kVectors]) const {
    const hn::DFromV<V> d;
    using T = hn::TFromD<decltype(d)>;
    const auto hidden = hn::Set(d, static_cast<T>(-INFINITY));
    if (!bits) return;
    HWY_UNROLL(4)
    for (int v = 0; v < kVectors; ++v)
      x[v] = hn::IfThenElse(lanes_of(d, bits[row], column + v * kLanes<T>), x[v], hidden);
  }
};

// From a product to a score: biases, the cap, and −∞ where the query may not look.
template <class T>
struct ScorePieces {
  static constexpr bool kMany = true;
  static constexpr int kMostBiases = 8;
  struct Bias {
    const T* data;  // of the block's first query and the panel's first key
    int64_t row;
    int64_t ahead = 0;  // so far on lies what is wanted next: it is fetched meanwhile
  };
  Bias biases[kMostBiases];
  int count = 0;
  T cap = 0;                       // in units of log 2; 0: none
  const uint64_t* bits = nullptr;  // one a query of the block; null: all keys are visible

  template <class Stored>
  ScorePieces(const Problem<Stored>& p, int64_t b, int64_t h, int64_t row, int64_t key, const uint64_t* bits)
      : count(static_cast<int>(p.biases.size())), cap(static_cast<T>(p.soft_cap * kLog2E)), bits(bits) {
    for (size_t i = 0; i < p.biases.size(); ++i) biases[i] = {p.biases[i].at(b, h, row) + key, p.biases[i].row};
  }
  void add(const Bias& bias) { biases[count++] = bias; }
  // So many keys and rows on, the same is wanted. Biases of a key or a distance are small: they stay in a cache.
  void fetch_ahead(int64_t keys, int64_t rows) {
    for (int i = 0; i < count; ++i)
      if (biases[i].row > 0) biases[i].ahead = keys + rows * biases[i].row;
  }
  // x: scores of query `row` and the keys from `column` on.
  template <int kVectors>
  HWY_INLINE void operator()(int64_t row, int64_t column, Vector<T> (&x)[kVectors]) const {
    const auto hidden = hn::Set(Tag<T>(), static_cast<T>(-INFINITY));
    for (int i = 0; i < count; ++i) {
      const T* from = biases[i].data + row * biases[i].row + column;
      if (biases[i].ahead != 0)
        for (int64_t c = 0; c < kVectors * kLanes<T>; c += 64 / static_cast<int64_t>(sizeof(T)))
          __builtin_prefetch(from + biases[i].ahead + c);
      add(from, row, column, x);
    }
    if (cap != 0) HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) x[v] = capped(x[v]);
    if (bits)
      HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) x[v] = hn::IfThenElse(lanes(row, column, v), x[v], hidden);
  }
  HWY_INLINE hn::Mask<Tag<T>> lanes(int64_t row, int64_t column, int v) const {
    return lanes_of(Tag<T>(), bits[row], column + v * kLanes<T>);
  }

 private:
  // Nothing is read of a key that is not visible: it may lie beyond the end.
  template <int kVectors>
  HWY_INLINE void add(const T* bias, int64_t row, int64_t column, Vector<T> (&x)[kVectors]) const {
    const Tag<T> d;
    const auto log2e = hn::Set(d, static_cast<T>(kLog2E));
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) {
      const T* from = bias + v * kLanes<T>;
      x[v] = hn::MulAdd(bits ? hn::MaskedLoad(lanes(row, column, v), d, from) : hn::LoadU(d, from), log2e, x[v]);
    }
  }
  HWY_NOINLINE Vector<T> capped(Vector<T> x) const {
    const Tag<T> d;
    return hn::Mul(kn::tanh(d, hn::Div(x, hn::Set(d, cap))), hn::Set(d, cap));
  }
};

// Products are the scores.
template <class T>
bool has_no_pieces(const Problem<T>& p) {
  return p.biases.empty() && p.soft_cap == 0 && !p.features && !p.relative;
}

// Weights that do not depend on each other, of scores in units of log 2; 0 where hidden.
template <class T>
HWY_INLINE Vector<T> weight_alone(Streaming normalizer, Vector<T> x) {
  const Tag<T> d;
  const auto s = hn::Mul(x, hn::Set(d, static_cast<T>(kLn2)));
  if (normalizer == Streaming::sigmoid) return kn::sigmoid(d, s);
  return hn::IfThenZeroElse(hn::Eq(x, hn::Set(d, static_cast<T>(-INFINITY))), s);
}

// What multiplies the weights after the normaliser: `focused` is part of the weights, `dropped` comes after them.
struct NoMultiplier {
  template <class V>
  HWY_INLINE V focused(int64_t, int64_t, V p) const {
    return p;
  }
  template <class V>
  HWY_INLINE V dropped(int64_t, int64_t, V p) const {
    return p;
  }
};

// Dropout: weights that are kept, times `factor`.
template <class T>
struct Keep : NoMultiplier {
  Keep(const Dropout& dropout, const uint64_t* words) : words(words), factor(static_cast<T>(dropout.factor())) {}
  const uint64_t* words;  // [rows][2]: a bit for each of 128 keys
  T factor;
  // p: of query `row` and the keys from `column` of the 128 on.
  HWY_INLINE Vector<T> dropped(int64_t row, int64_t column, Vector<T> p) const {
    const Tag<T> d;
    const auto kept = lanes_of(d, words[2 * row + column / kPanel], column % kPanel);
    return hn::IfThenElseZero(kept, hn::Mul(p, hn::Set(d, factor)));
  }
};

// Whatever there is, asked at run time: dropout, and a Gaussian around each row's centre, m = exp(−(j − c)²/2σ²),
// ∂m/∂c = m (j − c)/σ².
template <class T>
struct Multipliers {
  Keep<T> keep;      // its words null where nothing is dropped
  const T* centres;  // of the block's rows, or null
  T first;           // the key of column 0
  T sigma;
  template <class Stored>
  Multipliers(const Problem<Stored>& p, int64_t b, int64_t h, int64_t row, int64_t key, const uint64_t* words)
      : keep(p.dropout, p.dropout ? words : nullptr),
        centres(p.centres.data ? p.centres.data + (b * p.n.heads + h) * p.n.queries + row : nullptr),
        first(static_cast<T>(key)),
        sigma(static_cast<T>(p.centres.sigma)) {}
  HWY_INLINE Vector<T> dropped(int64_t row, int64_t column, Vector<T> p) const {
    return keep.words ? keep.dropped(row, column, p) : p;
  }
  // How far the keys lie from the row's centre.
  HWY_INLINE Vector<T> away(int64_t row, int64_t column) const {
    const Tag<T> d;
    return hn::Sub(hn::Iota(d, first + static_cast<T>(column)), hn::Set(d, centres[row]));
  }
  HWY_INLINE Vector<T> focused(int64_t row, int64_t column, Vector<T> p) const {
    if (!centres) return p;
    const Tag<T> d;
    const auto x = away(row, column);
    const auto factor = hn::Set(d, static_cast<T>(-kLog2E / 2) / (sigma * sigma));
    return hn::Mul(p, power_of_two(hn::Mul(hn::Mul(x, x), factor)));
  }
  // Σ px·(j − c)/σ² where seen: ∂/∂c of what px = x·p·m is the product of.
  HWY_INLINE T centre_gradient(int64_t row, int64_t column, hn::Mask<Tag<T>> seen, Vector<T> px) const {
    const Tag<T> d;
    const auto all = hn::IfThenElseZero(seen, hn::Mul(px, away(row, column)));
    return hn::GetLane(hn::SumOfLanes(d, all)) / (sigma * sigma);
  }
};

// Tiles of f64, which is there to check f32 with, are fewer: what is compiled takes half its time less.
template <class C>
using ShapeOf = std::conditional_t<std::is_same_v<C, double>, kn::Shape<4, 2>, kn::BestShape>;
template <class C>
using NarrowShapeOf = std::conditional_t<std::is_same_v<C, double>, kn::Shape<4, 2>, kn::Shape<6, 2>>;

// c += a·b
template <class A, class B, class T>
HWY_INLINE void add_product(int64_t rows, int64_t columns, int64_t depth, const A& a, const B& b, T* c,
                            int64_t stride) {
  const auto add = kn::add_to(Tag<T>(), c, stride);
  if constexpr (std::is_same_v<T, float>)
    if (columns % kLanes<T> == 0) return kn::product<ShapeOf<T>, kn::Columns::vectors>(rows, columns, depth, a, b, add);
  kn::product<ShapeOf<T>>(rows, columns, depth, a, b, add);
}

// The 128-bit blocks of a vector, added.
template <class D>
HWY_INLINE void sum_blocks(D d, hn::Vec<D> x, float* to) {
  if constexpr (hn::MaxLanes(d) == 4) {
    hn::StoreU(x, d, to);
  } else {
    const hn::Half<D> half;
    sum_blocks(half, hn::Add(hn::LowerHalf(half, x), hn::UpperHalf(half, x)), to);
  }
}
// Lane sums of four vectors, to[0 … 3].
HWY_INLINE void sums_of_four(const Vector<float> (&x)[4], float* to) {
  const Tag<float> d;
  const hn::Repartition<double, Tag<float>> pair;
  const auto a = hn::Add(hn::InterleaveLower(d, x[0], x[1]), hn::InterleaveUpper(d, x[0], x[1]));
  const auto b = hn::Add(hn::InterleaveLower(d, x[2], x[3]), hn::InterleaveUpper(d, x[2], x[3]));
  const auto low = hn::BitCast(d, hn::InterleaveLower(pair, hn::BitCast(pair, a), hn::BitCast(pair, b)));
  const auto high = hn::BitCast(d, hn::InterleaveUpper(pair, hn::BitCast(pair, a), hn::BitCast(pair, b)));
  sum_blocks(d, hn::Add(low, high), to);
}
HWY_INLINE void sums_of_four(const Vector<double> (&x)[4], double* to) {
  for (int i = 0; i < 4; ++i) to[i] = hn::GetLane(hn::SumOfLanes(Tag<double>(), x[i]));
}

// Rows that are read after those of the keys: whoever reads each number once waits for memory, whose own guesses end
// with a block of rows.
template <class T>
struct RowsToCome {
  const T* rows = nullptr;
  int64_t stride = 0, width = 0;
  HWY_INLINE void fetch(int64_t row) const {
    constexpr int64_t kLine = 64 / sizeof(T);
    for (int64_t c = 0; rows && c < width; c += kLine) __builtin_prefetch(rows + row * stride + c, 0, 2);
  }
};

// scores[j] = q · k_j for `count` <= 64 keys; meanwhile as many rows of each of `next` are fetched.
template <class T>
HWY_INLINE void inner_products(const T* q, const T* k, int64_t stride, int64_t width, int64_t count, T* scores,
                               std::array<RowsToCome<T>, 2> next = {}) {
  const Tag<T> d;
  int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    const T* rows[4] = {k + j * stride, k + (j + 1) * stride, k + (j + 2) * stride, k + (j + 3) * stride};
    Vector<T> sum[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    int64_t c = 0;
    for (; c + kLanes<T> <= width; c += kLanes<T>) {
      const auto q_c = hn::LoadU(d, q + c);
      HWY_UNROLL(4) for (int i = 0; i < 4; ++i) sum[i] = hn::MulAdd(q_c, hn::LoadU(d, rows[i] + c), sum[i]);
    }
    if (c < width) {
      const kn::PartVector rest{width - c};
      const auto q_c = rest.load(d, q + c);
      HWY_UNROLL(4) for (int i = 0; i < 4; ++i) sum[i] = hn::MulAdd(q_c, rest.load(d, rows[i] + c), sum[i]);
    }
    for (const RowsToCome<T>& rows : next)
      for (int64_t i = j; i < j + 4; ++i) rows.fetch(i);
    sums_of_four(sum, scores + j);
  }
  for (; j < count; ++j) {
    T sum = 0;
    for (int64_t c = 0; c < width; ++c) sum += q[c] * k[j * stride + c];
    scores[j] = sum;
  }
}
// The same for many queries: scores[i·scores_stride + j] = q_i · k_j. The
// scores' rows have room for a multiple of four.
template <class T, int kRows>
HWY_NOINLINE void inner_products_of(const T* q, int64_t q_stride, const T* k, int64_t stride, int64_t width,
                                    int64_t count, T* scores, int64_t scores_stride) {
  const Tag<T> d;
  for (int64_t j = 0; j < count; j += 4) {
    const T* keys[4];
    HWY_UNROLL(4) for (int i = 0; i < 4; ++i) keys[i] = k + std::min(j + i, count - 1) * stride;
    Vector<T> sum[kRows][4];
    HWY_UNROLL(4) for (int r = 0; r < kRows; ++r) HWY_UNROLL(4) for (int i = 0; i < 4; ++i) sum[r][i] = hn::Zero(d);
    const auto add = [&](int64_t c, auto part) HWY_ATTR {
      Vector<T> key[4];
      HWY_UNROLL(4) for (int i = 0; i < 4; ++i) key[i] = part.load(d, keys[i] + c);
      HWY_UNROLL(4) for (int r = 0; r < kRows; ++r) {
        const auto query = part.load(d, q + r * q_stride + c);
        HWY_UNROLL(4) for (int i = 0; i < 4; ++i) sum[r][i] = hn::MulAdd(query, key[i], sum[r][i]);
      }
    };
    int64_t c = 0;
    for (; c + kLanes<T> <= width; c += kLanes<T>) add(c, kn::WholeVector());
    if (c < width) add(c, kn::PartVector{width - c});
    HWY_UNROLL(4) for (int r = 0; r < kRows; ++r) sums_of_four(sum[r], scores + r * scores_stride + j);
  }
}
template <class T>
HWY_INLINE void inner_products(int64_t rows, const T* q, int64_t q_stride, const T* k, int64_t stride, int64_t width,
                               int64_t count, T* scores, int64_t scores_stride) {
  constexpr int kRows = HWY_TARGET <= HWY_AVX3 ? 4 : 2;
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows)
    inner_products_of<T, kRows>(q + r * q_stride, q_stride, k, stride, width, count, scores + r * scores_stride,
                                scores_stride);
  for (; r < rows; ++r)
    inner_products_of<T, 1>(q + r * q_stride, q_stride, k, stride, width, count, scores + r * scores_stride,
                            scores_stride);
}

// out += Σ_j weights[j] · v_j for `count` rows as they are, kRows of them at once, each from left to right, as memory
// is read fastest: a tile would come back to each row for every few of its columns.
template <int kRows, class T>
HWY_INLINE int64_t add_rows_from(int64_t j, int64_t count, const T* weights, const T* v, int64_t stride, int64_t width,
                                 T* out) {
  const Tag<T> d;
  for (; j + kRows <= count; j += kRows) {
    Vector<T> weight[kRows];
    HWY_UNROLL(8) for (int i = 0; i < kRows; ++i) weight[i] = hn::Set(d, weights[j + i]);
    const auto add = [&](int64_t c, auto part) HWY_ATTR {
      Vector<T> sum = part.load(d, out + c);
      HWY_UNROLL(8)
      for (int i = 0; i < kRows; ++i) sum = hn::MulAdd(weight[i], part.load(d, v + (j + i) * stride + c), sum);
      part.store(sum, d, out + c);
    };
    int64_t c = 0;
    for (; c + kLanes<T> <= width; c += kLanes<T>) add(c, kn::WholeVector());
    if (c < width) add(c, kn::PartVector{width - c});
  }
  return j;
}
template <class T>
HWY_NOINLINE void add_rows(const T* weights, const T* v, int64_t stride, int64_t width, int64_t count, T* out) {
  const int64_t rest = add_rows_from<8>(0, count, weights, v, stride, width, out);
  add_rows_from<1>(rest, count, weights, v, stride, width, out);
}

// Hands numbers, whose rows lie kPanel apart, to an epilogue: its code stands here once, in place of once a tile.
template <class C, class Epilogue>
HWY_NOINLINE void hand_over(const Interval& rows, const Interval& columns, const C* from, Epilogue& epilogue) {
  constexpr int64_t kTogether = kPanel / kLanes<C> < 4 ? kPanel / kLanes<C> : 4, kWidth = kTogether * kLanes<C>;
  const Tag<C> d;
  for (int64_t r = rows.begin; r < rows.end; ++r, from += kPanel) {
    const C* at = from;
    int64_t c = columns.begin;
    for (; c + kWidth <= columns.end; c += kWidth, at += kWidth) {
      Vector<C> x[kTogether];
      HWY_UNROLL(4) for (int v = 0; v < kTogether; ++v) x[v] = hn::LoadU(d, at + v * kLanes<C>);
      epilogue(r, c, x, kn::WholeVector());
    }
    for (; c < columns.end; c += kLanes<C>, at += kLanes<C>) {
      const Vector<C> x[1] = {hn::LoadU(d, at)};
      epilogue(r, c, x, kn::WholeVector());
    }
  }
}

// scores, [rows][64]: products with keys of a panel, all in units.
template <class U>
HWY_NOINLINE void store_scores(int64_t rows, int64_t columns, const U* queries, int64_t stride,
                               const kn::Panels<U>& keys, kn::SumOf<U>* scores) {
  using C = kn::SumOf<U>;
  const auto a = kn::by_rows(queries, stride);
  auto store = kn::store_to(Tag<C>(), scores, kPanel);
  if (columns == kPanel)
    kn::product<ShapeOf<C>, kn::Columns::whole>(rows, kPanel, keys.depth, a, keys, store);
  else
    kn::product<NarrowShapeOf<C>, kn::Columns::vectors>(rows, columns, keys.depth, a, keys, store);
}
// Scores of a band are handed to the epilogue some rows at a time, while they are in the first cache.
template <class U, class Epilogue>
HWY_INLINE void score_band(const Band& band, int64_t depth, const U* queries, int64_t stride, const U* panel,
                           Epilogue&& epilogue) {
  using C = kn::SumOf<U>;
  constexpr int64_t kRows = 4 * ShapeOf<C>::kRows;
  HWY_ALIGN C scores[kRows * kPanel];
  const auto keys = kn::panels(panel, depth).from_column(band.begin);
  for (int64_t row = 0; row < band.rows; row += kRows) {
    const int64_t rows = std::min(kRows, band.rows - row);
    store_scores(rows, band.columns(), queries + (band.row + row) * stride, stride, keys, scores);
    hand_over({row, row + rows}, {0, band.columns()}, scores, epilogue);
  }
}
// The same for a band of whole panels, in the registers of the tile: the path of most panels, with short epilogues.
template <class U, class Epilogue>
HWY_INLINE void score_panel(const Band& band, int64_t depth, const U* queries, int64_t stride, const U* panel,
                            Epilogue&& epilogue) {
  kn::product<kn::BestShape, kn::Columns::whole>(
      band.rows, kPanel, depth, kn::by_rows(queries + band.row * stride, stride), kn::panels(panel, depth), epilogue);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#endif  // HEED_ATTENTION_ENGINE_PIECES_INL_H_
