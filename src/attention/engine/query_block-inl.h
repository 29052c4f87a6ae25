// Online softmax: Milakov & Gimelshein 2018, arXiv:1805.02867; tiles without a T×S array: Rabe & Staats 2021,
// arXiv:2112.05682, and Dao et al. 2022, arXiv:2205.14135. What is our own: a row's reference is the largest score of
// the first tile that it sees, not the largest so far. Weights are 2^(s − reference), and only where one exceeds
// 2^kHeadroom the row is moved to a larger reference, so that nothing has to be rescaled in between.
#if defined(HEED_ATTENTION_ENGINE_QUERY_BLOCK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_ATTENTION_ENGINE_QUERY_BLOCK_INL_H_
#undef HEED_ATTENTION_ENGINE_QUERY_BLOCK_INL_H_
#else
#define HEED_ATTENTION_ENGINE_QUERY_BLOCK_INL_H_
#endif

#include <cmath>
#include <utility>
#include <vector>

#include "attention/engine/forms-inl.h"
#include "attention/engine/query_block.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

static_assert(kKeyBlock <= kSpanKeys && kKeyBlock == kDropoutKeys);

// The working memory of a block of queries.
template <class T>
struct BlockState {
  using C = Number<T>;
  static constexpr int64_t kStride = kKeyBlock + 16;  // of weights: off powers of two
  Unit<T>* queries;                                   // [rows][units of D], as left_row makes them
  T* weights;                                         // [rows][kStride]
  C* out;                                             // [rows][E], not yet divided by the sum
  C* reference;                                       // [rows]; −∞ before the row has seen a key
  C* sum;                                             // [rows][lanes] of weights
  C* pending;                                         // the same, of the current block of keys
  C* added;                                           // of AddedScores
  C factor;                                           // from products to scores, where queries do not carry it

  static int64_t size(const Sizes& n, int64_t rows) {
    return rows * (n.width + kStride + n.value_width + 1 + 2 * kLanes<C>)+6 * 16 + AddedOf<T>::size(n.width, rows);
  }
  // memory: size(n, rows) numbers, aligned to a line.
  BlockState(const Problem<T>& p, int64_t rows, C* memory) : factor(static_cast<C>(p.scale * kLog2E)) {
    const auto take = [&](int64_t each) { return std::exchange(memory, memory + (rows * each + 15) / 16 * 16); };
    queries = reinterpret_cast<Unit<T>*>(take(p.n.width)), weights = reinterpret_cast<T*>(take(kStride));
    out = take(p.n.value_width), reference = take(1), sum = take(kLanes<C>), pending = take(kLanes<C>);
    added = memory;
  }
};

// Where a band lies: in the block of queries, in the block of keys, in its panel.
struct Corner {
  int64_t row, panel_column, column;
};

// Epilogue of the scores' product: softmax's weights, not yet divided by their sum, or with many pieces those of
// whatever normaliser.
template <class T, class Pieces, class Multiplier>
struct Weigh {
  using C = Number<T>;
  Pieces pieces;
  Multiplier multiplier;
  BlockState<T> state;
  Corner at;
  Streaming normalizer = Streaming::softmax;

  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const Vector<C> (&product)[kVectors], Width) const {
    const Tag<C> d;
    row += at.row, column += at.column;
    Vector<C> x[kVectors];
    at_scale<T>(product, state.factor, x);
    pieces(row, column, x);
    const bool alone = Pieces::kMany && normalizer != Streaming::softmax;
    const auto reference = hn::Set(d, alone ? C{0} : reference_of(row, x));
    column += at.panel_column;
    T* weights = state.weights + row * BlockState<T>::kStride + column;
    C* pending = state.pending + row * kLanes<C>;
    auto sum = hn::Load(d, pending);
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) {
      const auto p = alone ? weight_alone<C>(normalizer, x[v]) : power_of_two(hn::Sub(x[v], reference));
      sum = hn::Add(sum, p);
      const int64_t at = column + v * kLanes<C>;
      store(multiplier.dropped(row, at, multiplier.focused(row, at, p)), weights + v * kLanes<C>);
    }
    hn::Store(sum, d, pending);
  }

 private:
  template <int kVectors>
  HWY_INLINE C reference_of(int64_t row, const Vector<C> (&x)[kVectors]) const {
    C& reference = state.reference[row];
    if (HWY_UNLIKELY(reference == -INFINITY)) {
      auto largest = x[0];
      for (int v = 1; v < kVectors; ++v) largest = hn::Max(largest, x[v]);
      reference = hn::GetLane(hn::MaxOfLanes(Tag<C>(), largest));
      if (reference == -INFINITY) return 0;
    }
    return reference;
  }
};

// Epilogue of the scores' product where rows have left their references behind: their largest scores.
template <class T>
struct Largest {
  using C = Number<T>;
  ScorePieces<C> pieces;
  Corner at;
  C factor;
  C* largest;  // [rows]
  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const Vector<C> (&product)[kVectors], Width) const {
    row += at.row, column += at.column;
    Vector<C> x[kVectors];
    at_scale<T>(product, factor, x);
    pieces(row, column, x);
    for (int v = 0; v < kVectors; ++v)
      largest[row] = std::max(largest[row], hn::GetLane(hn::MaxOfLanes(Tag<C>(), x[v])));
  }
};

enum class Keys { packed, as_they_are };

template <class T, Keys kKeys>
class QueryBlock {
 public:
  using C = Number<T>;
  using U = Unit<T>;
  QueryBlock(const Head<T>& head, int64_t row, int64_t rows, Number<T>* memory)
      : head_(head),
        problem_(*head.problem),
        n_(problem_.n),
        row_(row),
        rows_(rows),
        view_(problem_.visible, head.b, head.h, row, rows),
        state_(problem_, rows, memory),
        depth_(units<T>(n_.width)),
        added_(problem_, head.b, head.h, row, rows, kKeys == Keys::packed ? state_.added : nullptr),
        relative_(problem_) {
    start();
  }

  HWY_NOINLINE void run() {
    const Interval keys = view_.any();
    if (!keys.empty()) {
      // The nearest keys first: with most biases they score highest, and references need not move.
      const int64_t first = keys.begin / kKeyBlock * kKeyBlock, last = (keys.end - 1) / kKeyBlock * kKeyBlock;
      const int64_t nearest =
          std::clamp((row_ + rows_ - 1 + n_.keys - n_.queries) / kKeyBlock * kKeyBlock, first, last);
      next_ = -kKeyBlock;
      for (int64_t key = nearest; key >= first; key -= kKeyBlock) key_block(key);
      next_ = kKeyBlock;
      for (int64_t key = nearest + kKeyBlock; key <= last; key += kKeyBlock) key_block(key);
    }
    finish();
  }
  const Interval& seen() const { return view_.any(); }

  // The next block of keys, from `key` on.
  void key_block(int64_t key) {
    if (weigh_block(key)) add_block(key);
  }
  // Its weights alone, where anything of it is seen; scores: [rows][kKeyBlock], where they are made already.
  HWY_NOINLINE bool weigh_block(int64_t key, const C* scores = nullptr) {
    panels_ = 0, given_ = scores, given_key_ = key;
    for (; panels_ < 2 && key + panels_ * kPanel < n_.keys; ++panels_)
      view_.panel(key + panels_ * kPanel, panel_[panels_]);
    if (panel_[0].count == 0 && (panels_ < 2 || panel_[1].count == 0)) return false;
    if (problem_.dropout)
      problem_.dropout.draw(n_, n_.row_number(head_.b, head_.h, row_), rows_, key / kKeyBlock, keep_);
    if constexpr (kEveryForm<T>)
      if (relative_) relate(key);
    weigh(key);
    if (problem_.normalizer == Streaming::softmax) {
      while (left_behind()) raise(key), weigh(key);
      settle();
    }
    return true;
  }
  void add_block(int64_t key) {
    add_values(key);
    if constexpr (kEveryForm<T>)
      if (problem_.relative.values) add_relative_values();
  }
  // Whether all of the current block of keys is seen, so that its values may be added for many heads at once.
  bool whole() const { return !problem_.relative.values && !panel_[0].cut && (panels_ < 2 || !panel_[1].cut); }
  const BlockState<T>& state() const { return state_; }

  // Divides by the sum, and notes the log-sum-exp.
  void finish() {
    const bool softmax = problem_.normalizer == Streaming::softmax;
    C sums[kQueryBlock];
    if (softmax) sum_rows(sums);
    for (int64_t r = 0; r < rows_; ++r) {
      const C factor = !softmax ? C{1} : sums[r] == 0 ? C{0} : 1 / sums[r];  // a row that looks nowhere gives 0
      scale_row(state_.out + r * n_.value_width, factor, n_.value_width,
                head_.outputs->out.at(head_.b, head_.h, row_ + r));
    }
    if (softmax) note_log_sums(sums);
  }

 private:
  void start() {
    for (int64_t r = 0; r < rows_ && !problem_.features; ++r)
      left_row(problem_.q.at(head_.b, head_.h, row_ + r), state_.factor, n_.width, state_.queries + r * depth_);
    std::fill_n(state_.out, rows_ * n_.value_width, C{0});
    std::fill_n(state_.reference, rows_, static_cast<C>(-INFINITY));
    std::fill_n(state_.sum, rows_ * kLanes<C>, C{0});
  }

  void relate(int64_t key) {
    relative_.set({head_.b, head_.h, row_, rows_, key, std::min(kKeyBlock, n_.keys - key)});
    relative_.multiply_queries();
  }
  // out_i += Σ_j p_ij b_{j−i'}
  void add_relative_values() {
    relative_.weights.clear();
    for_bands([&](int i, const Band& band) {
      relative_.weights.copy(band, i * kPanel, state_.weights + i * kPanel, BlockState<T>::kStride, T{1});
    });
    relative_.add_entries(relative_.weights, problem_.relative.values, state_.out, n_.value_width);
  }

  void weigh(int64_t key) {
    std::fill_n(state_.pending, rows_ * kLanes<C>, C{0});
    if constexpr (kKeys == Keys::packed && std::is_same_v<C, float>)
      if (problem_.normalizer == Streaming::softmax && has_no_pieces(problem_) && !problem_.centres.data)
        return problem_.dropout ? weigh_plain(key, Keep<C>(problem_.dropout, keep_)) : weigh_plain(key, NoMultiplier());
    const Multipliers<C> multipliers(problem_, head_.b, head_.h, row_, key, keep_);
    for_bands([&](int i, const Band& band) {
      const Corner at{band.row, i * kPanel, band.begin};
      scores(key, i, band,
             Weigh<T, ScorePieces<C>, Multipliers<C>>{pieces(key, i), multipliers, state_, at, problem_.normalizer});
    });
  }
  // Softmax of products: the path of most.
  template <class Multiplier>
  HWY_NOINLINE void weigh_plain(int64_t key, const Multiplier& multiplier) {
    for_bands([&](int i, const Band& band) {
      const Corner at{band.row, i * kPanel, band.begin};
      if (band.full)
        score_panel(band, depth_, state_.queries, depth_, key_panel(key, i),
                    Weigh<T, NoPieces, Multiplier>{{}, multiplier, state_, at});
      else
        scores(key, i, band, Weigh<T, HiddenKeys, Multiplier>{{panel_[i].bits_or_null()}, multiplier, state_, at});
    });
  }

  // Whether a weight exceeds 2^kHeadroom: then so does a sum.
  bool left_behind() const {
    const Tag<C> d;
    auto most = hn::Zero(d);
    for (int64_t i = 0; i < rows_ * kLanes<C>; i += kLanes<C>) most = hn::Max(hn::Load(d, state_.pending + i), most);
    return !hn::AllTrue(d, hn::Le(most, hn::Set(d, std::exp2(static_cast<C>(kHeadroom)))));
  }
  // Moves the references to the largest scores so far.
  HWY_NOINLINE void raise(int64_t key) {
    C largest[kQueryBlock];
    std::copy_n(state_.reference, rows_, largest);
    for_bands([&](int i, const Band& band) {
      scores(key, i, band, Largest<T>{pieces(key, i), {band.row, i * kPanel, band.begin}, state_.factor, largest});
    });
    for (int64_t r = 0; r < rows_; ++r) {
      if (!(largest[r] > state_.reference[r])) continue;
      const C factor = std::exp2(state_.reference[r] - largest[r]);
      for (int64_t c = 0; c < n_.value_width; ++c) state_.out[r * n_.value_width + c] *= factor;
      for (int64_t c = 0; c < kLanes<C>; ++c) state_.sum[r * kLanes<C> + c] *= factor;
      state_.reference[r] = largest[r];
    }
  }
  void settle() {
    const Tag<C> d;
    for (int64_t i = 0; i < rows_ * kLanes<C>; i += kLanes<C>)
      hn::Store(hn::Add(hn::Load(d, state_.sum + i), hn::Load(d, state_.pending + i)), d, state_.sum + i);
  }

  template <class Body>
  void for_bands(const Body& body) {
    for (int i = 0; i < panels_; ++i)
      for (const Band& band : panel_[i]) body(i, band);
  }
  ScorePieces<C> pieces(int64_t key, int i) const {
    ScorePieces<C> all(problem_, head_.b, head_.h, row_, key + i * kPanel, panel_[i].bits_or_null());
    all.fetch_ahead(next_, 0);
    if constexpr (kEveryForm<T>)
      if (relative_) relative_.add_to(all, i * kPanel);
    return all;
  }
  template <class Epilogue>
  void scores(int64_t key, int i, const Band& band, Epilogue&& epilogue) {
    if constexpr (kKeys == Keys::as_they_are) return scores_of_rows(key + i * kPanel, band, epilogue);
    if constexpr (kEveryForm<T>)
      if (problem_.features)
        return added_(band, key_panel(key, i), head_.exponentials[key / kPanel + i] != 0, epilogue);
    score_band(band, depth_, state_.queries, depth_, key_panel(key, i), epilogue);
  }
  const U* key_panel(int64_t key, int i) const { return head_.key_panels + (key + i * kPanel) * depth_; }
  // Few queries: the keys are read as they are, each once.
  template <class Epilogue>
  void scores_of_rows(int64_t key, const Band& band, Epilogue&& epilogue) {
    const T* keys = natural_keys(key + band.begin);
    const int64_t count = std::min(band.columns(), n_.keys - key - band.begin);
    T own[kPanel] = {};
    for (int64_t r = 0; r < band.rows; ++r) {
      const T* scores = given_ ? given_ + (band.row + r) * kKeyBlock + key - given_key_ + band.begin : own;
      if (!given_ && problem_.features)
        added_.of_rows(band.row + r, keys, problem_.k.row, count, own);
      else if (!given_)
        inner_products(state_.queries + (band.row + r) * n_.width, keys, problem_.k.row, n_.width, count, own,
                       r == 0 ? rows_to_come(key + band.begin) : std::array<RowsToCome<T>, 2>());
      hand_over({r, r + 1}, {0, band.columns()}, scores, epilogue);
    }
  }

  // The values of these keys, and the keys of the block before them, which follows.
  std::array<RowsToCome<T>, 2> rows_to_come(int64_t key) const {
    const RowsToCome<T> values{natural_values(key), problem_.v.row, n_.value_width};
    if (key < kKeyBlock) return {values, {}};
    return {values, {natural_keys(key - kKeyBlock), problem_.k.row, n_.width}};
  }

  RowStrips<U> values(int64_t key) const {
    if constexpr (kEveryForm<T>)
      if (!head_.value_strips) return {natural_values(key), problem_.v.row};
    return packed_rows(head_.value_strips, units<T>(n_.keys)).from_row(units<T>(key));
  }
  const T* natural_keys(int64_t key) const { return problem_.k.at(head_.b, head_.h / n_.heads_per_group(), key); }
  const T* natural_values(int64_t key) const { return problem_.v.at(head_.b, head_.h / n_.heads_per_group(), key); }

  // out += P V
  void add_values(int64_t key) {
    if (panels_ == 2 && !panel_[0].cut && !panel_[1].cut)
      return add_values(panel_[0].bands[0], 0, panel_[0].bands[0].columns() + panel_[1].bands[0].columns(),
                        values(key));
    for (int i = 0; i < panels_; ++i) add_panel(i, key + i * kPanel, std::min(kPanel, n_.keys - key - i * kPanel));
  }
  // out += P V for panel i, the keys from `key` on.
  void add_panel(int i, int64_t key, int64_t keys) {
    const PanelBands& panel = panel_[i];
    if (panel.count == 0) return;
    const uint64_t bad = panel.cut ? rows_not_finite(natural_values(key), problem_.v.row, n_.value_width, keys) : 0;
    if (HWY_UNLIKELY(bad != 0)) return add_panel_of(i, key, keys, bad);
    for (const Band& band : panel)
      add_values(band, i * kPanel + band.begin, std::min(band.columns(), keys - band.begin), values(key + band.begin));
  }
  // The same where some values are not finite: they reach those queries that see them.
  HWY_NOINLINE void add_panel_of(int i, int64_t key, int64_t keys, uint64_t bad) {
    const T* values = natural_values(key);
    const FiniteCopy<T> copy(values, problem_.v.row, n_.value_width, keys, bad);
    for (const Band& band : panel_[i]) {
      add_values(band, i * kPanel + band.begin, std::min(band.columns(), keys - band.begin),
                 copy.strips.from_row(units<T>(band.begin)));
      for (int64_t r = band.row; r < band.row + band.rows; ++r)
        for (uint64_t seen = bad & panel_[i].bits[r]; seen != 0; seen &= seen - 1) {
          const int64_t j = std::countr_zero(seen);
          const C weight = static_cast<C>(state_.weights[r * BlockState<T>::kStride + i * kPanel + j]);
          for (int64_t c = 0; c < n_.value_width; ++c)
            state_.out[r * n_.value_width + c] += weight * static_cast<C>(values[j * problem_.v.row + c]);
        }
    }
  }
  // out += P V for a band, with the weights from `column` of the block of keys on.
  void add_values(const Band& band, int64_t column, int64_t keys, const RowStrips<U>& values) {
    const T* weights = state_.weights + band.row * BlockState<T>::kStride + column;
    C* out = state_.out + band.row * n_.value_width;
    if constexpr (kKeys == Keys::as_they_are)
      if (band.rows == 1) return add_rows(weights, values.data, values.row, n_.value_width, keys, out);
    add_product(band.rows, n_.value_width, units<T>(keys),
                kn::by_rows(reinterpret_cast<const U*>(weights), units<T>(BlockState<T>::kStride)), values, out,
                n_.value_width);
  }

  void sum_rows(C* sums) const {
    const Tag<C> d;
    for (int64_t r = 0; r < rows_; ++r)
      sums[r] = hn::GetLane(hn::SumOfLanes(d, hn::Load(d, state_.sum + r * kLanes<C>)));
  }
  // log Σ e^s = log 2 · reference + log Σ weights; log 0 is −∞.
  void note_log_sums(const C* sums) const {
    const Tag<C> d;
    C* to = head_.outputs->log_sum_exp + n_.row_number(head_.b, head_.h, row_);
    for (int64_t r = 0; r < rows_; r += kLanes<C>) {
      const auto some = hn::FirstN(d, static_cast<size_t>(std::min(kLanes<C>, rows_ - r)));
      const auto reference = hn::Mul(hn::MaskedLoad(some, d, state_.reference + r), hn::Set(d, static_cast<C>(kLn2)));
      const auto sum = hn::MaskedLoad(some, d, sums + r);
      const auto nowhere = hn::Eq(sum, hn::Zero(d));
      const auto total = hn::Add(reference, kn::log(d, sum));
      hn::BlendedStore(hn::IfThenElse(nowhere, hn::Set(d, static_cast<C>(-INFINITY)), total), some, d, to + r);
    }
  }

  const Head<T>& head_;
  const Problem<T>& problem_;
  const Sizes n_;
  int64_t row_, rows_;
  BlockView view_;
  BlockState<T> state_;
  int64_t depth_;  // units of the width
  AddedOf<T> added_;
  RelativeOf<T> relative_;
  PanelBands panel_[2];  // of the current block of keys
  int panels_ = 0;
  int64_t next_ = 0;          // from this block of keys to the next
  const C* given_ = nullptr;  // scores of the current block of keys
  int64_t given_key_ = 0;
  uint64_t keep_[2 * kQueryBlock];
};

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#endif  // HEED_ATTENTION_ENGINE_QUERY_BLOCK_INL_H_
