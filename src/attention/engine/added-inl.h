// The form "add": in place of a product
//
//   s_ij = Σ_d u_d t_ijd,  t = tanh(a_id + b_jd),  a = q', b = k'
//   da_i = u Σ_j dS_ij (1 − t²)     db_j = u Σ_i dS_ij (1 − t²)     du = Σ_ij dS_ij t
//
// tile by tile, so that no (T,S,D) array is ever held.
#if defined(HEED_ATTENTION_ENGINE_ADDED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_ATTENTION_ENGINE_ADDED_INL_H_
#undef HEED_ATTENTION_ENGINE_ADDED_INL_H_
#else
#define HEED_ATTENTION_ENGINE_ADDED_INL_H_
#endif

#include <utility>

#include "attention/engine/pieces-inl.h"
#include "kernels/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

// ---- scores: lanes are keys, panels [D][64] ---------------------------------------------------------------

// A block of queries of one head.
template <class T>
class AddedScores {
 public:
  AddedScores(const Problem<T>& p, int64_t b, int64_t h, int64_t row)
      : depth_(p.n.width), queries_(p.q.at(b, h, row)), stride_(p.q.row), features_(p.features.at(b, h, 0)) {}

  // Of a band, in units of log 2, handed to the epilogue.
  template <class Epilogue>
  HWY_INLINE void operator()(const Band& band, const T* panel, Epilogue&& epilogue) const {
    for (int64_t column = 0; column < band.columns();) {
      if (band.columns() - column >= 2 * kLanes<T>)
        columns<2>(band, panel, column, epilogue), column += 2 * kLanes<T>;
      else
        columns<1>(band, panel, column, epilogue), column += kLanes<T>;
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
  template <int kVectors, class Epilogue>
  HWY_INLINE void columns(const Band& band, const T* panel, int64_t column, Epilogue& epilogue) const {
    for (int64_t row = 0; row < band.rows; ++row) {
      Vector<T> x[kVectors];
      score(queries_ + (band.row + row) * stride_, panel + band.begin + column, x);
      epilogue(row, column, x, kn::WholeVector());
    }
  }
  template <int kVectors>
  HWY_NOINLINE void score(const T* query, const T* keys, Vector<T> (&x)[kVectors]) const {
    const Tag<T> d;
    for (auto& sum : x) sum = hn::Zero(d);
    for (int64_t c = 0; c < depth_; ++c)
      for (int v = 0; v < kVectors; ++v) {
        const auto key = hn::LoadU(d, keys + c * kPanel + v * kLanes<T>);
        x[v] = hn::MulAdd(kn::tanh(d, hn::Add(hn::Set(d, query[c]), key)), hn::Set(d, features_[c]), x[v]);
      }
    for (auto& sum : x) sum = hn::Mul(sum, hn::Set(d, static_cast<T>(kLog2E)));
  }

  int64_t depth_;
  const T* queries_;
  int64_t stride_;
  const T* features_;
};

// ---- gradients: lanes are features, panels [D/lanes][64][lanes] -------------------------------------------

// A panel of 64 keys and the gradients of the queries that pass by.
template <class T>
class AddedGradients {
 public:
  static int64_t padded(int64_t depth) { return (depth + kLanes<T> - 1) / kLanes<T> * kLanes<T>; }
  // Numbers that `keys` needs.
  static int64_t size(int64_t depth) { return 2 * kPanel * padded(depth); }

  void start(const T* k, int64_t stride, int64_t depth, int64_t keys, T* memory) {
    depth_ = depth, padded_ = padded(depth), keys_ = memory, dkeys_ = memory + kPanel * padded_;
    std::fill_n(memory, 2 * kPanel * padded_, T{0});
    for (int64_t j = 0; j < keys; ++j)
      for (int64_t c = 0; c < depth_; ++c) {
        const T x = k[j * stride + c];
        keys_[place(j, c)] = std::isnan(x) ? T{0} : x;  // hidden, or dS is NaN already
      }
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
  void add(const Band& band, const T* dscores, const Queries& of) {
    for (int64_t c = 0; c < depth_; c += kLanes<T>) {
      const kn::PartVector width{std::min(kLanes<T>, depth_ - c)};
      for (int64_t r = band.row; r < band.row + band.rows; ++r) add_row(band, c, width, dscores + r * kPanel, r, of);
    }
  }

  // dk += u·db, for as many keys; from here on db is another head's.
  void finish(const T* features, T* dk, int64_t stride, int64_t keys) {
    for (int64_t j = 0; j < keys; ++j)
      for (int64_t c = 0; c < depth_; ++c) dk[j * stride + c] += features[c] * std::exchange(dkeys_[place(j, c)], 0);
  }

 private:
  int64_t place(int64_t key, int64_t feature) const {
    return (feature / kLanes<T> * kPanel + key) * kLanes<T> + feature % kLanes<T>;
  }
  HWY_NOINLINE void add_row(const Band& band, int64_t c, kn::PartVector width, const T* ds, int64_t r,
                            const Queries& of) {
    const Tag<T> d;
    const auto a = width.load(d, of.q + r * of.stride + c);
    auto da = hn::Zero(d), du = hn::Zero(d);
    for (int64_t j = band.begin; j < band.end; ++j) {
      T* db = dkeys_ + place(j, c);
      const auto g = hn::Set(d, ds[j]);
      const auto t = kn::tanh(d, hn::Add(a, hn::LoadU(d, keys_ + place(j, c))));
      const auto w = hn::Mul(g, t), z = hn::NegMulAdd(w, t, g);
      du = hn::Add(du, w), da = hn::Add(da, z);
      hn::StoreU(hn::Add(hn::LoadU(d, db), z), d, db);
    }
    T* dq = of.dq + r * of.dq_stride + c;
    width.store(hn::MulAdd(da, width.load(d, of.features + c), width.load(d, dq)), d, dq);
    width.store(hn::Add(du, width.load(d, of.dfeatures + c)), d, of.dfeatures + c);
  }

  int64_t depth_ = 0, padded_ = 0;
  T *keys_ = nullptr, *dkeys_ = nullptr;
};

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#endif  // HEED_ATTENTION_ENGINE_ADDED_INL_H_
