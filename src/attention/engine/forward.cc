// Online softmax: Milakov & Gimelshein 2018, arXiv:1805.02867; tiles without a T×S array: Rabe & Staats 2021,
// arXiv:2112.05682, and Dao et al. 2022, arXiv:2205.14135. What is our own: a row's reference is the largest score of
// the first tile that it sees, not the largest so far. Weights are 2^(s − reference), and only where one exceeds
// 2^kHeadroom the row is moved to a larger reference, so that nothing has to be rescaled in between.
#include "attention/engine/problem.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/engine/forward.cc"
#include "hwy/foreach_target.h"
// After Highway's own, in this order.
#include "attention/engine/added-inl.h"
#include "attention/engine/relative-inl.h"
#include "kernels/panels-inl.h"

#ifndef HEED_ATTENTION_ENGINE_FORWARD_ONCE
#define HEED_ATTENTION_ENGINE_FORWARD_ONCE
#include <cmath>
#include <utility>
#include <vector>

#include "base/threads.h"
#include "kernels/scratch.h"

namespace heed::attention {

inline constexpr int64_t kKeyBlock = 128;  // keys between two products with the values
inline constexpr double kHeadroom = 24;    // in log 2: sums of such weights stay far from overflow

// One head with its keys packed, in panels of 64 keys [S/64][D][64], and where they are wide its values, [E/64][S][64].
template <class T>
struct Head {
  const Problem<T>* problem;
  const Outputs<T>* outputs;
  int64_t b, h;
  const T *key_panels, *value_panels;  // the second null where values are read as they are
  const uint8_t* exponentials;         // whether a panel holds exponentials, see added-inl.h
};

}  // namespace heed::attention
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

static_assert(kKeyBlock <= kSpanKeys);

// The working memory of a block of queries.
template <class T>
struct BlockState {
  static constexpr int64_t kStride = kKeyBlock + 16;  // of weights: off powers of two
  T* queries;                                         // [rows][D], times scale·log₂e
  T* weights;                                         // [rows][kStride]
  T* out;                                             // [rows][E], not yet divided by the sum
  T* reference;                                       // [rows]; −∞ before the row has seen a key
  T* sum;                                             // [rows][lanes] of weights
  T* pending;                                         // the same, of the current block of keys
  T* added;                                           // of AddedScores

  static int64_t size(const Sizes& n, int64_t rows) {
    return rows * (n.width + kStride + n.value_width + 1 + 2 * kLanes<T>)+6 * 16 + AddedScores<T>::size(n.width, rows);
  }
  // memory: size(n, rows) numbers, aligned to a line.
  BlockState(const Sizes& n, int64_t rows, T* memory) {
    const auto take = [&](int64_t each) { return std::exchange(memory, memory + (rows * each + 15) / 16 * 16); };
    queries = take(n.width), weights = take(kStride), out = take(n.value_width), reference = take(1);
    sum = take(kLanes<T>), pending = take(kLanes<T>);
    added = memory;
  }
};

// Where a band lies: in the block of queries, in the block of keys, in its panel.
struct Corner {
  int64_t row, panel_column, column;
};

// Epilogue of the scores' product: softmax's weights, not yet divided by their sum.
template <class T, class Pieces, class Multiplier>
struct Weigh {
  Pieces pieces;
  Multiplier multiplier;
  BlockState<T> state;
  Corner at;

  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const Vector<T> (&product)[kVectors], Width) const {
    if constexpr (kRare)
      out_of_line(row, column, product);
    else
      weigh(row, column, product);
  }

 private:
  // What is rare is not compiled into each tile.
  static constexpr bool kRare =
      sizeof(T) == sizeof(double) || !(std::is_same_v<Pieces, NoPieces> || std::is_same_v<Multiplier, NoMultiplier>);
  template <int kVectors>
  HWY_NOINLINE void out_of_line(int64_t row, int64_t column, const Vector<T> (&product)[kVectors]) const {
    weigh(row, column, product);
  }
  template <int kVectors>
  HWY_INLINE void weigh(int64_t row, int64_t column, const Vector<T> (&product)[kVectors]) const {
    const Tag<T> d;
    row += at.row, column += at.column;
    Vector<T> x[kVectors];
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) x[v] = product[v];
    pieces(row, column, x);
    const auto reference = hn::Set(d, reference_of(row, x));
    column += at.panel_column;
    T* weights = state.weights + row * BlockState<T>::kStride + column;
    T* pending = state.pending + row * kLanes<T>;
    auto sum = hn::Load(d, pending);
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) {
      const auto p = power_of_two(hn::Sub(x[v], reference));
      sum = hn::Add(sum, p);
      const int64_t at = column + v * kLanes<T>;
      hn::StoreU(multiplier.dropped(row, at, multiplier.focused(row, at, p)), d, weights + v * kLanes<T>);
    }
    hn::Store(sum, d, pending);
  }

  template <int kVectors>
  HWY_INLINE T reference_of(int64_t row, const Vector<T> (&x)[kVectors]) const {
    T& reference = state.reference[row];
    if (HWY_UNLIKELY(reference == -INFINITY)) {
      auto largest = x[0];
      for (int v = 1; v < kVectors; ++v) largest = hn::Max(largest, x[v]);
      reference = hn::GetLane(hn::MaxOfLanes(Tag<T>(), largest));
      if (reference == -INFINITY) return 0;
    }
    return reference;
  }
};

// Epilogue of the scores' product where weights do not depend on each other.
template <class T, class Multiplier>
struct WeighAlone {
  ScorePieces<T> pieces;
  Multiplier multiplier;
  BlockState<T> state;
  Corner at;
  Streaming normalizer;
  template <int kVectors, class Width>
  HWY_NOINLINE void operator()(int64_t row, int64_t column, const Vector<T> (&product)[kVectors], Width) const {
    const Tag<T> d;
    row += at.row, column += at.column;
    Vector<T> x[kVectors];
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) x[v] = product[v];
    pieces(row, column, x);
    column += at.panel_column;
    T* weights = state.weights + row * BlockState<T>::kStride + column;
    for (int v = 0; v < kVectors; ++v) {
      const int64_t at = column + v * kLanes<T>;
      const auto p = multiplier.focused(row, at, weight_alone<T>(normalizer, x[v]));
      hn::StoreU(multiplier.dropped(row, at, p), d, weights + v * kLanes<T>);
    }
  }
};

// Epilogue of the scores' product where rows have left their references behind: their largest scores.
template <class T>
struct Largest {
  ScorePieces<T> pieces;
  Corner at;
  T* largest;  // [rows]
  template <int kVectors, class Width>
  HWY_NOINLINE void operator()(int64_t row, int64_t column, const Vector<T> (&product)[kVectors], Width) const {
    row += at.row, column += at.column;
    Vector<T> x[kVectors];
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) x[v] = product[v];
    pieces(row, column, x);
    for (int v = 0; v < kVectors; ++v)
      largest[row] = std::max(largest[row], hn::GetLane(hn::MaxOfLanes(Tag<T>(), x[v])));
  }
};

template <class T>
class QueryBlock {
 public:
  QueryBlock(const Head<T>& head, int64_t row, int64_t rows, T* memory)
      : head_(head),
        problem_(*head.problem),
        n_(problem_.n),
        row_(row),
        rows_(rows),
        view_(problem_.visible, head.b, head.h, row, rows),
        state_(n_, rows, memory),
        added_(problem_, head.b, head.h, row, rows, head.key_panels ? state_.added : nullptr),
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
      for (int64_t key = nearest; key >= first; key -= kKeyBlock) key_block(key);
      for (int64_t key = nearest + kKeyBlock; key <= last; key += kKeyBlock) key_block(key);
    }
    finish();
  }
  const Interval& seen() const { return view_.any(); }

  // The next block of keys, from `key` on.
  HWY_NOINLINE void key_block(int64_t key) {
    panels_ = 0;
    for (; panels_ < 2 && key + panels_ * kPanel < n_.keys; ++panels_)
      view_.panel(key + panels_ * kPanel, panel_[panels_]);
    if (panel_[0].count == 0 && (panels_ < 2 || panel_[1].count == 0)) return;
    if (problem_.dropout.p > 0) draw(key);
    if (relative_) relate(key);
    weigh(key);
    if (problem_.normalizer == Streaming::softmax) {
      while (left_behind()) raise(key), weigh(key);
      settle();
    }
    add_values(key);
    if (problem_.relative.values) add_relative_values();
  }

  // Divides by the sum, and notes the log-sum-exp.
  void finish() {
    const bool softmax = problem_.normalizer == Streaming::softmax;
    T sums[kQueryBlock];
    if (softmax) sum_rows(sums);
    for (int64_t r = 0; r < rows_; ++r) {
      const T factor = !softmax ? T{1} : sums[r] == 0 ? T{0} : 1 / sums[r];  // a row that looks nowhere gives 0
      scale_row(state_.out + r * n_.value_width, factor, n_.value_width,
                head_.outputs->out.at(head_.b, head_.h, row_ + r));
    }
    if (softmax) note_log_sums(sums);
  }

 private:
  void start() {
    const T factor = static_cast<T>(problem_.scale * kLog2E);
    for (int64_t r = 0; r < rows_ && !problem_.features; ++r) {
      scale_row(problem_.q.at(head_.b, head_.h, row_ + r), factor, n_.width, state_.queries + r * n_.width);
    }
    std::fill_n(state_.out, rows_ * n_.value_width, T{0});
    std::fill_n(state_.reference, rows_, static_cast<T>(-INFINITY));
    std::fill_n(state_.sum, rows_ * kLanes<T>, T{0});
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

  // Which weights of this block of keys are kept. A row and 128 keys are a block of decisions.
  void draw(int64_t key) {
    const int64_t blocks = (n_.keys + kKeyBlock - 1) / kKeyBlock;
    const int64_t row = (head_.b * n_.heads + head_.h) * n_.queries + row_;
    kernels::dropout_bits(problem_.dropout.key, problem_.dropout.p, row * blocks + key / kKeyBlock, blocks, rows_,
                          keep_);
  }

  void weigh(int64_t key) {
    std::fill_n(state_.pending, rows_ * kLanes<T>, T{0});
    if (problem_.dropout.p > 0)
      weigh_dropped(key, Keep<T>{keep_, static_cast<T>(1 / (1 - problem_.dropout.p))});
    else
      weigh_dropped(key, NoMultiplier());
  }
  template <class Dropped>
  void weigh_dropped(int64_t key, const Dropped& dropped) {
    if (problem_.centres.data)
      weigh(key, Focused<T, Dropped>(problem_, head_.b, head_.h, row_, key, dropped));
    else
      weigh(key, dropped);
  }
  template <class Multiplier>
  void weigh(int64_t key, Multiplier multiplier) {
    const bool softmax = problem_.normalizer == Streaming::softmax, plain = softmax && has_no_pieces(problem_);
    for_bands([&](int i, const Band& band) {
      const Corner at{band.row, i * kPanel, band.begin};
      if constexpr (std::is_same_v<T, float>)
        if (plain && head_.key_panels && !panel_[i].cut && panel_[i].whole())
          return score_panel(rows_, n_.width, state_.queries, n_.width, key_panel(key, i),
                             Weigh<T, NoPieces, Multiplier>{{}, multiplier, state_, at});
      if (softmax)
        scores(key, i, band, Weigh<T, ScorePieces<T>, Multiplier>{pieces(key, i), multiplier, state_, at});
      else
        scores(key, i, band, WeighAlone<T, Multiplier>{pieces(key, i), multiplier, state_, at, problem_.normalizer});
    });
  }

  // Whether a weight exceeds 2^kHeadroom: then so does a sum.
  bool left_behind() const {
    const Tag<T> d;
    auto most = hn::Zero(d);
    for (int64_t i = 0; i < rows_ * kLanes<T>; i += kLanes<T>) most = hn::Max(hn::Load(d, state_.pending + i), most);
    return !hn::AllTrue(d, hn::Le(most, hn::Set(d, std::exp2(static_cast<T>(kHeadroom)))));
  }
  // Moves the references to the largest scores so far.
  HWY_NOINLINE void raise(int64_t key) {
    T largest[kQueryBlock];
    std::copy_n(state_.reference, rows_, largest);
    for_bands([&](int i, const Band& band) {
      scores(key, i, band, Largest<T>{pieces(key, i), {band.row, i * kPanel, band.begin}, largest});
    });
    for (int64_t r = 0; r < rows_; ++r) {
      if (!(largest[r] > state_.reference[r])) continue;
      const T factor = std::exp2(state_.reference[r] - largest[r]);
      for (int64_t c = 0; c < n_.value_width; ++c) state_.out[r * n_.value_width + c] *= factor;
      for (int64_t c = 0; c < kLanes<T>; ++c) state_.sum[r * kLanes<T> + c] *= factor;
      state_.reference[r] = largest[r];
    }
  }
  void settle() {
    const Tag<T> d;
    for (int64_t i = 0; i < rows_ * kLanes<T>; i += kLanes<T>)
      hn::Store(hn::Add(hn::Load(d, state_.sum + i), hn::Load(d, state_.pending + i)), d, state_.sum + i);
  }

  template <class Body>
  void for_bands(const Body& body) {
    for (int i = 0; i < panels_; ++i)
      for (const Band& band : panel_[i]) body(i, band);
  }
  ScorePieces<T> pieces(int64_t key, int i) const {
    ScorePieces<T> all(problem_, head_.b, head_.h, row_, key + i * kPanel, panel_[i].bits_or_null());
    if (relative_) relative_.add_to(all, i * kPanel);
    return all;
  }
  template <class Epilogue>
  void scores(int64_t key, int i, const Band& band, Epilogue&& epilogue) {
    if (head_.key_panels == nullptr) return scores_of_rows(key + i * kPanel, band, epilogue);
    if (problem_.features) return added_(band, key_panel(key, i), head_.exponentials[key / kPanel + i] != 0, epilogue);
    score_band(band, n_.width, state_.queries, n_.width, key_panel(key, i), epilogue);
  }
  const T* key_panel(int64_t key, int i) const { return head_.key_panels + (key + i * kPanel) * n_.width; }
  // Few queries: the keys are read as they are, each once.
  template <class Epilogue>
  void scores_of_rows(int64_t key, const Band& band, Epilogue&& epilogue) {
    const T* keys = problem_.k.at(head_.b, head_.h / n_.heads_per_group(), key + band.begin);
    const int64_t count = std::min(band.columns(), n_.keys - key - band.begin);
    T scores[kPanel] = {};
    for (int64_t r = 0; r < band.rows; ++r) {
      if (problem_.features)
        added_.of_rows(band.row + r, keys, problem_.k.row, count, scores);
      else
        inner_products(state_.queries + (band.row + r) * n_.width, keys, problem_.k.row, n_.width, count, scores);
      for (int64_t c = 0; c < band.columns(); c += kLanes<T>) {
        const Vector<T> x[1] = {hn::LoadU(Tag<T>(), scores + c)};
        epilogue(r, c, x, kn::WholeVector());
      }
    }
  }

  RowPanels<T> values(int64_t key) const {
    if (head_.value_panels) return RowPanels<T>{head_.value_panels, kPanel, n_.keys * kPanel}.from_row(key);
    return {natural_values(key), problem_.v.row};
  }
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
    std::vector<T> copy(static_cast<size_t>(keys * n_.value_width));
    copy_finite_rows(values, problem_.v.row, n_.value_width, keys, bad, copy.data());
    for (const Band& band : panel_[i]) {
      add_values(band, i * kPanel + band.begin, std::min(band.columns(), keys - band.begin),
                 {copy.data() + band.begin * n_.value_width, n_.value_width});
      for (int64_t r = band.row; r < band.row + band.rows; ++r)
        for (uint64_t seen = bad & panel_[i].bits[r]; seen != 0; seen &= seen - 1) {
          const int64_t j = std::countr_zero(seen);
          const T weight = state_.weights[r * BlockState<T>::kStride + i * kPanel + j];
          for (int64_t c = 0; c < n_.value_width; ++c)
            state_.out[r * n_.value_width + c] += weight * values[j * problem_.v.row + c];
        }
    }
  }
  // out += P V for a band, with the weights from `column` of the block of keys on.
  void add_values(const Band& band, int64_t column, int64_t keys, const RowPanels<T>& values) {
    add_product(band.rows, n_.value_width, keys,
                kn::by_rows(state_.weights + band.row * BlockState<T>::kStride + column, BlockState<T>::kStride),
                values, state_.out + band.row * n_.value_width, n_.value_width);
  }

  void sum_rows(T* sums) const {
    const Tag<T> d;
    for (int64_t r = 0; r < rows_; ++r)
      sums[r] = hn::GetLane(hn::SumOfLanes(d, hn::Load(d, state_.sum + r * kLanes<T>)));
  }
  // log Σ e^s = log 2 · reference + log Σ weights; log 0 is −∞.
  void note_log_sums(const T* sums) const {
    const Tag<T> d;
    T* to = head_.outputs->log_sum_exp + (head_.b * n_.heads + head_.h) * n_.queries + row_;
    for (int64_t r = 0; r < rows_; r += kLanes<T>) {
      const auto some = hn::FirstN(d, static_cast<size_t>(std::min(kLanes<T>, rows_ - r)));
      const auto reference = hn::Mul(hn::MaskedLoad(some, d, state_.reference + r), hn::Set(d, static_cast<T>(kLn2)));
      const auto sum = hn::MaskedLoad(some, d, sums + r);
      const auto nowhere = hn::Eq(sum, hn::Zero(d));
      const auto total = hn::Add(reference, kn::log(d, sum));
      hn::BlendedStore(hn::IfThenElse(nowhere, hn::Set(d, static_cast<T>(-INFINITY)), total), some, d, to + r);
    }
  }

  const Head<T>& head_;
  const Problem<T>& problem_;
  const Sizes n_;
  int64_t row_, rows_;
  BlockView view_;
  BlockState<T> state_;
  AddedScores<T> added_;
  RelativeBlock<T> relative_;
  PanelBands panel_[2];  // of the current block of keys
  int panels_ = 0;
  uint64_t keep_[2 * kQueryBlock];
};

template <class T>
void run_block_of(const Head<T>& head, int64_t row, int64_t rows) {
  struct Use;
  QueryBlock<T>(head, row, rows, kernels::scratch<Use, T>(BlockState<T>::size(head.problem->n, rows))).run();
}
void run_block_f32(const Head<float>& head, int64_t row, int64_t rows) { run_block_of(head, row, rows); }
void run_block_f64(const Head<double>& head, int64_t row, int64_t rows) { run_block_of(head, row, rows); }

// Few queries of all heads of a group against the keys [begin, end): each block of keys comes from memory once.
template <class T>
void decode_keys(const Problem<T>& p, const Outputs<T>& outputs, int64_t b, int64_t g, const Interval& keys) {
  struct Use;
  const int64_t heads = p.n.heads_per_group(), size = (BlockState<T>::size(p.n, p.n.queries) + 15) / 16 * 16;
  T* memory = kernels::scratch<Use, T>(heads * size);
  std::vector<Head<T>> of;
  for (int64_t i = 0; i < heads; ++i) of.push_back({&p, &outputs, b, g * heads + i, nullptr, nullptr, nullptr});
  std::vector<QueryBlock<T>> blocks;
  for (int64_t i = 0; i < heads; ++i)
    blocks.emplace_back(of[static_cast<size_t>(i)], 0, p.n.queries, memory + i * size);
  for (int64_t key = (keys.end - 1) / kKeyBlock * kKeyBlock; key >= keys.begin; key -= kKeyBlock)
    for (auto& block : blocks)
      if (!(block.seen() & Interval{key, key + kKeyBlock}).empty()) block.key_block(key);
  for (auto& block : blocks) block.finish();
}
void decode_keys_f32(const Problem<float>& p, const Outputs<float>& o, int64_t b, int64_t g, const Interval& keys) {
  decode_keys(p, o, b, g, keys);
}
void decode_keys_f64(const Problem<double>& p, const Outputs<double>& o, int64_t b, int64_t g, const Interval& keys) {
  decode_keys(p, o, b, g, keys);
}

// Keys [key, key + count) of a group, and their values where those are packed. Whether the keys became exponentials.
template <class T>
bool pack_panel_of(const Problem<T>& p, int64_t b, int64_t g, int64_t key, T* key_panels, T* value_panels) {
  const int64_t count = std::min(kPanel, p.n.keys - key);
  kn::pack_panel_transposed(p.k.at(b, g, key), p.k.row, p.n.width, count, key_panels + key * p.n.width);
  const T* v = p.v.at(b, g, key);
  for (int64_t c = 0; value_panels && c < p.n.value_width; c += kPanel)
    for (int64_t r = 0; r < count; ++r)
      scale_row(v + r * p.v.row + c, T{1}, std::min(kPanel, p.n.value_width - c),
                value_panels + c * p.n.keys + (key + r) * kPanel);
  return p.features && to_exponentials(key_panels + key * p.n.width, p.n.width);
}
bool pack_f32(const Problem<float>& p, int64_t b, int64_t g, int64_t key, float* keys, float* values) {
  return pack_panel_of(p, b, g, key, keys, values);
}
bool pack_f64(const Problem<double>& p, int64_t b, int64_t g, int64_t key, double* keys, double* values) {
  return pack_panel_of(p, b, g, key, keys, values);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::attention {
namespace {

HWY_EXPORT(run_block_f32);
HWY_EXPORT(run_block_f64);
HWY_EXPORT(decode_keys_f32);
HWY_EXPORT(decode_keys_f64);
HWY_EXPORT(pack_f32);
HWY_EXPORT(pack_f64);

void run_block(const Head<float>& head, int64_t row, int64_t rows) {
  HWY_DYNAMIC_DISPATCH(run_block_f32)(head, row, rows);
}
void run_block(const Head<double>& head, int64_t row, int64_t rows) {
  HWY_DYNAMIC_DISPATCH(run_block_f64)(head, row, rows);
}
bool pack(const Problem<float>& p, int64_t b, int64_t g, int64_t key, float* keys, float* values) {
  return HWY_DYNAMIC_DISPATCH(pack_f32)(p, b, g, key, keys, values);
}
bool pack(const Problem<double>& p, int64_t b, int64_t g, int64_t key, double* keys, double* values) {
  return HWY_DYNAMIC_DISPATCH(pack_f64)(p, b, g, key, keys, values);
}

// One group: its keys packed, then each block of queries of its heads, the last first: when causal it is the longest.
template <class T>
void run_group(const Problem<T>& p, const Outputs<T>& outputs, int64_t b, int64_t g) {
  struct Use;
  const int64_t panels = (p.n.keys + kPanel - 1) / kPanel;
  const int64_t wide = p.n.value_width > kPanel ? (p.n.value_width + kPanel - 1) / kPanel * kPanel * p.n.keys : 0;
  T* keys = kernels::scratch<Use, T>(panels * kPanel * p.n.width + wide);
  T* values = wide > 0 ? keys + panels * kPanel * p.n.width : nullptr;
  uint8_t* exponentials = kernels::scratch<Use, uint8_t>(panels);
  parallel(panels, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) exponentials[i] = pack(p, b, g, i * kPanel, keys, values);
  });
  const int64_t blocks = (p.n.queries + kQueryBlock - 1) / kQueryBlock;
  const int64_t items = p.n.heads_per_group() * blocks;
  const auto run = [&](int64_t item) {
    const Head<T> head{&p,   &outputs, b,           g * p.n.heads_per_group() + item % p.n.heads_per_group(),
                       keys, values,   exponentials};
    const int64_t row = (blocks - 1 - item / p.n.heads_per_group()) * kQueryBlock;
    run_block(head, row, std::min(kQueryBlock, p.n.queries - row));
  };
  if (worth_threads(p.n)) return parallel_items(items, run);
  for (int64_t i = 0; i < items; ++i) run(i);
}

// ---- few queries ------------------------------------------------------------------------------------------

void decode_keys(const Problem<float>& p, const Outputs<float>& o, int64_t b, int64_t g, const Interval& keys) {
  HWY_DYNAMIC_DISPATCH(decode_keys_f32)(p, o, b, g, keys);
}
void decode_keys(const Problem<double>& p, const Outputs<double>& o, int64_t b, int64_t g, const Interval& keys) {
  HWY_DYNAMIC_DISPATCH(decode_keys_f64)(p, o, b, g, keys);
}

// Few heads: the keys are cut into chunks, a function of the shape alone.
int64_t decode_chunks(const Sizes& n) {
  const int64_t wanted = (16 + n.batch * n.groups - 1) / std::max<int64_t>(1, n.batch * n.groups);
  return std::clamp<int64_t>(n.keys / 1024, 1, wanted);
}

// The parts of one row: out = Σ e^{λ_c − λ} out_c, λ = log Σ e^{λ_c}; weights that stand alone are only added.
template <class T>
void merge_row(const Sizes& n, Streaming normalizer, const std::vector<Outputs<T>>& parts, int64_t row, T* out,
               T& log_sum_exp) {
  T largest = static_cast<T>(-INFINITY), sum = 0;
  for (const auto& part : parts) largest = std::max(largest, part.log_sum_exp[row]);
  for (const auto& part : parts) {
    const T weight = normalizer != Streaming::softmax ? T{1}
                     : largest == -INFINITY           ? T{0}
                                                      : std::exp(part.log_sum_exp[row] - largest);
    sum += weight;
    for (int64_t c = 0; c < n.value_width; ++c) out[c] += weight * part.out.data[row * n.value_width + c];
  }
  if (normalizer != Streaming::softmax) return;
  log_sum_exp = sum == 0 ? largest : largest + std::log(sum);
  for (int64_t c = 0; c < n.value_width && sum != 0; ++c) out[c] /= sum;
}

template <class T>
void decode(const Problem<T>& p, const Outputs<T>& outputs) {
  struct Use;
  const int64_t chunks = decode_chunks(p.n), groups = p.n.batch * p.n.groups,
                rows = p.n.batch * p.n.heads * p.n.queries;
  const int64_t blocks = (p.n.keys + kKeyBlock - 1) / kKeyBlock;
  std::vector<Outputs<T>> parts(static_cast<size_t>(chunks), outputs);
  if (chunks > 1) {
    T* memory = kernels::scratch<Use, T>(chunks * rows * (p.n.value_width + 1));
    for (auto& part : parts) {
      part.out = {memory, p.n.heads * p.n.queries * p.n.value_width, p.n.queries * p.n.value_width, p.n.value_width};
      part.log_sum_exp = memory + rows * p.n.value_width, memory += rows * (p.n.value_width + 1);
    }
  }
  const auto run = [&](int64_t item) {
    const int64_t c = item / groups, i = item % groups;
    const Interval keys{c * blocks / chunks * kKeyBlock, std::min(p.n.keys, (c + 1) * blocks / chunks * kKeyBlock)};
    decode_keys(p, parts[static_cast<size_t>(c)], i / p.n.groups, i % p.n.groups, keys);
  };
  if (worth_threads(p.n))
    parallel_items(chunks * groups, run);
  else
    for (int64_t i = 0; i < chunks * groups; ++i) run(i);
  for (int64_t row = 0; row < rows && chunks > 1; ++row) {
    T* out = outputs.out.at(row / (p.n.heads * p.n.queries), row / p.n.queries % p.n.heads, row % p.n.queries);
    std::fill_n(out, p.n.value_width, T{0});
    merge_row(p.n, p.normalizer, parts, row, out, outputs.log_sum_exp[row]);
  }
}

}  // namespace

template <class T>
void forward(const Problem<T>& p, const Outputs<T>& outputs) {
  if (p.n.queries <= kFewQueries) return decode(p, outputs);
  const int64_t groups = p.n.batch * p.n.groups;
  const auto run = [&](int64_t i) { run_group(p, outputs, i / p.n.groups, i % p.n.groups); };
  if (worth_threads(p.n) && groups >= 4 * threads()) return parallel_items(groups, run);
  for (int64_t i = 0; i < groups; ++i) run(i);
}

template void forward(const Problem<float>&, const Outputs<float>&);
template void forward(const Problem<double>&, const Outputs<double>&);

}  // namespace heed::attention
#endif
