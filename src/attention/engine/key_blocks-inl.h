// The backward pass of the streaming engine in one sweep (Dao et al. 2022, arXiv:2205.14135, algorithm 4): weights are
// made again from the scores and the log-sum-exp, five products a tile.
//
//   P = exp(S − λ)      dP = dO·Vᵀ∘M      dS = P∘(dP − δ),  δ_i = dO_i·O_i − dλ_i
//   dV += (P∘M)ᵀ·dO     dK += dSᵀ·Q       dQ += dS·K
//
// Of each head, key blocks are the outer loop, so that dK and dV of a block stay in the second cache while its queries
// pass by, and these near it from one block to the next: those of all heads of a group would not.
#if defined(HEED_ATTENTION_ENGINE_KEY_BLOCKS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_ATTENTION_ENGINE_KEY_BLOCKS_INL_H_
#undef HEED_ATTENTION_ENGINE_KEY_BLOCKS_INL_H_
#else
#define HEED_ATTENTION_ENGINE_KEY_BLOCKS_INL_H_
#endif

#include <utility>

#include "attention/engine/added_gradients-inl.h"
#include "attention/engine/forms-inl.h"
#include "attention/engine/key_blocks.h"
#include "attention/engine/score_gradients-inl.h"
#include "kernels/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

static_assert(kBackwardKeys <= kSpanKeys && kBackwardKeys == kDropoutKeys);
static_assert(kBackwardKeys == AddedGradients<float>::kPanels * kPanel);

// A tile of weights and gradients of scores as factors of the products that follow; pairs are made of the numbers.
template <class T>
struct TileFactors {
  const Unit<T>*weights, *dscores;  // by columns: units of rows × 64
  const Unit<T>* rows;              // the gradients by rows: rows × units of 64
  static int64_t size() { return kEveryForm<T> ? 0 : 3 * kQueryBlock * units<T>(kPanel); }
};
template <class T>
TileFactors<T> factors_of(const TileState<T>& tile, int64_t, T*) {
  return {tile.weights, tile.dscores, tile.dscores};
}
#if HEED_HAS_PAIRS
inline TileFactors<bf16> factors_of(const TileState<float>& tile, int64_t rows, Bf16Pair* memory) {
  constexpr int64_t kEach = kQueryBlock * units<bf16>(kPanel);
  Bf16Pair *weights = memory, *dscores = weights + kEach, *in_rows = dscores + kEach;
  const auto nothing = hn::Zero(Tag<float>());
  for (int64_t r = 0; r < rows; r += 2)
    for (int64_t c = 0; c < kPanel; c += kLanes<float>) {
      const int64_t at = r * kTileStride + c, below = at + kTileStride, to = r / 2 * kPanel + c;
      const bool two = r + 1 < rows;
      store(kn::pairs_of_rows(load(tile.weights + at), two ? load(tile.weights + below) : nothing), &weights[to].bits);
      store(kn::pairs_of_rows(load(tile.dscores + at), two ? load(tile.dscores + below) : nothing), &dscores[to].bits);
    }
  for (int64_t i = 0; i < rows * kTileStride; i += 2 * kLanes<float>)
    store(kn::pairs_in_order(load(tile.dscores + i), load(tile.dscores + i + kLanes<float>)), &in_rows[i / 2].bits);
  return {weights, dscores, in_rows};
}
#endif

template <class T>
class KeyBlocks {
 public:
  using C = Number<T>;
  using U = Unit<T>;

  explicit KeyBlocks(const BackwardItem<T>& item)
      : item_(item),
        problem_(*item.problem),
        incoming_(*item.incoming),
        n_(problem_.n),
        heads_{item.g * n_.heads_per_group(), (item.g + 1) * n_.heads_per_group()},
        memory_(take_memory()),
        q_(problem_.q, item.b, heads_, n_.queries, n_.width, memory_.queries),
        dout_(incoming_.dout, item.b, heads_, n_.queries, n_.value_width, memory_.douts),
        tile_(memory_.tile),
        relative_(problem_),
        rare_(problem_.normalizer != Streaming::softmax || problem_.soft_cap != 0 || incoming_.dweights ||
              incoming_.guide.alignment || problem_.centres.data || problem_.relative.values),
        plain_(!rare_ && has_no_pieces(problem_)) {}

  void run() {
    row_terms();
    for (int64_t h = heads_.begin; h < heads_.end; ++h)
      for (int64_t key = item_.keys.begin; key < item_.keys.end; key += kBackwardKeys) {
        const int64_t keys = std::min(kBackwardKeys, item_.keys.end - key);
        pack(key, keys);
        for (int64_t row = 0; row < n_.queries; row += kQueryBlock)
          query_block(h, row, std::min(kQueryBlock, n_.queries - row), key, keys);
        if constexpr (kEveryForm<T>)
          if (problem_.features) finish_added(h, key, keys);
      }
  }

 private:
  // Of the thread, for the whole item.
  struct Memory {
    U *key_panels, *value_panels;  // of 2 × 64, units of D deep, numbers times scale·log₂e; units of E
    U* keys;                       // packed rows
    U *queries, *douts, *factors;  // of BothFactors and TileFactors
    TileState<C> tile;
    C *log_sum_exp, *delta;  // of all queries of the group
    C* added;                // of AddedGradients
  };
  Memory take_memory() const {
    struct Use;
    const int64_t tile = kQueryBlock * kTileStride, rows = n_.heads_per_group() * n_.queries;
    const int64_t queries = BothFactors<T>::size(n_.width, n_.queries, n_.heads_per_group()),
                  douts = BothFactors<T>::size(n_.value_width, n_.queries, n_.heads_per_group()),
                  keys = packed_size<T>(n_.width, kBackwardKeys), panels = kBackwardKeys * units<T>(n_.width),
                  value_panels = kBackwardKeys * units<T>(n_.value_width);
    const int64_t added = problem_.features ? AddedGradients<C>::size(n_.width, kQueryBlock) : 0;
    C* at = kernels::scratch<Use, C>(queries + douts + keys + panels + value_panels + 3 * tile +
                                     TileFactors<T>::size() + 2 * rows + added);
    static_assert(sizeof(U) == sizeof(C));
    const auto take = [&](int64_t size) { return std::exchange(at, at + size); };
    const auto take_units = [&](int64_t size) { return reinterpret_cast<U*>(take(size)); };
    Memory m{};
    m.key_panels = take_units(panels), m.value_panels = take_units(value_panels);
    m.tile.weights = take(tile), m.tile.dscores = take(tile), m.tile.slope = take(tile);
    m.factors = take_units(TileFactors<T>::size()), m.keys = take_units(keys);
    m.added = take(added), m.log_sum_exp = take(rows), m.delta = take(rows);
    m.queries = take_units(queries), m.douts = take_units(douts);
    return m;
  }

  // The keys' panels carry scale·log₂e; the values' carry the scale, and so do δ and dS, for dQ and dK.
  void pack(int64_t key, int64_t keys) {
    for (int64_t j = 0; j < keys; j += kPanel) {
      const int64_t count = std::min(kPanel, keys - j);
      if (!problem_.features)
        pack(problem_.k.at(item_.b, item_.g, key + j), problem_.k.row, n_.width, count, problem_.scale * kLog2E,
             memory_.key_panels + j * units<T>(n_.width));
      pack(problem_.v.at(item_.b, item_.g, key + j), problem_.v.row, n_.value_width, count, problem_.scale,
           memory_.value_panels + j * units<T>(n_.value_width));
    }
    if constexpr (kEveryForm<T>)
      if (problem_.features) return start_added(key, keys);
    keys_ = as_row_strips(problem_.k.at(item_.b, item_.g, key), problem_.k.row, n_.width, keys, memory_.keys);
  }
  static void pack(const T* rows, int64_t stride, int64_t width, int64_t count, double scale, U* panel) {
    pack_columns(rows, stride, width, count, panel);
    if constexpr (kEveryForm<T>) scale_row(panel, static_cast<T>(scale), width * kPanel, panel);
  }

  HWY_NOINLINE void query_block(int64_t h, int64_t row, int64_t rows, int64_t key, int64_t keys) {
    const BlockView view(problem_.visible, item_.b, h, row, rows);
    if ((view.any() & Interval{key, key + keys}).empty()) return;
    h_ = h, row_ = row, rows_ = rows;
    q_.enter(h, row, rows), dout_.enter(h, row, rows);
    const int64_t at = (h - heads_.begin) * n_.queries + row;
    tile_.log_sum_exp = memory_.log_sum_exp + at, tile_.delta = memory_.delta + at;
    if (problem_.dropout) problem_.dropout.draw(n_, n_.row_number(item_.b, h, row), rows, key / kBackwardKeys, keep_);
    if constexpr (kEveryForm<T>) {
      if (problem_.features)
        added_.set_queries(problem_.q.at(item_.b, h, row), problem_.q.row, rows, problem_.features.at(item_.b, h, 0));
      if (relative_) relate({item_.b, h, row, rows, key, keys});
    }
    for (int64_t j = 0; j < keys; j += kPanel) {
      view.panel(key + j, panel_);
      if (panel_.count > 0) panel(key + j, j);
    }
    if constexpr (kEveryForm<T>)
      if (relative_) relative_gradients();
  }

  // λ in units of log 2, and δ times the scale, of all queries of the group.
  void row_terms() {
    const C scale = static_cast<C>(problem_.scale);
    const int64_t at = n_.row_number(item_.b, heads_.begin, 0);
    for (int64_t r = 0; r < n_.heads_per_group() * n_.queries; ++r) {
      const int64_t h = heads_.begin + r / n_.queries, i = r % n_.queries;
      memory_.log_sum_exp[r] = incoming_.log_sum_exp ? in_log2(incoming_.log_sum_exp[at + r]) : C{0};
      const C product =
          inner_product(incoming_.out.at(item_.b, h, i), incoming_.dout.at(item_.b, h, i), n_.value_width);
      memory_.delta[r] = scale * (product - (incoming_.row_terms ? incoming_.row_terms[at + r] : C{0}));
    }
  }

  // One panel of keys with a block of queries; j: where it begins in the block of keys.
  HWY_NOINLINE void panel(int64_t key, int64_t j) {
    score_gradients(key, j);
    bias_gradients(key);
    factors_ = factors_of(tile_, rows_, memory_.factors);
    value_gradients(key);
    if constexpr (kEveryForm<T>) {
      if (relative_) copy_diagonals(j);
      if (problem_.features) return;
    }
    key_gradients(key);
    query_gradients(key, j);
  }
  void score_gradients(int64_t key, int64_t j) {
    if constexpr (std::is_same_v<C, float>)
      if (!rare_)
        return problem_.dropout ? plain_score_gradients(key, j, Keep<C>(problem_.dropout, keep_))
                                : plain_score_gradients(key, j, NoMultiplier());
    rare_score_gradients(key, j);
  }
  // Softmax's: the path of most.
  template <class Multiplier>
  HWY_NOINLINE void plain_score_gradients(int64_t key, int64_t j, const Multiplier& multiplier) {
    const int64_t depth = units<T>(n_.width), value_depth = units<T>(n_.value_width);
    const C scale = static_cast<C>(problem_.scale), factor = static_cast<C>(problem_.scale * kLog2E);
    for (const Band& band : panel_) {
      if (plain_ && band.full) {
        score_panel(band, depth, q_.left, q_.left_stride(), memory_.key_panels + j * depth,
                    WeighAgain<T, NoPieces>{{}, tile_, band.row, 0, problem_.normalizer, factor});
        score_panel(band, value_depth, dout_.left, dout_.left_stride(), memory_.value_panels + j * value_depth,
                    ScoreGradients<T, Multiplier>{tile_, multiplier, band.row, band.begin, j, scale});
      } else {
        const uint64_t* bits = panel_.bits_or_null();
        weigh_again(band, key, j,
                    ScoreGradients<T, Multiplier, true>{tile_, multiplier, band.row, band.begin, j, scale, bits});
      }
    }
  }
  HWY_NOINLINE void rare_score_gradients(int64_t key, int64_t j) {
    const Guide<C>& guide = incoming_.guide;
    const Multipliers<C> multipliers(problem_, item_.b, h_, row_, key - j, keep_);
    if (multipliers.centres) tile_.dcentres = item_.dcentres + n_.row_number(item_.b, h_, row_);
    for (const Band& band : panel_)
      weigh_again(
          band, key, j,
          ScoreGradientsOfPieces<T>{{tile_, multipliers, band.row, band.begin, j, static_cast<C>(problem_.scale)},
                                    problem_.normalizer,
                                    problem_.soft_cap != 0,
                                    panel_.bits_or_null(),
                                    incoming_.dweights ? incoming_.dweights.at(item_.b, h_, row_) + key : nullptr,
                                    incoming_.dweights.row,
                                    guide.alignment ? guide.alignment.at(item_.b, h_, row_) + key : nullptr,
                                    guide.alignment.row,
                                    guide.kind,
                                    guide.factors ? guide.factors + n_.row_number(item_.b, h_, row_) : nullptr,
                                    relative_weight_gradients(j)});
  }

  template <class Gradients>
  void weigh_again(const Band& band, int64_t key, int64_t j, const Gradients& gradients) {
    const C factor = static_cast<C>(problem_.scale * kLog2E);
    const int64_t depth = units<T>(n_.width);
    ScorePieces<C> pieces(problem_, item_.b, h_, row_, key, panel_.bits_or_null());
    pieces.fetch_ahead(0, kQueryBlock);
    if constexpr (kEveryForm<T>)
      if (relative_) relative_.add_to(pieces, j);
    const WeighAgain<T, ScorePieces<C>> weigh{pieces, tile_, band.row, band.begin, problem_.normalizer, factor};
    if constexpr (kEveryForm<T>)
      if (problem_.features) return weigh_added(band, j, weigh, gradients);
    score_band(band, depth, q_.left, q_.left_stride(), memory_.key_panels + j * depth, weigh);
    weight_gradients(band, j, gradients);
  }
  template <class Epilogue>
  void weight_gradients(const Band& band, int64_t j, Epilogue&& epilogue) {
    const int64_t depth = units<T>(n_.value_width);
    score_band(band, depth, dout_.left, dout_.left_stride(), memory_.value_panels + j * depth, epilogue);
  }
  // Where scores are no products: those of queries, keys and features are made at once.
  template <class Weigh, class Gradients>
  void weigh_added(const Band& band, int64_t j, const Weigh& weigh, const Gradients& gradients) {
    weight_gradients(band, j, kn::store_to(Tag<C>(), tile_.dscores + band.row * kTileStride + band.begin, kTileStride));
    added_.add(j / kPanel, band, tile_.dscores, weigh, gradients,
               {item_.dq.at(item_.b, h_, row_), item_.dq.row,
                item_.outgoing->dfeatures.at(item_.chunk * n_.batch + item_.b, h_, 0)});
  }
  const C* relative_weight_gradients(int64_t j) const {
    if constexpr (kEveryForm<T>)
      if (problem_.relative.values) return relative_.dweights(j);
    return nullptr;
  }

  // Σ dS, into the biases: where the bias was read, its gradient is added.
  void bias_gradients(int64_t key) {
    const C unscale = static_cast<C>(1 / problem_.scale);
    for (const auto& bias : item_.dbiases) {
      if (!bias) continue;
      for (const Band& band : panel_)
        for (int64_t r = band.row; r < band.row + band.rows; ++r) {
          C* to = bias.at(item_.b, h_, row_ + r) + key;
          const C* ds = tile_.dscores + r * kTileStride;
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
                  HWY_ATTR { add_keys(part, key, factors_.weights, dout_.right, n_.value_width, item_.outgoing->dv); });
  }
  void key_gradients(int64_t key) {
    for_parts([&](const Band& part)
                  HWY_ATTR { add_keys(part, key, factors_.dscores, q_.right, n_.width, item_.outgoing->dk); });
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
  void add_keys(const Band& part, int64_t key, const U* tile, const RowStrips<U>& x, int64_t width, const Rows<C>& to) {
    const int64_t keys = std::min(part.columns(), n_.keys - key - part.begin);
    const int64_t row = units<T>(part.row);
    add_product(keys, width, units<T>(part.rows), kn::by_columns(tile + row * kTileStride + part.begin, kTileStride),
                x.from_row(row), to.at(item_.b, item_.g, key + part.begin), to.row);
  }

  // dQ += dS·K. Keys that are not finite count as 0 where they are hidden; where they are seen, dS is NaN already.
  void query_gradients(int64_t key, int64_t j) {
    const T* k = problem_.k.at(item_.b, item_.g, key);
    const int64_t keys = std::min(kPanel, n_.keys - key);
    const uint64_t bad = panel_.cut ? rows_not_finite(k, problem_.k.row, n_.width, keys) : 0;
    if (HWY_LIKELY(bad == 0)) return add_queries(keys_.from_row(units<T>(j)), keys);
    add_queries(FiniteCopy<T>(k, problem_.k.row, n_.width, keys, bad).strips, keys);
  }
  void add_queries(const RowStrips<U>& k, int64_t keys) {
    const int64_t stride = units<T>(kTileStride);
    for (const Band& band : panel_)
      add_product(band.rows, n_.width, units<T>(std::min(band.columns(), keys - band.begin)),
                  kn::by_rows(factors_.rows + band.row * stride + units<T>(band.begin), stride),
                  k.from_row(units<T>(band.begin)), item_.dq.at(item_.b, h_, row_ + band.row), item_.dq.row);
  }

  // What takes the place of dK and dQ where scores are no products.
  void start_added(int64_t key, int64_t keys) {
    added_.take(n_.width, kQueryBlock, memory_.added);
    for (int64_t j = 0; j < keys; j += kPanel)
      added_.start(j / kPanel, problem_.k.at(item_.b, item_.g, key + j), problem_.k.row, std::min(kPanel, keys - j));
  }
  void finish_added(int64_t h, int64_t key, int64_t keys) {
    const Rows<T>& dk = item_.outgoing->dk;
    for (int64_t j = 0; j < keys; j += kPanel)
      added_.finish(j / kPanel, problem_.features.at(item_.b, h, 0), dk.at(item_.b, item_.g, key + j), dk.row,
                    std::min(kPanel, keys - j));
  }

  const BackwardItem<T>& item_;
  const Problem<T>& problem_;
  const Incoming<T>& incoming_;
  const Sizes n_;
  const Interval heads_;  // of the group
  const Memory memory_;
  BothFactors<T> q_, dout_;
  TileState<C> tile_;
  TileFactors<T> factors_{};
  RelativeOf<T> relative_;
  RowStrips<U> keys_{};
  AddedGradients<C> added_;
  PanelBands panel_;
  int64_t h_ = 0, row_ = 0, rows_ = 0;  // the head, the first query of the block, and how many
  bool rare_, plain_;
  uint64_t keep_[2 * kQueryBlock];
};

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#endif  // HEED_ATTENTION_ENGINE_KEY_BLOCKS_INL_H_
