// The backward pass of the streaming engine in one sweep (Dao et al. 2022, arXiv:2205.14135, algorithm 4): weights are
// made again from the scores and the log-sum-exp, five products a tile.
//
//   P = exp(S − λ)      dP = dO·Vᵀ∘M      dS = P∘(dP − δ),  δ_i = dO_i·O_i − dλ_i
//   dV += (P∘M)ᵀ·dO     dK += dSᵀ·Q       dQ += dS·K
//
// Key blocks are the outer loop, so that dK and dV of a block stay in the second cache while all queries pass by.
#include "attention/engine/problem.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/engine/backward.cc"
#include "hwy/foreach_target.h"
// After Highway's own, in this order.
#include "attention/engine/added-inl.h"
#include "attention/engine/relative-inl.h"
#include "kernels/panels-inl.h"

#ifndef HEED_ATTENTION_ENGINE_BACKWARD_ONCE
#define HEED_ATTENTION_ENGINE_BACKWARD_ONCE
#include <array>
#include <optional>
#include <utility>

#include "base/threads.h"
#include "kernels/scratch.h"

namespace heed::attention {

inline constexpr int64_t kBackwardKeys = 128;  // whose gradients stay in the second cache
inline constexpr int64_t kBackwardPanels = kBackwardKeys / kPanel;

// The keys [begin, end) of one group, with all queries of its heads.
template <class T>
struct BackwardItem {
  const Problem<T>* problem;
  const Incoming<T>* incoming;
  const Outgoing<T>* outgoing;
  int64_t b, g;
  Interval keys;
  Rows<T> dq;
  std::vector<Rows<T>> dbiases;
  int64_t chunk;  // which one of the group's
  T* dcentres;
};

}  // namespace heed::attention
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

inline constexpr int64_t kTileStride = kPanel;
static_assert(kBackwardKeys <= kSpanKeys);

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
  Pieces pieces;
  TileState<T> tile;
  int64_t row0, first;
  Streaming normalizer;
  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const Vector<T> (&product)[kVectors], Width) const {
    const Tag<T> d;
    row += row0, column += first;
    Vector<T> x[kVectors];
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) x[v] = product[v];
    pieces(row, column, x);
    if constexpr (!std::is_same_v<Pieces, NoPieces>)
      if (pieces.cap != 0) note_slope(row * kTileStride + column, x);
    T* weights = tile.weights + row * kTileStride + column;
    const auto log_sum_exp = hn::Set(d, tile.log_sum_exp[row]);
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) {
      if (std::is_same_v<Pieces, NoPieces> || normalizer == Streaming::softmax)
        hn::StoreU(power_of_two(hn::Sub(x[v], log_sum_exp)), d, weights + v * kLanes<T>);
      else
        hn::StoreU(weight_alone<T>(normalizer, x[v]), d, weights + v * kLanes<T>);
    }
  }

 private:
  // d cap·tanh(s/cap) / ds = 1 − (x/cap)², x the capped score; where hidden, whatever is finite.
  template <int kVectors>
  HWY_INLINE void note_slope(int64_t at, const Vector<T> (&x)[kVectors]) const {
    const Tag<T> d;
    for (int v = 0; v < kVectors; ++v) {
      const auto part = hn::Max(hn::Set(d, T{-1}), hn::Div(x[v], hn::Set(d, pieces.cap)));
      hn::StoreU(hn::NegMulAdd(part, part, hn::Set(d, T{1})), d, tile.slope + at + v * kLanes<T>);
    }
  }
};

// Epilogue of dO·Vᵀ: dS = P∘(dP∘M − δ).
template <class T, class Multiplier>
struct ScoreGradients {
  TileState<T> tile;
  Multiplier multiplier;
  int64_t row0, first, panel_column;
  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const Vector<T> (&dp)[kVectors], Width) const {
    const Tag<T> d;
    row += row0, column += first;
    const auto delta = hn::Set(d, tile.delta[row]);
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) {
      const int64_t at = row * kTileStride + column + v * kLanes<T>, key = panel_column + column + v * kLanes<T>;
      const auto p = hn::LoadU(d, tile.weights + at);
      hn::StoreU(hn::Mul(p, hn::Sub(multiplier.dropped(row, key, dp[v]), delta)), d, tile.dscores + at);
      if constexpr (!std::is_same_v<Multiplier, NoMultiplier>)
        hn::StoreU(multiplier.dropped(row, key, p), d, tile.weights + at);
    }
  }
};

// The same with everything that is rare: other normalisers, a cap, hidden keys, a gradient of the weights.
template <class T, class Multiplier>
struct ScoreGradientsOfPieces {
  ScoreGradients<T, Multiplier> base;
  Streaming normalizer;
  bool capped;
  T scale;               // that dS carries
  const uint64_t* bits;  // as in ScorePieces
  const T* dweights;     // of the block's first query and the panel's first key, or null
  int64_t dweights_row;
  const T* guide;  // likewise
  int64_t guide_row;
  GuideKind guide_kind;
  const T* guide_factors;  // of the block's queries
  const T* relative;       // the same, of the relative values

  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const Vector<T> (&dp)[kVectors], Width) const {
    row += base.row0, column += base.first;
    for (int v = 0; v < kVectors; ++v) one(row, column + v * kLanes<T>, dp[v]);
  }

 private:
  HWY_NOINLINE void one(int64_t row, int64_t column, Vector<T> dp) const {
    const Tag<T> d;
    const int64_t at = row * kTileStride + column, key = base.panel_column + column;
    const auto seen = bits ? lanes_of(d, bits[row], column) : hn::FirstN(d, hn::Lanes(d));
    const auto p = hn::LoadU(d, base.tile.weights + at);
    if (relative) dp = hn::Add(dp, hn::MaskedLoad(seen, d, relative + row * RelativeBlock<T>::kDiagonal + column));
    dp = base.multiplier.dropped(row, key, dp);
    if (dweights)
      dp = hn::MulAdd(hn::MaskedLoad(seen, d, dweights + row * dweights_row + column), hn::Set(d, scale), dp);
    const auto aligned = guide ? hn::MaskedLoad(seen, d, guide + row * guide_row + column) : hn::Zero(d);
    if (guide && guide_kind == GuideKind::squared_error)
      dp = hn::MulAdd(hn::Sub(p, aligned), hn::Set(d, 2 * scale * guide_factors[row]), dp);
    dp = base.multiplier.focused(row, key, dp);
    if constexpr (Multiplier::kFocused)
      base.tile.dcentres[row] += base.multiplier.centre_gradient(row, key, seen, hn::Mul(p, dp)) / scale;
    auto ds = hn::Mul(p, hn::Sub(dp, hn::Set(d, base.tile.delta[row])));
    if (guide && guide_kind == GuideKind::cross_entropy)
      ds = hn::NegMulAdd(aligned, hn::Set(d, scale * guide_factors[row]), ds);
    if (normalizer == Streaming::sigmoid) ds = hn::Mul(hn::Mul(p, hn::Sub(hn::Set(d, T{1}), p)), dp);
    if (normalizer == Streaming::none) ds = dp;
    if (capped) ds = hn::Mul(ds, hn::LoadU(d, base.tile.slope + at));
    hn::StoreU(hn::IfThenElseZero(seen, ds), d, base.tile.dscores + at);
    hn::StoreU(base.multiplier.dropped(row, key, base.multiplier.focused(row, key, p)), d, base.tile.weights + at);
  }
};

template <class T>
class KeyBlocks {
 public:
  explicit KeyBlocks(const BackwardItem<T>& item)
      : item_(item),
        problem_(*item.problem),
        incoming_(*item.incoming),
        n_(problem_.n),
        relative_(problem_),
        rare_(problem_.normalizer != Streaming::softmax || problem_.soft_cap != 0 || incoming_.dweights ||
              incoming_.guide.alignment || problem_.centres.data || problem_.relative.values),
        plain_(!rare_ && has_no_pieces(problem_)) {
    struct Use;
    const int64_t tile = kQueryBlock * kTileStride;
    const int64_t rows = n_.heads_per_group() * n_.queries;
    T* at = kernels::scratch<Use, T>(
        kBackwardKeys * (n_.width + n_.value_width) + 3 * tile + 2 * rows + packed_rows_size(n_.width, kBackwardKeys) +
        packed_rows_size(n_.width, kQueryBlock) + packed_rows_size(n_.value_width, kQueryBlock) +
        (problem_.features
             ? kBackwardPanels * AddedGradients<T>::size(n_.width) + AddedScores<T>::size(n_.width, kQueryBlock)
             : 0));
    const auto take = [&](int64_t size) { return std::exchange(at, at + size); };
    key_panels_ = take(kBackwardKeys * n_.width), value_panels_ = take(kBackwardKeys * n_.value_width);
    tile_.weights = take(tile), tile_.dscores = take(tile), tile_.slope = take(tile);
    added_memory_ = take(problem_.features ? kBackwardPanels * AddedGradients<T>::size(n_.width) : 0);
    log_sum_exp_ = take(rows), delta_ = take(rows);
    key_copy_ = take(packed_rows_size(n_.width, kBackwardKeys));
    query_copy_ = take(packed_rows_size(n_.width, kQueryBlock)),
    dout_copy_ = take(packed_rows_size(n_.value_width, kQueryBlock));
    folded_ = at;
  }

  void run() {
    row_terms();
    for (int64_t key = item_.keys.begin; key < item_.keys.end; key += kBackwardKeys) {
      const int64_t keys = std::min(kBackwardKeys, item_.keys.end - key);
      pack(key, keys);
      for (int64_t h = item_.g * n_.heads_per_group(); h < (item_.g + 1) * n_.heads_per_group(); ++h) {
        for (int64_t row = 0; row < n_.queries; row += kQueryBlock)
          query_block(h, row, std::min(kQueryBlock, n_.queries - row), key, keys);
        if (problem_.features) finish_added(h, key, keys);
      }
    }
  }

 private:
  // The keys' panels carry scale·log₂e; the values' carry the scale, and so do δ and dS, for dQ and dK.
  void pack(int64_t key, int64_t keys) {
    const double scale = problem_.features ? 1 : problem_.scale * kLog2E;
    for (int64_t j = 0; j < keys; j += kPanel) {
      const int64_t count = std::min(kPanel, keys - j);
      pack(problem_.k.at(item_.b, item_.g, key + j), problem_.k.row, n_.width, count, scale,
           key_panels_ + j * n_.width);
      pack(problem_.v.at(item_.b, item_.g, key + j), problem_.v.row, n_.value_width, count, problem_.scale,
           value_panels_ + j * n_.value_width);
    }
    if (problem_.features) return start_added(key, keys);
    keys_ = as_row_panels(problem_.k.at(item_.b, item_.g, key), problem_.k.row, n_.width, keys, key_copy_);
  }
  static void pack(const T* rows, int64_t stride, int64_t width, int64_t count, double scale, T* panel) {
    kn::pack_panel_transposed(rows, stride, width, count, panel);
    scale_row(panel, static_cast<T>(scale), width * kPanel, panel);
  }

  HWY_NOINLINE void query_block(int64_t h, int64_t row, int64_t rows, int64_t key, int64_t keys) {
    const BlockView view(problem_.visible, item_.b, h, row, rows);
    if ((view.any() & Interval{key, key + keys}).empty()) return;
    h_ = h, row_ = row;
    const int64_t at = (h - item_.g * n_.heads_per_group()) * n_.queries + row;
    tile_.log_sum_exp = log_sum_exp_ + at, tile_.delta = delta_ + at;
    if (problem_.dropout.p > 0) draw(rows, key);
    if (problem_.features) added_scores_.emplace(problem_, item_.b, h, row, rows, folded_);
    queries_ = as_row_panels(problem_.q.at(item_.b, h, row), problem_.q.row, n_.width, rows, query_copy_);
    douts_ = as_row_panels(incoming_.dout.at(item_.b, h, row), incoming_.dout.row, n_.value_width, rows, dout_copy_);
    if (relative_) relate({item_.b, h, row, rows, key, keys});
    for (int64_t j = 0; j < keys; j += kPanel) {
      view.panel(key + j, panel_);
      if (panel_.count > 0) panel(key + j, j);
    }
    if (relative_) relative_gradients();
  }

  // λ in units of log 2, and δ times the scale, of all queries of the group.
  void row_terms() {
    const T scale = static_cast<T>(problem_.scale);
    const int64_t first = item_.g * n_.heads_per_group(), at = (item_.b * n_.heads + first) * n_.queries;
    for (int64_t r = 0; r < n_.heads_per_group() * n_.queries; ++r) {
      const int64_t h = first + r / n_.queries, i = r % n_.queries;
      const T log_sum_exp = incoming_.log_sum_exp ? incoming_.log_sum_exp[at + r] : T{0};
      log_sum_exp_[r] = log_sum_exp == -INFINITY ? T{0} : log_sum_exp * static_cast<T>(kLog2E);
      delta_[r] = scale * (dot(incoming_.out.at(item_.b, h, i), incoming_.dout.at(item_.b, h, i)) -
                           (incoming_.row_terms ? incoming_.row_terms[at + r] : T{0}));
    }
  }
  T dot(const T* a, const T* b) const {
    const Tag<T> d;
    auto sum = hn::Zero(d);
    int64_t c = 0;
    for (; c + kLanes<T> <= n_.value_width; c += kLanes<T>)
      sum = hn::MulAdd(hn::LoadU(d, a + c), hn::LoadU(d, b + c), sum);
    T total = hn::GetLane(hn::SumOfLanes(d, sum));
    for (; c < n_.value_width; ++c) total += a[c] * b[c];
    return total;
  }
  // The decisions of the forward pass: kBackwardKeys are a block of them.
  void draw(int64_t rows, int64_t key) {
    const int64_t blocks = (n_.keys + kBackwardKeys - 1) / kBackwardKeys;
    const int64_t row = (item_.b * n_.heads + h_) * n_.queries + row_;
    kernels::dropout_bits(problem_.dropout.key, problem_.dropout.p, row * blocks + key / kBackwardKeys, blocks, rows,
                          keep_);
  }

  // One panel of keys with a block of queries; j: where it begins in the block of keys.
  HWY_NOINLINE void panel(int64_t key, int64_t j) {
    if (problem_.dropout.p > 0)
      score_gradients_dropped(key, j, Keep<T>{keep_, static_cast<T>(1 / (1 - problem_.dropout.p))});
    else
      score_gradients_dropped(key, j, NoMultiplier());
    bias_gradients(key);
    value_gradients(key);
    if (relative_) copy_diagonals(j);
    if (problem_.features) return added_gradients(j);
    key_gradients(key);
    query_gradients(key, j);
  }
  template <class Dropped>
  void score_gradients_dropped(int64_t key, int64_t j, const Dropped& dropped) {
    if (!problem_.centres.data) return score_gradients(key, j, dropped);
    tile_.dcentres = item_.dcentres + (item_.b * n_.heads + h_) * n_.queries + row_;
    score_gradients(key, j, Focused<T, Dropped>(problem_, item_.b, h_, row_, key - j, dropped));
  }
  template <class Multiplier>
  void score_gradients(int64_t key, int64_t j, const Multiplier& multiplier) {
    const Guide<T>& guide = incoming_.guide;
    const bool plain = plain_ && !panel_.cut && panel_.whole();
    const T *q = problem_.q.at(item_.b, h_, row_), *dout = incoming_.dout.at(item_.b, h_, row_);
    const T *key_panel = key_panels_ + j * n_.width, *value_panel = value_panels_ + j * n_.value_width;
    for (const Band& band : panel_) {
      const ScoreGradients<T, Multiplier> gradients{tile_, multiplier, band.row, band.begin, j};
      if constexpr (std::is_same_v<T, float>)
        if (plain) {
          score_panel(band.rows, n_.width, q, problem_.q.row, key_panel,
                      WeighAgain<T, NoPieces>{{}, tile_, 0, 0, problem_.normalizer});
          score_panel(band.rows, n_.value_width, dout, incoming_.dout.row, value_panel, gradients);
          return;
        }
      ScorePieces<T> pieces(problem_, item_.b, h_, row_, key, panel_.bits_or_null());
      if (relative_) relative_.add_to(pieces, j);
      const WeighAgain<T, ScorePieces<T>> weigh{pieces, tile_, band.row, band.begin, problem_.normalizer};
      if (problem_.features)
        (*added_scores_)(band, key_panel, exponentials_[j / kPanel], weigh);
      else
        score_band(band, n_.width, q, problem_.q.row, key_panel, weigh);
      if (!panel_.cut && !rare_)
        score_band(band, n_.value_width, dout, incoming_.dout.row, value_panel, gradients);
      else
        score_band(
            band, n_.value_width, dout, incoming_.dout.row, value_panel,
            ScoreGradientsOfPieces<T, Multiplier>{
                gradients, problem_.normalizer, problem_.soft_cap != 0, static_cast<T>(problem_.scale),
                panel_.bits_or_null(), incoming_.dweights ? incoming_.dweights.at(item_.b, h_, row_) + key : nullptr,
                incoming_.dweights.row, guide.alignment ? guide.alignment.at(item_.b, h_, row_) + key : nullptr,
                guide.alignment.row, guide.kind,
                guide.factors ? guide.factors + (item_.b * n_.heads + h_) * n_.queries + row_ : nullptr,
                problem_.relative.values ? relative_.dweights(j) : nullptr});
    }
  }

  // Σ dS, into the biases: where the bias was read, its gradient is added.
  void bias_gradients(int64_t key) {
    const T unscale = static_cast<T>(1 / problem_.scale);
    for (const auto& bias : item_.dbiases) {
      if (!bias) continue;
      for (const Band& band : panel_)
        for (int64_t r = band.row; r < band.row + band.rows; ++r) {
          T* to = bias.at(item_.b, h_, row_ + r) + key;
          const T* ds = tile_.dscores + r * kTileStride;
          const int64_t end = std::min(band.end, n_.keys - key);
          for (int64_t c = band.begin; c < end; ++c) to[c] += ds[c] * unscale;
        }
    }
  }

  // What the relative term adds to the scores, and to the gradients of the weights.
  void relate(const BlockPlace& place) {
    relative_.set(place);
    relative_.multiply_queries();
    relative_.dscores.clear();
    if (!problem_.relative.values) return;
    relative_.multiply_gradients(incoming_.dout, static_cast<T>(problem_.scale));
    relative_.weights.clear();
  }
  void copy_diagonals(int64_t j) {
    const T factor = static_cast<T>(problem_.relative.scale / problem_.scale);  // dS carries the scale of q·k
    for (const Band& band : panel_) {
      relative_.dscores.copy(band, j, tile_.dscores, kTileStride, factor);
      if (problem_.relative.values) relative_.weights.copy(band, j, tile_.weights, kTileStride, T{1});
    }
  }
  void relative_gradients() {
    const Relative<T>& r = problem_.relative;
    const Outgoing<T>& out = *item_.outgoing;
    const Rows<T>& dr = out.drelative_queries;
    if (dr) relative_.add_entries(relative_.dscores, r.keys, dr.at(item_.b, h_, row_), dr.row);
    if (out.drelative_keys) relative_.add_rows(relative_.dscores, r.keys, r.queries, out.drelative_keys);
    if (out.drelative_values) relative_.add_rows(relative_.weights, r.values, incoming_.dout, out.drelative_values);
  }

  // dV += Pᵀ·dO, dK += dSᵀ·Q: of each part of the panel those queries that look at it.
  void value_gradients(int64_t key) {
    for_parts([&](const Band& part)
                  HWY_ATTR { add_keys(part, key, tile_.weights, douts_, n_.value_width, item_.outgoing->dv); });
  }
  void key_gradients(int64_t key) {
    for_parts([&](const Band& part)
                  HWY_ATTR { add_keys(part, key, tile_.dscores, queries_, n_.width, item_.outgoing->dk); });
  }
  template <class Body>
  void for_parts(const Body& body) {
    if (panel_.whole()) return body(panel_.bands[0]);
    for (int64_t begin = 0; begin < kPanel; begin += kBandColumns) {
      Band run{0, 0, begin, begin + kBandColumns};
      for (const Band& band : panel_) {
        if (band.begin > begin || band.end < begin + kBandColumns) continue;
        if (run.rows > 0 && run.row + run.rows != band.row) body(run), run.rows = 0;
        if (run.rows == 0) run.row = band.row;
        run.rows += band.rows;
      }
      if (run.rows > 0) body(run);
    }
  }
  // to += tileᵀ·x for the queries and keys of a part.
  void add_keys(const Band& part, int64_t key, const T* tile, const RowPanels<T>& x, int64_t width, const Rows<T>& to) {
    const int64_t keys = std::min(part.columns(), n_.keys - key - part.begin);
    add_product(keys, width, part.rows, kn::by_columns(tile + part.row * kTileStride + part.begin, kTileStride),
                x.from_row(part.row), to.at(item_.b, item_.g, key + part.begin), to.row);
  }

  // dQ += dS·K. Keys that are not finite count as 0 where they are hidden; where they are seen, dS is NaN already.
  void query_gradients(int64_t key, int64_t j) {
    const T* k = problem_.k.at(item_.b, item_.g, key);
    const int64_t keys = std::min(kPanel, n_.keys - key);
    const uint64_t bad = panel_.cut ? rows_not_finite(k, problem_.k.row, n_.width, keys) : 0;
    if (HWY_LIKELY(bad == 0)) return add_queries(keys_.from_row(j), keys);
    std::vector<T> copy(static_cast<size_t>(keys * n_.width));
    copy_finite_rows(k, problem_.k.row, n_.width, keys, bad, copy.data());
    add_queries({copy.data(), n_.width}, keys);
  }
  void add_queries(const RowPanels<T>& k, int64_t keys) {
    for (const Band& band : panel_)
      add_product(band.rows, n_.width, std::min(band.columns(), keys - band.begin),
                  kn::by_rows(tile_.dscores + band.row * kTileStride + band.begin, kTileStride), k.from_row(band.begin),
                  item_.dq.at(item_.b, h_, row_ + band.row), item_.dq.row);
  }

  // What takes the place of dK and dQ where scores are no products.
  void start_added(int64_t key, int64_t keys) {
    for (int64_t j = 0; j < keys; j += kPanel) {
      const int64_t i = j / kPanel;
      exponentials_[i] = to_exponentials(key_panels_ + j * n_.width, n_.width);
      added_[i].start(problem_.k.at(item_.b, item_.g, key + j), problem_.k.row, n_.width, std::min(kPanel, keys - j),
                      exponentials_[i], added_memory_ + i * AddedGradients<T>::size(n_.width));
    }
  }
  void added_gradients(int64_t j) {
    for (const Band& band : panel_)
      added_[j / kPanel].add(band, tile_.dscores,
                             {problem_.q.at(item_.b, h_, row_), problem_.q.row, problem_.features.at(item_.b, h_, 0),
                              item_.dq.at(item_.b, h_, row_), item_.dq.row,
                              item_.outgoing->dfeatures.at(item_.chunk * n_.batch + item_.b, h_, 0)});
  }
  void finish_added(int64_t h, int64_t key, int64_t keys) {
    const Rows<T>& dk = item_.outgoing->dk;
    for (int64_t j = 0; j < keys; j += kPanel)
      added_[j / kPanel].finish(problem_.features.at(item_.b, h, 0), dk.at(item_.b, item_.g, key + j), dk.row,
                                std::min(kPanel, keys - j));
  }

  const BackwardItem<T>& item_;
  const Problem<T>& problem_;
  const Incoming<T>& incoming_;
  const Sizes n_;
  RelativeBlock<T> relative_;
  T *key_panels_, *value_panels_;           // [2][D][64], times scale·log₂e, and [2][E][64]
  T *log_sum_exp_, *delta_;                 // of all queries of the group
  T *key_copy_, *query_copy_, *dout_copy_;  // of wide rows
  RowPanels<T> keys_{}, queries_{}, douts_{};
  TileState<T> tile_;
  std::array<AddedGradients<T>, kBackwardPanels> added_;
  std::optional<AddedScores<T>> added_scores_;  // of the block of queries
  std::array<bool, kBackwardPanels> exponentials_;
  T *added_memory_, *folded_;
  PanelBands panel_;
  int64_t h_ = 0, row_ = 0;  // the head and the first query of the block
  bool rare_, plain_;
  uint64_t keep_[2 * kQueryBlock];
};

void run_item_f32(const BackwardItem<float>& item) { KeyBlocks<float>(item).run(); }
void run_item_f64(const BackwardItem<double>& item) { KeyBlocks<double>(item).run(); }

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::attention {
namespace {

HWY_EXPORT(run_item_f32);
HWY_EXPORT(run_item_f64);

void run_item(const BackwardItem<float>& item) { HWY_DYNAMIC_DISPATCH(run_item_f32)(item); }
void run_item(const BackwardItem<double>& item) { HWY_DYNAMIC_DISPATCH(run_item_f64)(item); }

template <class Body>
void parallel_heads(const Sizes& n, bool shared, int64_t count, const Body& body) {
  if (worth_threads(n) && !shared) return parallel_items(count, body);
  for (int64_t i = 0; i < count; ++i) body(i);
}

// Few heads: their keys are cut into so many chunks, each with a dQ of its own. A function of the shape alone, so that
// the bits do not depend on the number of threads.
template <class T>
int64_t chunk_count(const Sizes& n, const Outgoing<T>& outgoing) {
  if (outgoing.drelative_queries || outgoing.drelative_keys || outgoing.drelative_values) return 1;
  for (const auto& bias : outgoing.dbiases)
    if (bias && bias.row == -1) return 1;  // chunks share distances
  const int64_t wanted = outgoing.shared_biases ? kMostChunks
                         : !worth_threads(n)    ? 1
                                                : kMostChunks / std::max<int64_t>(1, n.batch * n.groups);
  const int64_t blocks = (n.keys + kBackwardKeys - 1) / kBackwardKeys;
  const int64_t copy = n.batch * n.heads * n.queries * n.width * static_cast<int64_t>(sizeof(T));
  return std::clamp<int64_t>(std::min(wanted, (int64_t{64} << 20) / std::max<int64_t>(1, copy)), 1,
                             std::max<int64_t>(1, std::min<int64_t>(blocks, kMostChunks)));
}

// The keys in chunks of whole blocks; dQ of each chunk apart, then added in order.
template <class T>
void backward_in_chunks(const Problem<T>& p, const Incoming<T>& incoming, const Outgoing<T>& outgoing, int64_t chunks) {
  const int64_t rows = p.n.batch * p.n.heads * p.n.queries, size = rows * p.n.width, groups = p.n.batch * p.n.groups;
  struct Use;
  T* parts = kernels::scratch<Use, T>(chunks * (size + rows));
  T* dcentres = parts + chunks * size;
  const Rows<T> part{nullptr, p.n.heads * p.n.queries * p.n.width, p.n.queries * p.n.width, p.n.width};
  const int64_t blocks = (p.n.keys + kBackwardKeys - 1) / kBackwardKeys;
  std::fill_n(parts, chunks * (size + rows), T{0});
  const auto run = [&](int64_t c, int64_t i) {
    Rows<T> dq = part;
    dq.data = parts + c * size;
    const Interval keys{c * blocks / chunks * kBackwardKeys,
                        std::min(p.n.keys, (c + 1) * blocks / chunks * kBackwardKeys)};
    run_item(
        {&p, &incoming, &outgoing, i / p.n.groups, i % p.n.groups, keys, dq, outgoing.dbiases, c, dcentres + c * rows});
  };
  if (outgoing.shared_biases)
    parallel_items(chunks, [&](int64_t c) {
      for (int64_t i = 0; i < groups; ++i) run(c, i);
    });
  else
    parallel_items(chunks * groups, [&](int64_t item) { run(item % chunks, item / chunks); });
  parallel(rows, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (outgoing.dcentres)
        for (int64_t c = 0; c < chunks; ++c) outgoing.dcentres[i] += dcentres[c * rows + i];
      T* to = outgoing.dq.at(i / (p.n.heads * p.n.queries), i / p.n.queries % p.n.heads, i % p.n.queries);
      for (int64_t c = 0; c < chunks; ++c)
        for (int64_t x = 0; x < p.n.width; ++x) to[x] += parts[c * size + i * p.n.width + x];
    }
  });
}

}  // namespace

template <class T>
void backward(const Problem<T>& p, const Incoming<T>& incoming, const Outgoing<T>& outgoing) {
  const int64_t chunks = chunk_count(p.n, outgoing);
  if (chunks > 1)
    backward_in_chunks(p, incoming, outgoing, chunks);
  else
    parallel_heads(p.n, outgoing.shared_biases, p.n.batch * p.n.groups, [&](int64_t i) {
      run_item({&p,
                &incoming,
                &outgoing,
                i / p.n.groups,
                i % p.n.groups,
                {0, p.n.keys},
                outgoing.dq,
                outgoing.dbiases,
                0,
                outgoing.dcentres});
    });
}

template void backward(const Problem<float>&, const Incoming<float>&, const Outgoing<float>&);
template void backward(const Problem<double>&, const Incoming<double>&, const Outgoing<double>&);

}  // namespace heed::attention
#endif
