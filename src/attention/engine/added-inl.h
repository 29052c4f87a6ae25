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

inline constexpr float kMostKey = 15, kMostQuery = 24.5f;

// 1/x, to the last bit or two.
HWY_INLINE Vector<float> reciprocal(Vector<float> x) {
  const auto r = hn::ApproximateReciprocal(x);
  return hn::Mul(r, hn::NegMulAdd(x, r, hn::Set(Tag<float>(), 2.0f)));
}
HWY_INLINE Vector<float> exponential_of_twice(Vector<float> x) { return kn::exp(Tag<float>(), hn::Add(x, x)); }

// Turns a panel of keys [D][64] into exponentials, or leaves it as it is and says so.
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

// ---- scores: lanes are keys, panels [D][64] ---------------------------------------------------------------

// A block of queries of one head.
template <class T>
class AddedScores {
 public:
  // memory: size(…) numbers; null where no panel of exponentials will come.
  AddedScores(const Problem<T>& p, int64_t b, int64_t h, int64_t row, int64_t rows, T* memory)
      : depth_(p.n.width), queries_(p.q.at(b, h, row)), stride_(p.q.row), features_(p.features.at(b, h, 0)) {
    if constexpr (std::is_same_v<T, float>)
      if (p.features && memory) fold(rows, memory);
  }
  // Numbers that it needs as memory.
  static int64_t size(int64_t depth, int64_t rows) {
    return std::is_same_v<T, float> ? ((rows + kRows - 1) / kRows * kRows + 2) * depth + kBlock : 0;
  }

  // Of a band, in units of log 2, handed to the epilogue.
  template <class Epilogue>
  HWY_INLINE void operator()(const Band& band, const T* panel, bool exponentials, Epilogue&& epilogue) const {
    for (int64_t column = 0; column < band.columns();) {
      if (band.columns() - column >= 2 * kLanes<T>)
        columns<2>(band, panel, exponentials, column, epilogue), column += 2 * kLanes<T>;
      else
        columns<1>(band, panel, exponentials, column, epilogue), column += kLanes<T>;
    }
  }

  // Of query `row` and keys as they are, for few queries: lanes are features.
  HWY_NOINLINE void of_rows(int64_t row, const T* k, int64_t stride, int64_t count, T* scores) const {
    const Tag<T> d;
    for (int64_t j = 0; j < count; j += 4) {
      Vector<T> sum[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
      for (int64_t c = 0; c < depth_; c += kLanes<T>) {
        const kn::PartVector width{std::min(kLanes<T>, depth_ - c)};
        const auto query = width.load(d, queries_ + row * stride_ + c), feature = width.load(d, features_ + c);
        for (int i = 0; i < 4; ++i) {
          const auto key = width.load(d, k + std::min(j + i, count - 1) * stride + c);
          sum[i] = hn::MulAdd(kn::tanh(d, hn::Add(query, key)), feature, sum[i]);
        }
      }
      for (auto& x : sum) x = hn::Mul(x, hn::Set(d, static_cast<T>(kLog2E)));
      sums_of_four(sum, scores + j);  // those beyond the count are of no key
    }
  }

 private:
  static constexpr int kRows = HWY_TARGET <= HWY_AVX3 ? 8 : 4;  // of a tile
  static constexpr int64_t kBlock = 16;                         // features between two subtractions

  template <int kVectors, class Epilogue>
  HWY_INLINE void columns(const Band& band, const T* panel, bool exponentials, int64_t column,
                          Epilogue& epilogue) const {
    constexpr int64_t kWidth = kVectors * kLanes<T>;
    HWY_ALIGN T scores[kRows * kWidth];
    panel += band.begin + column;
    for (int64_t row = 0; row < band.rows; row += kRows) {
      const int64_t rows = std::min<int64_t>(kRows, band.rows - row);
      if (exponentials)
        folded_tile<kVectors>((band.row + row) / kRows, panel, scores);
      else
        for (int64_t r = 0; r < rows; ++r)
          plain_row<kVectors>(queries_ + (band.row + row + r) * stride_, panel, scores + r * kWidth);
      for (int64_t r = 0; r < rows; ++r) {
        Vector<T> x[kVectors];
        for (int v = 0; v < kVectors; ++v) x[v] = hn::Load(Tag<T>(), scores + r * kWidth + v * kLanes<T>);
        epilogue(row + r, column, x, kn::WholeVector());
      }
    }
  }

  template <int kVectors>
  HWY_NOINLINE void plain_row(const T* query, const T* keys, T* scores) const {
    const Tag<T> d;
    for (int v = 0; v < kVectors; ++v) {
      auto sum = hn::Zero(d);
      for (int64_t c = 0; c < depth_; ++c) {
        const auto t = kn::tanh(d, hn::Add(hn::Set(d, query[c]), hn::LoadU(d, keys + c * kPanel + v * kLanes<T>)));
        sum = hn::MulAdd(t, hn::Set(d, features_[c]), sum);
      }
      hn::Store(hn::Mul(sum, hn::Set(d, static_cast<T>(kLog2E))), d, scores + v * kLanes<T>);
    }
  }

  // With w = −2u·log₂e, u·log₂e·t = w·r − w/2 and w·r = 1 / (c + A'B), c = 1/w, A' = c·A: what a feature adds is one
  // reciprocal. Halves of Σ w are subtracted as the sum goes, which so stays small.
  void fold(int64_t rows, T* memory) {
    folded_ = memory, inverse_ = memory + (rows + kRows - 1) / kRows * kRows * depth_, half_ = inverse_ + depth_;
    for (int64_t c = 0; c < depth_; ++c) {
      const T w = features_[c] * static_cast<T>(-2 * kLog2E);
      inverse_[c] = 1 / (std::abs(w) < T{1e-12f} ? T{1e-12f} : w);
      half_[c / kBlock] = (c % kBlock == 0 ? 0 : half_[c / kBlock]) + w / 2;
    }
    const Tag<T> d;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < depth_; c += kLanes<T>) {
        const kn::PartVector width{std::min(kLanes<T>, depth_ - c)};
        const auto inverse = width.load(d, inverse_ + c);
        const auto a = exponential_of_twice(width.load(d, queries_ + r * stride_ + c));
        const auto product = hn::Min(hn::Set(d, T{1.5e25f}), hn::Mul(hn::Abs(inverse), a));  // NaN stays
        HWY_ALIGN T folded[kLanes<T>];
        hn::Store(hn::CopySign(product, inverse), d, folded);
        for (int64_t i = 0; i < width.count; ++i) folded_[(r / kRows * depth_ + c + i) * kRows + r % kRows] = folded[i];
      }
    for (int64_t r = rows; r % kRows != 0; ++r)
      for (int64_t c = 0; c < depth_; ++c) folded_[(r / kRows * depth_ + c) * kRows + r % kRows] = 0;
  }
  template <int kVectors>
  HWY_NOINLINE void folded_tile(int64_t group, const T* keys, T* scores) const {
    if constexpr (std::is_same_v<T, float>) {
      const Tag<T> d;
      const T *query = folded_ + group * depth_ * kRows, *inverse = inverse_;
      const auto two = hn::Set(d, T{2});
      Vector<T> sum[kRows][kVectors];
      HWY_UNROLL(8) for (int r = 0; r < kRows; ++r) for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(d);
      for (int64_t c = 0; c < depth_; c += kBlock) {
        const int64_t end = std::min(depth_, c + kBlock);
        for (int64_t i = c; i < end; ++i, query += kRows, keys += kPanel) {
          const auto inverse_c = hn::Set(d, inverse[i]);
          Vector<T> key[kVectors];
          for (int v = 0; v < kVectors; ++v) key[v] = hn::LoadU(d, keys + v * kLanes<T>);
          HWY_UNROLL(8) for (int r = 0; r < kRows; ++r) {
            const auto query_r = hn::Set(d, query[r]);
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
      for (int v = 0; v < kVectors; ++v) hn::Store(sum[r][v], d, scores + (r * kVectors + v) * kLanes<T>);
    }
  }

  int64_t depth_;
  const T* queries_;
  int64_t stride_;
  const T* features_;
  T *folded_ = nullptr, *inverse_ = nullptr, *half_ = nullptr;  // A' as [rows/kRows][D][kRows], c, Σ w / 2 of a block
};

// ---- gradients: lanes are features, [D/lanes][64][lanes] --------------------------------------------------

// What dS is multiplied with: `slope` is (1 − t²) / kSlope, `value` is dS·t = Σ dS·kOnes + kValue·value.
template <class T>
struct OfTanh {
  static constexpr T kSlope = 1, kValue = 1, kOnes = 0;
  static Vector<T> prepare(Vector<T> x, T) { return x; }
  static HWY_INLINE void terms(Vector<T> a, Vector<T> b, Vector<T> ds, Vector<T>& value, Vector<T>& slope) {
    const auto t = kn::tanh(Tag<T>(), hn::Add(a, b));
    value = hn::Mul(ds, t), slope = hn::NegMulAdd(value, t, ds);
  }
};
struct OfExponentials {
  static constexpr float kSlope = 4, kValue = -2, kOnes = 1;
  static Vector<float> prepare(Vector<float> x, float most) {
    return exponential_of_twice(kn::clamp_keeping_nan(Tag<float>(), x, -most, most));
  }
  static HWY_INLINE void terms(Vector<float> a, Vector<float> b, Vector<float> ds, Vector<float>& value,
                               Vector<float>& slope) {
    const auto r = reciprocal(hn::MulAdd(a, b, hn::Set(Tag<float>(), 1.0f)));
    value = hn::Mul(ds, r), slope = hn::NegMulAdd(value, r, value);
  }
};

// A panel of 64 keys and the gradients of the queries that pass by.
template <class T>
class AddedGradients {
 public:
  static int64_t padded(int64_t depth) { return (depth + kLanes<T> - 1) / kLanes<T> * kLanes<T>; }
  // Numbers that it needs as memory.
  static int64_t size(int64_t depth) { return 2 * kPanel * padded(depth); }

  void start(const T* k, int64_t stride, int64_t depth, int64_t keys, bool exponentials, T* memory) {
    depth_ = depth, padded_ = padded(depth), exponentials_ = exponentials;
    keys_ = memory, dkeys_ = memory + kPanel * padded_;
    std::fill_n(memory, 2 * kPanel * padded_, T{0});
    with_form([&](auto form) HWY_ATTR { load_keys<decltype(form)>(k, stride, keys); });
  }

  struct Queries {
    const T* q;  // [rows][stride]
    int64_t stride;
    const T* features;  // [D]
    T* dq;              // [rows][dq_stride]
    int64_t dq_stride;
    T* dfeatures;  // [D]
  };
  // dscores: [rows][64]
  HWY_NOINLINE void add(const Band& band, const T* dscores, const Queries& of) {
    with_form([&](auto form) HWY_ATTR {
      using Form = decltype(form);
      const T ones = Form::kOnes * sum(band, dscores);
      for (int64_t c = 0; c < depth_; c += kLanes<T>) {
        int64_t r = band.row;
        const int64_t end = band.row + band.rows;
        for (; r + kQueries <= end; r += kQueries) add_rows<Form, kQueries>(band, c, dscores, r, of);
        for (; r < end; ++r) add_rows<Form, 1>(band, c, dscores, r, of);
      }
      for (int64_t c = 0; c < depth_; ++c) of.dfeatures[c] += ones;
    });
  }

  // dk += u·db, for as many keys; from here on db is another head's.
  void finish(const T* features, T* dk, int64_t stride, int64_t keys) {
    T slope = 1;
    with_form([&](auto form) { slope = decltype(form)::kSlope; });
    for (int64_t j = 0; j < keys; ++j)
      for (int64_t c = 0; c < depth_; ++c)
        dk[j * stride + c] += slope * features[c] * std::exchange(dkeys_[place(j, c)], T{0});
  }

 private:
  static constexpr int kQueries = HWY_TARGET <= HWY_AVX3 ? 4 : 2;  // side by side

  template <class Body>
  HWY_INLINE void with_form(const Body& body) const {
    if constexpr (std::is_same_v<T, float>)
      if (exponentials_) return body(OfExponentials());
    body(OfTanh<T>());
  }
  int64_t place(int64_t key, int64_t feature) const {
    return (feature / kLanes<T> * kPanel + key) * kLanes<T> + feature % kLanes<T>;
  }
  // A key that is NaN counts as 0: it is hidden, or dS is NaN already.
  template <class Form>
  HWY_INLINE void load_keys(const T* k, int64_t stride, int64_t keys) {
    const Tag<T> d;
    for (int64_t c = 0; c < depth_; c += kLanes<T>) {
      const kn::PartVector width{std::min(kLanes<T>, depth_ - c)};
      for (int64_t j = 0; j < keys; ++j) {
        const auto key = width.load(d, k + j * stride + c);
        hn::Store(Form::prepare(hn::IfThenZeroElse(hn::IsNaN(key), key), kMostKey), d, keys_ + place(j, c));
      }
    }
  }
  T sum(const Band& band, const T* dscores) const {
    const Tag<T> d;
    auto sum = hn::Zero(d);
    for (int64_t r = band.row; r < band.row + band.rows; ++r)
      for (int64_t j = band.begin; j < band.end; j += kLanes<T>)
        sum = hn::Add(sum, hn::LoadU(d, dscores + r * kPanel + j));
    return hn::GetLane(hn::SumOfLanes(d, sum));
  }

  // Features [c, c + lanes) of so many queries from `row` on.
  template <class Form, int kCount>
  HWY_NOINLINE void add_rows(const Band& band, int64_t c, const T* dscores, int64_t row, const Queries& of) {
    const Tag<T> d;
    const kn::PartVector width{std::min(kLanes<T>, depth_ - c)};
    Vector<T> a[kCount], da[kCount], du[kCount];
    HWY_UNROLL(4) for (int r = 0; r < kCount; ++r) {
      a[r] = Form::prepare(width.load(d, of.q + (row + r) * of.stride + c), kMostQuery);
      da[r] = du[r] = hn::Zero(d);
    }
    const T *ds = dscores + row * kPanel, *keys = keys_ + place(0, c);
    T* dkeys = dkeys_ + place(0, c);
    for (int64_t j = band.begin; j < band.end; ++j) {
      const auto b = hn::Load(d, keys + j * kLanes<T>);
      auto db = hn::Load(d, dkeys + j * kLanes<T>);
      HWY_UNROLL(4) for (int r = 0; r < kCount; ++r) {
        Vector<T> value, slope;
        Form::terms(a[r], b, hn::Set(d, ds[r * kPanel + j]), value, slope);
        du[r] = hn::Add(du[r], value), da[r] = hn::Add(da[r], slope), db = hn::Add(db, slope);
      }
      hn::Store(db, d, dkeys + j * kLanes<T>);
    }
    const auto feature = hn::Mul(width.load(d, of.features + c), hn::Set(d, Form::kSlope));
    auto dfeature = width.load(d, of.dfeatures + c);
    HWY_UNROLL(4) for (int r = 0; r < kCount; ++r) {
      T* dq = of.dq + (row + r) * of.dq_stride + c;
      width.store(hn::MulAdd(da[r], feature, width.load(d, dq)), d, dq);
      dfeature = hn::MulAdd(du[r], hn::Set(d, Form::kValue), dfeature);
    }
    width.store(dfeature, d, of.dfeatures + c);
  }

  int64_t depth_ = 0, padded_ = 0;
  bool exponentials_ = false;
  T *keys_ = nullptr, *dkeys_ = nullptr;
};

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#endif  // HEED_ATTENTION_ENGINE_ADDED_INL_H_
