// The form "add": in place of a product
//
//   s_ij = Σ_d u_d t_ijd,  t = tanh(a_id + b_jd),  a = q', b = k'
//   da_i = u Σ_j dS_ij (1 − t²)     db_j = u Σ_i dS_ij (1 − t²)     du = Σ_ij dS_ij t
//
// tile by tile, so that no (T,S,D) array is ever held. In f32 no tanh is taken: with A = e^{2a} and B = e^{2b}, made
// once a query and once a key, and r = 1 / (1 + AB),
//
//   t = 1 − 2r,   1 − t² = 4r(1 − r)
//
// and 1/x is an approximation and a step of Newton's. Where a panel of keys has |b| > 15 that could overflow, and the
// tanh is taken after all; any a will do, since beyond ±24.5 it saturates with all such b.
#if defined(HEED_ATTENTION_ENGINE_ADDED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_ATTENTION_ENGINE_ADDED_INL_H_
#undef HEED_ATTENTION_ENGINE_ADDED_INL_H_
#else
#define HEED_ATTENTION_ENGINE_ADDED_INL_H_
#endif

#include <cmath>
#include <utility>

#include "attention/engine/pieces-inl.h"
#include "kernels/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

inline constexpr float kMostKey = 15;

// 1/x, to the last bit or two.
HWY_INLINE Vector<float> reciprocal(Vector<float> x) {
  const auto r = hn::ApproximateReciprocal(x);
  return hn::Mul(r, hn::NegMulAdd(x, r, hn::Set(Tag<float>(), 2.0f)));
}
HWY_INLINE Vector<float> exponential_of_twice(Vector<float> x) { return kn::exp(Tag<float>(), hn::Add(x, x)); }

// tanh of x given in units: t = 1 − 2/(1 + 2^(x·2 log₂e)), for a key that is read once. Of f64 the kernel's tanh.
template <class T>
inline constexpr T kTanhUnit = std::is_same_v<T, float> ? static_cast<T>(2 * kLog2E) : 1;
HWY_INLINE Vector<float> tanh_in_units(Vector<float> x) {
  const Tag<float> d;
  const auto one = hn::Set(d, 1.0f), e = power_of_two(hn::Min(hn::Set(d, 120.0f), x));  // NaN stays
  return hn::NegMulAdd(hn::Set(d, 2.0f), reciprocal(hn::Add(e, one)), one);
}
HWY_INLINE Vector<double> tanh_in_units(Vector<double> x) { return kn::tanh(Tag<double>(), x); }

// With w = −2u·log₂e, u·log₂e·t = w·r − w/2 and w·r = 1 / (c + A'B), c = 1/w, A' = c·A: what a feature adds is one
// reciprocal.
inline float inverse_weight(float w) { return 1 / (std::abs(w) < 1e-12f ? 1e-12f : w); }
inline double inverse_weight(double w) { return 1 / w; }  // not used
HWY_INLINE Vector<float> folded_exponential(Vector<float> a, Vector<float> c) {
  const auto product = hn::Mul(hn::Abs(c), exponential_of_twice(a));
  return hn::CopySign(hn::Min(hn::Set(Tag<float>(), 1.5e25f), product), c);  // NaN stays
}

// Turns a panel of keys into exponentials, or leaves it as it is and says so.
HWY_INLINE bool to_exponentials(float* panel, int64_t depth) {
  const Tag<float> d;
  auto most = hn::Zero(d);  // NaN, of a hidden key or of one that makes its score NaN, is no obstacle
  for (int64_t i = 0; i < depth * kPanel; i += kLanes<float>) most = hn::Max(hn::Abs(hn::LoadU(d, panel + i)), most);
  if (!hn::AllTrue(d, hn::Le(most, hn::Set(d, kMostKey)))) return false;
  for (int64_t i = 0; i < depth * kPanel; i += kLanes<float>)
    hn::StoreU(exponential_of_twice(hn::LoadU(d, panel + i)), d, panel + i);
  return true;
}
HWY_INLINE bool to_exponentials(double*, int64_t) { return false; }

// ---- scores: lanes are keys, in panels D deep ---------------------------------------------------------------

// A block of queries of one head.
template <class T>
class AddedScores {
 public:
  // memory: size(…) numbers; null where no panel of exponentials will come.
  AddedScores(const Problem<T>& p, int64_t b, int64_t h, int64_t row, int64_t rows, T* memory)
      : depth_(p.n.width),
        padded_(padded(depth_)),
        queries_(p.q.at(b, h, row)),
        stride_(p.q.row),
        features_(p.features.at(b, h, 0)) {
    if constexpr (std::is_same_v<T, float>)
      if (p.features && memory) fold(rows, memory);
  }
  // Numbers that it needs as memory.
  static int64_t size(int64_t depth, int64_t rows) {
    return std::is_same_v<T, float> ? ((rows + kRows - 1) / kRows * kRows + 2) * padded(depth) + kBlock : 0;
  }

  // Of a band, in units of log 2, handed to the epilogue.
  template <class Epilogue>
  HWY_INLINE void operator()(const Band& band, const T* panel, bool exponentials, Epilogue&& epilogue) const {
    HWY_ALIGN T scores[kRows * kPanel];
    const auto of_panel = kn::panels(panel, depth_).from_column(band.begin);
    for (int64_t row = 0; row < band.rows; row += kRows) {
      const int64_t rows = std::min<int64_t>(kRows, band.rows - row);
      for (int64_t column = 0; column < band.columns();) {
        const T* keys = of_panel.column(column);
        if (band.columns() - column >= 2 * kLanes<T>)
          tile<2>(band.row + row, rows, keys, exponentials, scores + column), column += 2 * kLanes<T>;
        else
          tile<1>(band.row + row, rows, keys, exponentials, scores + column), column += kLanes<T>;
      }
      hand_over({row, row + rows}, {0, band.columns()}, scores, epilogue);
    }
  }

  // Of query `row` and keys as they are, for few queries: lanes are features.
  HWY_NOINLINE void of_rows(int64_t row, const T* k, int64_t stride, int64_t count, T* scores) const {
    for (int64_t j = 0; j < count; j += 4) {
      const T* keys[4];
      for (int i = 0; i < 4; ++i) keys[i] = k + std::min(j + i, count - 1) * stride;
      Vector<T> sum[4];
      for (auto& x : sum) x = hn::Zero(Tag<T>());
      int64_t c = 0;
      for (; c + kLanes<T> <= depth_; c += kLanes<T>) add_features(row, c, keys, kn::WholeVector(), sum);
      if (c < depth_) add_features(row, c, keys, kn::PartVector{depth_ - c}, sum);
      sums_of_four(sum, scores + j);  // those beyond the count are of no key
    }
  }

 private:
  static constexpr int kRows = HWY_TARGET <= HWY_AVX3 ? 8 : 4;  // of a tile
  static constexpr int64_t kBlock = 16;                         // features between two subtractions

  // The features from c on of four keys.
  template <class Width>
  HWY_INLINE void add_features(int64_t row, int64_t c, const T* const (&keys)[4], Width width,
                               Vector<T> (&sum)[4]) const {
    const Tag<T> d;
    const auto factor = hn::Set(d, kTanhUnit<T>);
    const auto query = hn::Mul(width.load(d, queries_ + row * stride_ + c), factor);
    const auto feature = hn::Mul(width.load(d, features_ + c), hn::Set(d, static_cast<T>(kLog2E)));
    HWY_UNROLL(4) for (int i = 0; i < 4; ++i) {
      const auto t = tanh_in_units(hn::MulAdd(width.load(d, keys[i] + c), factor, query));
      sum[i] = hn::MulAdd(t, feature, sum[i]);
    }
  }

  // scores: [kRows][64]
  template <int kVectors>
  HWY_INLINE void tile(int64_t row, int64_t rows, const T* keys, bool exponentials, T* scores) const {
    if (exponentials) return folded_tile<kVectors>(row / kRows, keys, scores);
    for (int64_t r = 0; r < rows; ++r) plain_row<kVectors>(queries_ + (row + r) * stride_, keys, scores + r * kPanel);
  }

  template <int kVectors>
  HWY_NOINLINE void plain_row(const T* query, const T* keys, T* scores) const {
    const Tag<T> d;
    for (int v = 0; v < kVectors; ++v) {
      auto sum = hn::Zero(d);
      for (int64_t c = 0; c < depth_; ++c) {
        const auto t = kn::tanh(d, hn::Add(hn::Set(d, query[c]), hn::LoadU(d, keys + c * kStrip<T> + v * kLanes<T>)));
        sum = hn::MulAdd(t, hn::Set(d, features_[c]), sum);
      }
      hn::Store(hn::Mul(sum, hn::Set(d, static_cast<T>(kLog2E))), d, scores + v * kLanes<T>);
    }
  }

  // Halves of Σ w are subtracted as the sum goes, which so stays small.
  void fold(int64_t rows, T* memory) {
    const int64_t padded_rows = (rows + kRows - 1) / kRows * kRows;
    folded_ = memory, inverse_ = memory + padded_rows * padded_, half_ = inverse_ + padded_;
    for (int64_t c = 0; c < depth_; ++c) {
      const T w = features_[c] * static_cast<T>(-2 * kLog2E);
      inverse_[c] = inverse_weight(w);
      half_[c / kBlock] = (c % kBlock == 0 ? 0 : half_[c / kBlock]) + w / 2;
    }
    const Tag<T> d;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < depth_; c += kLanes<T>) {
        const kn::PartVector width{std::min(kLanes<T>, depth_ - c)};
        const auto query = width.load(d, queries_ + r * stride_ + c);
        hn::Store(folded_exponential(query, width.load(d, inverse_ + c)), d, folded_ + r * padded_ + c);
      }
    std::fill(folded_ + rows * padded_, folded_ + padded_rows * padded_, T{0});
  }
  template <int kVectors>
  HWY_NOINLINE void folded_tile(int64_t group, const T* keys, T* scores) const {
    if constexpr (std::is_same_v<T, float>) {
      const Tag<T> d;
      const T *query[kRows], *inverse = inverse_;
      for (int r = 0; r < kRows; ++r) query[r] = folded_ + (group * kRows + r) * padded_;
      const auto two = hn::Set(d, T{2});
      Vector<T> sum[kRows][kVectors];
      HWY_UNROLL(8) for (int r = 0; r < kRows; ++r) for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(d);
      for (int64_t c = 0; c < depth_; c += kBlock) {
        const int64_t end = std::min(depth_, c + kBlock);
        for (int64_t i = c; i < end; ++i, keys += kStrip<T>) {
          const auto inverse_c = hn::Set(d, inverse[i]);
          Vector<T> key[kVectors];
          for (int v = 0; v < kVectors; ++v) key[v] = hn::LoadU(d, keys + v * kLanes<T>);
          HWY_UNROLL(8) for (int r = 0; r < kRows; ++r) {
            const auto query_r = hn::Set(d, query[r][i]);
            HWY_UNROLL(2) for (int v = 0; v < kVectors; ++v) {
              const auto x = hn::MulAdd(query_r, key[v], inverse_c);
              const auto y = hn::ApproximateReciprocal(x);
              sum[r][v] = hn::MulAdd(y, hn::NegMulAdd(x, y, two), sum[r][v]);
            }
          }
        }
        const auto half = hn::Set(d, half_[c / kBlock]);
        HWY_UNROLL(8)
        for (int r = 0; r < kRows; ++r)
          HWY_UNROLL(2) for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Sub(sum[r][v], half);
      }
      HWY_UNROLL(8)
      for (int r = 0; r < kRows; ++r) HWY_UNROLL(2)
      for (int v = 0; v < kVectors; ++v) hn::Store(sum[r][v], d, scores + r * kPanel + v * kLanes<T>);
    }
  }

  static int64_t padded(int64_t depth) { return (depth + kLanes<T> - 1) / kLanes<T> * kLanes<T>; }

  int64_t depth_, padded_;
  const T* queries_;
  int64_t stride_;
  const T* features_;
  T *folded_ = nullptr, *inverse_ = nullptr, *half_ = nullptr;  // A' as [rows][padded D], c, Σ w / 2 of a block
};

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#endif  // HEED_ATTENTION_ENGINE_ADDED_INL_H_
