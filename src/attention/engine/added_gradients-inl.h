// The gradients of the form "add", see added-inl.h: a panel of 64 keys and a block of queries at a time, lanes are
// features. What a score is the sum of is kept for four queries and 16 keys, in the first cache, until their dS is
// known, so that no reciprocal is taken twice. With w = −2u·log₂e, c = 1/w and y = w·r, r = 1/(1 + AB),
//
//   y = 1 / (c + cA·B),   u·log₂e·t = y − w/2,   u(1 − t²) = −2 ln 2 (y − cy²)
//   V = Σ dS·y, Q = Σ dS·y²:   da = −2 ln 2 Σ_j (V − cQ),   db = the same over i,   du = Σ dS − 2cΣV
#if defined(HEED_ATTENTION_ENGINE_ADDED_GRADIENTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_ATTENTION_ENGINE_ADDED_GRADIENTS_INL_H_
#undef HEED_ATTENTION_ENGINE_ADDED_GRADIENTS_INL_H_
#else
#define HEED_ATTENTION_ENGINE_ADDED_GRADIENTS_INL_H_
#endif

#include <cmath>
#include <utility>

#include "attention/engine/added-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

// Two forms of a pair's term y at one feature: what a score sums up, and what its gradients are made of.
template <class T>
struct OfTanh {  // y = t, the score Σ u·log₂e·t
  static HWY_INLINE Vector<T> term(Vector<T> a, Vector<T> b, Vector<T>) { return kn::tanh(Tag<T>(), hn::Add(a, b)); }
  static HWY_INLINE Vector<T> add(Vector<T> sum, Vector<T> y, Vector<T> weight) { return hn::MulAdd(y, weight, sum); }
  static HWY_INLINE Vector<T> add_square(Vector<T> sum, Vector<T> ds, Vector<T> value, Vector<T> y) {
    return hn::Add(sum, hn::NegMulAdd(value, y, ds));
  }
  static HWY_INLINE Vector<T> slope(Vector<T>, Vector<T> square, Vector<T>) { return square; }
};
struct OfReciprocals {
  static HWY_INLINE Vector<float> term(Vector<float> a, Vector<float> b, Vector<float> c) {
    return reciprocal(hn::MulAdd(a, b, c));
  }
  static HWY_INLINE Vector<float> add(Vector<float> sum, Vector<float> y, Vector<float>) { return hn::Add(sum, y); }
  static HWY_INLINE Vector<float> add_square(Vector<float> sum, Vector<float>, Vector<float> value, Vector<float> y) {
    return hn::MulAdd(value, y, sum);
  }
  static HWY_INLINE Vector<float> slope(Vector<float> value, Vector<float> square, Vector<float> c) {
    return hn::NegMulAdd(c, square, value);
  }
};

template <class T>
class AddedGradients {
 public:
  static constexpr int64_t kPanels = 2;
  // Numbers that it needs as memory, for a block of so many queries.
  static int64_t size(int64_t depth, int64_t rows) {
    return padded(depth) * (2 * kPanels * kPanel + 2 * rows + kRows * kColumns + 3) + kLanes<T>;
  }
  void take(int64_t depth, int64_t rows, T* memory) {
    depth_ = depth, padded_ = padded(depth);
    const auto part = [&](int64_t count) { return std::exchange(memory, memory + count * padded_); };
    for (Panel& panel : panels_) panel.keys = part(kPanel), panel.dkeys = part(kPanel);
    folded_ = part(rows), plain_ = part(rows), terms_ = part(kRows * kColumns);
    inverse_ = part(1), weights_ = part(1), dfeatures_ = part(1), half_ = memory;
  }

  // A panel of keys begins; those beyond the last are 0.
  void start(int64_t panel, const T* k, int64_t stride, int64_t keys) {
    Panel& to = panels_[panel];
    std::fill_n(to.dkeys, kPanel * padded_, T{0});
    to.not_a_number = 0;
    const Tag<T> d;
    auto most = hn::Zero(d);
    for (int64_t j = 0; j < kPanel; ++j)
      for (int64_t c = 0; c < padded_; c += kLanes<T>) {
        const auto key = j < keys ? width(c).load(d, k + j * stride + c) : hn::Zero(d);
        const auto bad = hn::IsNaN(key);
        if (HWY_UNLIKELY(!hn::AllFalse(d, bad))) to.not_a_number |= uint64_t{1} << j;
        const auto number = hn::IfThenZeroElse(bad, key);
        most = hn::Max(hn::Abs(number), most);
        hn::Store(number, d, to.keys + j * padded_ + c);
      }
    to.reciprocals = std::is_same_v<T, float> && hn::AllTrue(d, hn::Le(most, hn::Set(d, static_cast<T>(kMostKey))));
    if constexpr (std::is_same_v<T, float>)
      for (int64_t i = 0; to.reciprocals && i < kPanel * padded_; i += kLanes<T>)
        hn::Store(exponential_of_twice(hn::Load(d, to.keys + i)), d, to.keys + i);
  }
  // A block of queries begins, after its panels.
  void set_queries(const T* q, int64_t stride, int64_t rows, const T* features) {
    set_features(features);
    const Tag<T> d;
    bool reciprocals = false, tanh = false;
    for (const Panel& panel : panels_) (panel.reciprocals ? reciprocals : tanh) = true;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < padded_; c += kLanes<T>) {
        const auto query = width(c).load(d, q + r * stride + c);
        if (tanh) hn::Store(query, d, plain_ + r * padded_ + c);
        if constexpr (std::is_same_v<T, float>)
          if (reciprocals)
            hn::Store(folded_exponential(query, hn::Load(d, inverse_ + c)), d, folded_ + r * padded_ + c);
      }
  }

  struct To {
    T* dq;  // [rows][stride], of the block's queries
    int64_t stride;
    T* dfeatures;  // [D]
  };
  // dscores, [rows][64], holds dP; of each row and 16 keys it becomes dS by weigh(row, column, scores) and then
  // gradients(row, column, dP).
  template <class Weigh, class Gradients>
  HWY_INLINE void add(int64_t panel, const Band& band, T* dscores, const Weigh& weigh, const Gradients& gradients,
                      const To& to) {
    const Tag<T> d;
    std::fill_n(dfeatures_, padded_, T{0});
    auto sum = hn::Zero(d);
    for (int64_t row = 0; row < band.rows; row += kRows) {
      const int64_t rows = std::min<int64_t>(kRows, band.rows - row);
      for (int64_t column = 0; column < band.columns(); column += kColumns) {
        HWY_ALIGN T scores[kRows * kPanel];
        terms(panels_[panel], band.row + row, rows, band.begin + column, scores);
        T* ds = dscores + (band.row + row) * kPanel + band.begin + column;
        hand_over({row, row + rows}, {column, column + kColumns}, scores, weigh);
        hand_over({row, row + rows}, {column, column + kColumns}, ds, gradients);
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t c = 0; c < kColumns; c += kLanes<T>) sum = hn::Add(sum, hn::LoadU(d, ds + r * kPanel + c));
        products(panels_[panel], band.row + row, rows, band.begin + column, dscores, to);
      }
    }
    finish_features(panels_[panel], hn::GetLane(hn::SumOfLanes(d, sum)), to.dfeatures);
  }

  // dk += db, for as many keys; from here on db is another head's.
  void finish(int64_t panel, const T* features, T* dk, int64_t stride, int64_t keys) {
    const Tag<T> d;
    Panel& of = panels_[panel];
    for (int64_t j = 0; j < keys; ++j)
      for (int64_t c = 0; c < depth_; c += kLanes<T>) {
        const auto part = width(c);
        T *from = of.dkeys + j * padded_ + c, *key = dk + j * stride + c;
        part.store(hn::MulAdd(hn::Load(d, from), factor(of, features, c), part.load(d, key)), d, key);
        hn::Store(hn::Zero(d), d, from);
      }
  }

 private:
  static constexpr int kRows = HWY_TARGET <= HWY_AVX3 ? 4 : 2, kColumns = kBandColumns, kKeys = 4;
  static_assert(kColumns % kLanes<T> == 0 && kColumns % kKeys == 0);
  struct Panel {
    T *keys, *dkeys;  // [64][padded]: exponentials, or keys as they are; db, not yet multiplied
    bool reciprocals = false;
    uint64_t not_a_number = 0;  // a bit a key; such a key counts as 0 where it is hidden
  };

  static int64_t padded(int64_t depth) { return (depth + kLanes<T> - 1) / kLanes<T> * kLanes<T>; }
  kn::PartVector width(int64_t c) const { return {std::min(kLanes<T>, depth_ - c)}; }
  // What all gradients are multiplied with: −2 ln 2, or u.
  Vector<T> factor(const Panel& of, const T* features, int64_t c) const {
    return of.reciprocals ? hn::Set(Tag<T>(), static_cast<T>(-2 * kLn2)) : width(c).load(Tag<T>(), features + c);
  }

  void set_features(const T* features) {
    std::fill_n(half_, kLanes<T>, T{0});
    features_ = features;
    for (int64_t c = 0; c < padded_; ++c) {
      const T feature = c < depth_ ? features[c] : T{0}, w = feature * static_cast<T>(-2 * kLog2E);
      weights_[c] = feature * static_cast<T>(kLog2E);
      inverse_[c] = c < depth_ ? inverse_weight(w) : T{1e30f};  // beyond the last nothing is added
      half_[c % kLanes<T>] -= w / 2;
    }
  }

  // The sums of rows × 16 keys: scores[row][64].
  void terms(const Panel& of, int64_t row, int64_t rows, int64_t column, T* scores) {
    const auto run = [&](auto form, auto count, int64_t r) HWY_ATTR {
      const T* queries = (of.reciprocals ? folded_ : plain_) + (row + r) * padded_;
      for (int64_t j = 0; j < kColumns; j += kKeys)
        terms_of<decltype(form), count()>(queries, of.keys + (column + j) * padded_, r, j, scores);
    };
    for_rows(of, rows, run);
    if (HWY_UNLIKELY(of.not_a_number >> column & ((1 << kColumns) - 1)))
      for (int64_t i = 0; i < rows * kColumns; ++i)
        if (of.not_a_number >> (column + i % kColumns) & 1)
          scores[i / kColumns * kPanel + i % kColumns] = static_cast<T>(NAN);
  }
  void products(const Panel& of, int64_t row, int64_t rows, int64_t column, const T* dscores, const To& to) {
    const auto run = [&](auto form, auto count, int64_t r) HWY_ATTR {
      int64_t c = 0;
      const T* ds = dscores + (row + r) * kPanel + column;
      T* dkeys = of.dkeys + column * padded_;
      const To rows_to{to.dq + (row + r) * to.stride, to.stride, nullptr};
      for (; c + kLanes<T> <= depth_; c += kLanes<T>)
        products_of<decltype(form), count()>(c, r, ds, dkeys, rows_to, kn::WholeVector());
      if (c < depth_) products_of<decltype(form), count()>(c, r, ds, dkeys, rows_to, kn::PartVector{depth_ - c});
    };
    for_rows(of, rows, run);
  }
  // All rows together, or one after the other.
  template <class Run>
  HWY_INLINE void for_rows(const Panel& of, int64_t rows, const Run& run) const {
    const auto with_form = [&](auto form) HWY_ATTR {
      if (rows == kRows) return run(form, std::integral_constant<int, kRows>(), 0);
      for (int64_t r = 0; r < rows; ++r) run(form, std::integral_constant<int, 1>(), r);
    };
    if constexpr (std::is_same_v<T, float>)
      if (of.reciprocals) return with_form(OfReciprocals());
    with_form(OfTanh<T>());
  }

  // Terms of so many queries and four keys, kept at [D/lanes][key][query][lanes], and their sums.
  template <class Form, int kCount>
  HWY_NOINLINE void terms_of(const T* queries, const T* keys, int64_t row, int64_t column, T* scores) {
    const Tag<T> d;
    const T* constants = std::is_same_v<Form, OfTanh<T>> ? weights_ : inverse_;
    const auto start = std::is_same_v<Form, OfTanh<T>> ? hn::Zero(d) : hn::Load(d, half_);
    Vector<T> sum[kCount][kKeys];
    HWY_UNROLL(4) for (int r = 0; r < kCount; ++r) HWY_UNROLL(4) for (int j = 0; j < kKeys; ++j) sum[r][j] = start;
    T* to = terms_ + (column * kRows + row) * kLanes<T>;
    const int64_t padded = padded_;
    for (int64_t c = 0; c < padded; c += kLanes<T>, to += kColumns * kRows * kLanes<T>) {
      const auto constant = hn::Load(d, constants + c);
      Vector<T> a[kCount];
      HWY_UNROLL(4) for (int r = 0; r < kCount; ++r) a[r] = hn::Load(d, queries + r * padded + c);
      HWY_UNROLL(4) for (int j = 0; j < kKeys; ++j) {
        const auto b = hn::Load(d, keys + j * padded + c);
        HWY_UNROLL(4) for (int r = 0; r < kCount; ++r) {
          const auto y = Form::term(a[r], b, constant);
          sum[r][j] = Form::add(sum[r][j], y, constant);
          hn::Store(y, d, to + (j * kRows + r) * kLanes<T>);
        }
      }
    }
    HWY_UNROLL(4) for (int r = 0; r < kCount; ++r) sums_of_four(sum[r], scores + (row + r) * kPanel + column);
  }

  // V and Q of so many queries and 16 keys at the features [c, c + lanes): into dq, db and du.
  template <class Form, int kCount, class Width>
  HWY_NOINLINE void products_of(int64_t c, int64_t row, const T* ds, T* dkeys, const To& rows, Width part) {
    const Tag<T> d;
    const auto inverse = hn::Load(d, inverse_ + c);
    Vector<T> values[kCount], squares[kCount];
    HWY_UNROLL(4) for (int r = 0; r < kCount; ++r) values[r] = squares[r] = hn::Zero(d);
    const T* from = terms_ + (c / kLanes<T> * kColumns * kRows + row) * kLanes<T>;
    T* to = dkeys + c;
    const int64_t padded = padded_, stride = rows.stride;
    for (int64_t j = 0; j < kColumns; ++j, from += kRows * kLanes<T>, to += padded) {
      Vector<T> value = hn::Zero(d), square = hn::Zero(d);
      HWY_UNROLL(4) for (int r = 0; r < kCount; ++r) {
        auto y = hn::Load(d, from + r * kLanes<T>);
        kn::keep_in_register(y);
        const auto ds_rj = hn::Set(d, ds[r * kPanel + j]), v = hn::Mul(y, ds_rj);
        values[r] = hn::Add(values[r], v), squares[r] = Form::add_square(squares[r], ds_rj, v, y);
        value = r == 0 ? v : hn::Add(value, v), square = Form::add_square(square, ds_rj, v, y);
      }
      hn::Store(hn::Add(hn::Load(d, to), Form::slope(value, square, inverse)), d, to);
    }
    auto sum = hn::Load(d, dfeatures_ + c);
    const auto feature =
        std::is_same_v<Form, OfTanh<T>> ? part.load(d, features_ + c) : hn::Set(d, static_cast<T>(-2 * kLn2));
    HWY_UNROLL(4) for (int r = 0; r < kCount; ++r) {
      T* dq = rows.dq + r * stride + c;
      part.store(hn::MulAdd(Form::slope(values[r], squares[r], inverse), feature, part.load(d, dq)), d, dq);
      sum = hn::Add(sum, values[r]);
    }
    hn::Store(sum, d, dfeatures_ + c);
  }
  void finish_features(const Panel& of, T sum, T* dfeatures) const {
    for (int64_t c = 0; c < depth_; ++c)
      dfeatures[c] += of.reciprocals ? sum - 2 * inverse_[c] * dfeatures_[c] : dfeatures_[c];
  }

  int64_t depth_ = 0, padded_ = 0;
  Panel panels_[kPanels];
  T *folded_ = nullptr, *plain_ = nullptr;  // [rows][padded]: cA, and a
  T *terms_ = nullptr, *inverse_ = nullptr, *weights_ = nullptr, *dfeatures_ = nullptr;
  T* half_ = nullptr;  // [lanes]: −Σ w/2
  const T* features_ = nullptr;
};

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#endif  // HEED_ATTENTION_ENGINE_ADDED_GRADIENTS_INL_H_
