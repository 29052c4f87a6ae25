#include "attention/engine/row_block.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/engine/row_block.cc"
#include "hwy/foreach_target.h"
// After Highway's own, in this order.
#include "attention/engine/added_gradients-inl.h"

#ifndef HEED_ATTENTION_ENGINE_ROW_BLOCK_ONCE
#define HEED_ATTENTION_ENGINE_ROW_BLOCK_ONCE
#include <utility>

#include "base/threads.h"
#include "kernels/scratch.h"

namespace heed::attention {

inline constexpr int64_t kValueKeys = 128;  // of one product with the values: they stay in the first cache

// Rows of keys or values: those that are not finite are 0 here and listed, so that a weight of 0 times one is 0.
template <class T>
struct FiniteRows {
  const T* data = nullptr;
  int64_t stride = 0;
  std::vector<T> copy = {};
  std::vector<int64_t> not_finite = {};
};

// The keys and values of one group.
template <class T>
struct RowGroup {
  const Problem<T>* problem;
  const RowPieces<T>* pieces;
  int64_t b, g;
  const T *key_panels, *value_panels;  // D and E deep; the second for backward alone
  FiniteRows<T> keys, values;
};

// Queries [row, row + rows) of a head.
template <class T>
struct BlockOfRows {
  const RowGroup<T>* group;
  int64_t h, row, rows;
};

// A row of the block whose weights are asked for.
template <class T>
struct WantedRow {
  int64_t row;
  T* to;  // [S]
};

struct PanelBits {
  uint64_t keys, values;  // of those that are not finite
};

// What is compiled for each instruction set.
template <class T>
struct RowKernels {
  PanelBits (*pack)(const RowGroup<T>&, int64_t panel, T* key_panels, T* value_panels);
  void (*forward)(const BlockOfRows<T>&, const Rows<T>& out, RowStatistics*);
  void (*weights)(const BlockOfRows<T>&, const RowStatistics*, const std::vector<WantedRow<T>>&);
  void (*backward)(const BlockOfRows<T>&, const RowStatistics*, const Incoming<T>&, const Outgoing<T>&);
};

// How many queries make a block: so that their scores stay in the second cache, or near it.
template <class T>
int64_t rows_of_block(const Sizes& n) {
  const int64_t wanted = (int64_t{512} << 10) / static_cast<int64_t>(sizeof(T)) / std::max<int64_t>(1, n.keys);
  return std::clamp<int64_t>(wanted / kBandRows * kBandRows, kBandRows, kQueryBlock);
}

}  // namespace heed::attention
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

// Epilogue of the scores' product.
template <class T>
struct StoreScores {
  ScorePieces<T> pieces;
  int64_t row0, first;
  T* scores;  // of the block's first query and the panel's first key
  int64_t stride;
  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const Vector<T> (&product)[kVectors], Width) const {
    row += row0, column += first;
    Vector<T> x[kVectors];
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) x[v] = product[v];
    pieces(row, column, x);
    HWY_UNROLL(4)
    for (int v = 0; v < kVectors; ++v) hn::StoreU(x[v], Tag<T>(), scores + row * stride + column + v * kLanes<T>);
  }
};

template <class T>
class RowBlock {
 public:
  RowBlock(const BlockOfRows<T>& at, bool backward)
      : group_(*at.group),
        problem_(*group_.problem),
        n_(problem_.n),
        h_(at.h),
        row_(at.row),
        rows_(at.rows),
        view_(problem_.visible, group_.b, h_, row_, rows_),
        first_(view_.any().begin / kPanel * kPanel),
        count_((view_.any().end + kPanel - 1) / kPanel * kPanel - first_) {
    take_memory(backward);
    make_scores();
    if (problem_.dropout) draw();
  }

  HWY_NOINLINE void forward(const Rows<T>& out, RowStatistics* statistics) {
    for (int64_t r = 0; r < rows_; ++r) {
      RowStatistics& of_row = statistics[number(r)];
      of_row = group_.pieces->measure(row(r));
      group_.pieces->weigh(row(r), of_row);
      std::fill_n(out.at(group_.b, h_, row_ + r), n_.value_width, T{0});
    }
    multiply(scores_);
    add_products(scores_, group_.values, n_.value_width, out.at(group_.b, h_, row_), out.row);
    add_not_finite(out);
  }

  // The weights of query r of the block.
  void weights(int64_t r, const RowStatistics* statistics, T* to) {
    group_.pieces->weigh(row(r), statistics[number(r)]);
    std::fill_n(to, n_.keys, T{0});
    std::copy_n(row(r).data, std::min(count_, n_.keys - first_), to + first_);
  }

  HWY_NOINLINE void backward(const RowStatistics* statistics, const Incoming<T>& in, const Outgoing<T>& outgoing) {
    weight_gradients(in);
    if (problem_.soft_cap != 0) note_slopes();
    for (int64_t r = 0; r < rows_; ++r)
      group_.pieces->backward(row(r), statistics[number(r)], gradients_ + r * stride_);
    multiply(scores_);
    if (problem_.soft_cap != 0) multiply_slopes();
    for (const auto& bias : outgoing.dbiases)
      if (bias) add_to_bias(bias);
    value_gradients(in.dout, outgoing.dv);
    if (problem_.features) return added_gradients(outgoing);
    key_gradients(outgoing.dk);
    query_gradients(outgoing.dq);
  }

 private:
  void take_memory(bool backward) {
    struct Use;
    stride_ = count_ + 16;  // off powers of two
    const int64_t tile = backward ? (problem_.soft_cap != 0 ? 3 : 2) : 1;
    T* at = kernels::scratch<Use, T>(rows_ * (tile * stride_ + 2 * n_.width));
    const auto take = [&](int64_t width) { return std::exchange(at, at + rows_ * width); };
    scores_ = take(stride_), gradients_ = scores_, slopes_ = scores_;
    if (backward) gradients_ = take(stride_);
    if (backward && problem_.soft_cap != 0) slopes_ = take(stride_);
    queries_ = take(n_.width), query_gradients_ = take(n_.width);
  }
  int64_t number(int64_t r) const { return n_.row_number(group_.b, h_, row_ + r); }
  ScoreRow<T> row(int64_t r) const { return {scores_ + r * stride_, first_, count_, number(r)}; }

  void scale_queries(T factor, T* to) const {
    for (int64_t r = 0; r < rows_; ++r)
      scale_row(problem_.q.at(group_.b, h_, row_ + r), factor, n_.width, to + r * n_.width);
  }
  HWY_NOINLINE void make_scores() {
    scale_queries(static_cast<T>(problem_.scale * kLog2E), queries_);
    PanelBands panel;
    for (int64_t key = first_; key < first_ + count_; key += kPanel) {
      view_.panel(key, panel);
      T* scores = scores_ + key - first_;
      if (!panel.whole())
        for (int64_t r = 0; r < rows_; ++r) std::fill_n(scores + r * stride_, kPanel, static_cast<T>(-INFINITY));
      const ScorePieces<T> pieces(problem_, group_.b, h_, row_, key, panel.bits_or_null());
      for (const Band& band : panel) score(band, key, StoreScores<T>{pieces, band.row, band.begin, scores, stride_});
      if (panel.count > 0) see(key);
    }
  }
  void score(const Band& band, int64_t key, const StoreScores<T>& store) const {
    const T* panel = group_.key_panels + key * n_.width;
    if (problem_.features)
      return AddedScores<T>(problem_, group_.b, h_, row_, rows_, nullptr)(band, panel, false, store);
    score_band(band, n_.width, queries_, n_.width, panel, store);
  }
  void see(int64_t key) {
    const int64_t end = std::min(key + kPanel, n_.keys);
    if (!seen_.empty() && seen_.back().end == key && seen_.back().end - seen_.back().begin < kValueKeys)
      seen_.back().end = end;
    else
      seen_.push_back({key, end});
  }

  // Which weights are kept: blocks of 128 keys, each [rows][2].
  void draw() {
    const int64_t begin = first_ / kDropoutKeys, end = (first_ + count_ + kDropoutKeys - 1) / kDropoutKeys;
    keep_.resize(static_cast<size_t>((end - begin) * 2 * rows_));
    for (int64_t i = begin; i < end; ++i)
      problem_.dropout.draw(n_, number(0), rows_, i, keep_.data() + (i - begin) * 2 * rows_);
  }
  void multiply(T* x) const {
    if (!problem_.dropout) return;
    const Tag<T> d;
    const int64_t offset = first_ % kDropoutKeys;
    for (int64_t c = 0; c < count_; c += kPanel) {
      const int64_t block = (c + offset) / kDropoutKeys, column = (c + offset) % kDropoutKeys;
      const Keep<T> keep(problem_.dropout, keep_.data() + block * 2 * rows_);
      for (int64_t r = 0; r < rows_; ++r) {
        T* at = x + r * stride_ + c;
        for (int64_t i = 0; i < kPanel; i += kLanes<T>)
          hn::StoreU(keep.dropped(r, column + i, hn::LoadU(d, at + i)), d, at + i);
      }
    }
  }

  // to += X·rows: X holds a number for each query and key.
  void add_products(const T* x, const FiniteRows<T>& rows, int64_t width, T* to, int64_t to_stride) const {
    for (const Interval& keys : seen_)
      add_product(rows_, width, keys.end - keys.begin, kn::by_rows(x + keys.begin - first_, stride_),
                  kn::matrix(rows.data + keys.begin * rows.stride, rows.stride), to, to_stride);
  }
  // A value that is not finite reaches those who look at it. (A key does so by its scores.)
  HWY_NOINLINE void add_not_finite(const Rows<T>& out) const {
    for (const int64_t j : group_.values.not_finite) {
      if (j < first_ || j >= first_ + count_) continue;
      const T* value = problem_.v.at(group_.b, group_.g, j);
      for (int64_t r = 0; r < rows_; ++r)
        if (const T weight = scores_[r * stride_ + j - first_]; weight != 0)
          for (int64_t c = 0; c < n_.value_width; ++c) out.at(group_.b, h_, row_ + r)[c] += weight * value[c];
    }
  }

  // dP: what arrives at the weights through the output, and at the weights themselves.
  void weight_gradients(const Incoming<T>& in) {
    for (const Interval& keys : seen_)
      kn::product<ShapeOf<T>, kn::Columns::whole>(
          rows_, (keys.end - keys.begin + kPanel - 1) / kPanel * kPanel, n_.value_width,
          kn::by_rows(in.dout.at(group_.b, h_, row_), in.dout.row),
          kn::panels(group_.value_panels, n_.value_width).from_column(keys.begin),
          kn::store_to(Tag<T>(), gradients_ + keys.begin - first_, stride_));
    multiply(gradients_);
    if (!in.dweights) return;
    for (int64_t r = 0; r < rows_; ++r) {
      const T* from = in.dweights.at(group_.b, h_, row_ + r);
      for (const Interval& keys : seen_)
        for (int64_t j = keys.begin; j < keys.end; ++j) gradients_[r * stride_ + j - first_] += from[j];
    }
  }

  // d cap·tanh(s/cap) / ds = 1 − (x/cap)², x the capped score; where hidden, whatever is finite.
  void note_slopes() {
    const Tag<T> d;
    const auto inverse = hn::Set(d, static_cast<T>(1 / (problem_.soft_cap * kLog2E)));
    for_scores([&](int64_t at) HWY_ATTR {
      const auto part = hn::Max(hn::Set(d, T{-1}), hn::Mul(hn::LoadU(d, scores_ + at), inverse));
      hn::StoreU(hn::NegMulAdd(part, part, hn::Set(d, T{1})), d, slopes_ + at);
    });
  }
  void multiply_slopes() {
    const Tag<T> d;
    for_scores([&](int64_t at) HWY_ATTR {
      hn::StoreU(hn::Mul(hn::LoadU(d, gradients_ + at), hn::LoadU(d, slopes_ + at)), d, gradients_ + at);
    });
  }
  template <class Body>
  void for_scores(const Body& body) const {
    for (int64_t r = 0; r < rows_; ++r)
      for (int64_t c = 0; c < count_; c += kLanes<T>) body(r * stride_ + c);
  }

  void add_to_bias(const Rows<T>& bias) const {
    for (int64_t r = 0; r < rows_; ++r) {
      T* to = bias.at(group_.b, h_, row_ + r);
      for (const Interval& keys : seen_)
        for (int64_t j = keys.begin; j < keys.end; ++j) to[j] += gradients_[r * stride_ + j - first_];
    }
  }

  // to_j += Σ_i X_ij·rows_i
  void add_to_keys(const T* x, const T* rows, int64_t stride, int64_t width, const Rows<T>& to) const {
    for (const Interval& keys : seen_)
      add_product(keys.end - keys.begin, width, rows_, kn::by_columns(x + keys.begin - first_, stride_),
                  kn::matrix(rows, stride), to.at(group_.b, group_.g, keys.begin), to.row);
  }
  void value_gradients(const Rows<const T>& dout, const Rows<T>& dv) const {
    add_to_keys(scores_, dout.at(group_.b, h_, row_), dout.row, n_.value_width, dv);
  }
  void key_gradients(const Rows<T>& dk) const {
    scale_queries(static_cast<T>(problem_.scale), queries_);
    for (int64_t r = 0; r < rows_; ++r)  // dS of a query that is not finite is NaN where it looks, and else 0
      if (T* q = queries_ + r * n_.width; rows_not_finite(q, n_.width, n_.width, 1)) std::fill_n(q, n_.width, T{0});
    add_to_keys(gradients_, queries_, n_.width, n_.width, dk);
  }
  void query_gradients(const Rows<T>& dq) const {
    std::fill_n(query_gradients_, rows_ * n_.width, T{0});
    add_products(gradients_, group_.keys, n_.width, query_gradients_, n_.width);
    for (int64_t r = 0; r < rows_; ++r) {
      T* to = dq.at(group_.b, h_, row_ + r);
      for (int64_t c = 0; c < n_.width; ++c)
        to[c] += query_gradients_[r * n_.width + c] * static_cast<T>(problem_.scale);
    }
  }

  // Those of Σ_d u_d tanh(q_d + k_d), panel by panel.
  HWY_NOINLINE void added_gradients(const Outgoing<T>& outgoing) const {
    struct Use;
    T* memory = kernels::scratch<Use, T>(kQueryBlock * kPanel + AddedGradients<T>::size(n_.width, kQueryBlock));
    const auto &dq = outgoing.dq, &dk = outgoing.dk;
    const T* features = problem_.features.at(group_.b, h_, 0);
    const auto as_it_is = [](auto&&...) {};
    AddedGradients<T> added;
    added.take(n_.width, kQueryBlock, memory + kQueryBlock * kPanel);
    for (int64_t key = first_; key < std::min(first_ + count_, n_.keys); key += kPanel) {
      const int64_t keys = std::min(kPanel, n_.keys - key);
      for (int64_t r = 0; r < rows_; ++r)
        std::copy_n(gradients_ + r * stride_ + key - first_, kPanel, memory + r * kPanel);
      added.start(0, problem_.k.at(group_.b, group_.g, key), problem_.k.row, keys);
      added.set_queries(problem_.q.at(group_.b, h_, row_), problem_.q.row, rows_, features);
      added.add(0, {0, rows_, 0, kPanel}, memory, as_it_is, as_it_is,
                {dq.at(group_.b, h_, row_), dq.row, outgoing.dfeatures.at(group_.b, h_, 0)});
      added.finish(0, features, dk.at(group_.b, group_.g, key), dk.row, keys);
    }
  }

  const RowGroup<T>& group_;
  const Problem<T>& problem_;
  const Sizes n_;
  int64_t h_, row_, rows_;
  BlockView view_;
  int64_t first_, count_, stride_ = 0;  // the keys in the scratch: whole panels
  T *scores_, *gradients_, *slopes_;    // [rows][stride]
  T *queries_, *query_gradients_;       // [rows][D]; the first times scale·log₂e, then times scale
  std::vector<Interval> seen_;          // keys that somebody sees, at most kValueKeys each
  std::vector<uint64_t> keep_;
};

// ---- behind the dispatch ----------------------------------------------------------------------------------

// Packs one panel of keys (and of values, where there is room for them) and finds what is not finite.
template <class T>
PanelBits pack_panel_of(const RowGroup<T>& group, int64_t panel, T* key_panels, T* value_panels) {
  const Problem<T>& p = *group.problem;
  const int64_t key = panel * kPanel, keys = std::min(kPanel, p.n.keys - key);
  const T *k = p.k.at(group.b, group.g, key), *v = p.v.at(group.b, group.g, key);
  pack_columns(k, p.k.row, p.n.width, keys, key_panels + key * p.n.width);
  if (value_panels) pack_columns(v, p.v.row, p.n.value_width, keys, value_panels + key * p.n.value_width);
  return {rows_not_finite(k, p.k.row, p.n.width, keys), rows_not_finite(v, p.v.row, p.n.value_width, keys)};
}
template <class T>
void forward_of(const BlockOfRows<T>& at, const Rows<T>& out, RowStatistics* statistics) {
  RowBlock<T>(at, false).forward(out, statistics);
}
template <class T>
void weights_of(const BlockOfRows<T>& at, const RowStatistics* statistics, const std::vector<WantedRow<T>>& wanted) {
  RowBlock<T> block(at, false);
  for (const WantedRow<T>& row : wanted) block.weights(row.row, statistics, row.to);
}
template <class T>
void backward_of(const BlockOfRows<T>& at, const RowStatistics* statistics, const Incoming<T>& incoming,
                 const Outgoing<T>& outgoing) {
  RowBlock<T>(at, true).backward(statistics, incoming, outgoing);
}

template <class T>
RowKernels<T> kernels_of() {
  return {pack_panel_of<T>, forward_of<T>, weights_of<T>, backward_of<T>};
}
RowKernels<float> kernels_f32() { return kernels_of<float>(); }
RowKernels<double> kernels_f64() { return kernels_of<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::attention {
namespace {

HWY_EXPORT(kernels_f32);
HWY_EXPORT(kernels_f64);
RowKernels<float> row_kernels(float) { return HWY_DYNAMIC_DISPATCH(kernels_f32)(); }
RowKernels<double> row_kernels(double) { return HWY_DYNAMIC_DISPATCH(kernels_f64)(); }

template <class T>
FiniteRows<T> finite(const Rows<const T>& x, int64_t b, int64_t g, int64_t width, const std::vector<uint64_t>& bits,
                     int64_t keys) {
  FiniteRows<T> rows{x.at(b, g, 0), x.row};
  for (size_t panel = 0; panel < bits.size(); ++panel)
    for (uint64_t left = bits[panel]; left != 0; left &= left - 1)
      rows.not_finite.push_back(static_cast<int64_t>(panel) * kPanel + std::countr_zero(left));
  if (rows.not_finite.empty()) return rows;
  for (int64_t j = 0; j < keys; ++j) rows.copy.insert(rows.copy.end(), x.at(b, g, j), x.at(b, g, j) + width);
  for (const int64_t j : rows.not_finite) std::fill_n(rows.copy.begin() + j * width, width, T{0});
  rows.data = rows.copy.data(), rows.stride = width;
  return rows;
}

// The group's panels lie in the calling thread's scratch.
template <class T>
RowGroup<T> prepare_group(const Problem<T>& p, const RowPieces<T>& pieces, int64_t b, int64_t g, bool backward) {
  struct Use;
  const int64_t panels = (p.n.keys + kPanel - 1) / kPanel, width = p.n.width + (backward ? p.n.value_width : 0);
  T* keys = kernels::scratch<Use, T>(panels * kPanel * width);
  T* values = backward ? keys + panels * kPanel * p.n.width : nullptr;
  RowGroup<T> group{&p, &pieces, b, g, keys, values, {}, {}};
  std::vector<uint64_t> bad_keys(static_cast<size_t>(panels)), bad_values(static_cast<size_t>(panels));
  parallel(panels, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const PanelBits bits = row_kernels(T{}).pack(group, i, keys, values);
      bad_keys[static_cast<size_t>(i)] = bits.keys, bad_values[static_cast<size_t>(i)] = bits.values;
    }
  });
  group.keys = finite(p.k, b, g, p.n.width, bad_keys, p.n.keys);
  group.values = finite(p.v, b, g, p.n.value_width, bad_values, p.n.keys);
  return group;
}

template <class T>
int64_t block_count(const Sizes& n) {
  return (n.queries + rows_of_block<T>(n) - 1) / rows_of_block<T>(n);
}
template <class T>
BlockOfRows<T> block_of(const RowGroup<T>& group, int64_t h, int64_t block) {
  const Sizes& n = group.problem->n;
  const int64_t row = block * rows_of_block<T>(n);
  return {&group, h, row, std::min(rows_of_block<T>(n), n.queries - row)};
}

// body(group, h, block) for all blocks of all heads, the last blocks first: when causal they are the longest.
template <class T, class Body>
void for_blocks(const Problem<T>& p, const RowPieces<T>& pieces, const Body& body) {
  const int64_t groups = p.n.batch * p.n.groups, each = p.n.heads_per_group(), blocks = block_count<T>(p.n);
  const bool threaded = worth_threads(p.n);
  const auto run = [&](int64_t i) {
    const RowGroup<T> group = prepare_group(p, pieces, i / p.n.groups, i % p.n.groups, false);
    const auto item = [&](int64_t x) { body(group, group.g * each + x % each, blocks - 1 - x / each); };
    parallel_items(each * blocks, threaded, item);
  };
  parallel_items(groups, threaded && groups >= 4 * threads(), run);
}

// Few groups: their queries are cut into so many chunks, each with a dK and dV of its own. A function of the shape
// alone, so that the bits do not depend on the number of threads.
template <class T>
int64_t chunk_count(const Sizes& n, const Outgoing<T>& outgoing) {
  for (const auto& bias : outgoing.dbiases)
    if (bias && bias.row <= 0) return 1;  // chunks share distances and keys
  const int64_t groups = std::max<int64_t>(1, n.batch * n.groups);
  const int64_t wanted = outgoing.shared_biases ? kMostChunks : !worth_threads(n) ? 1 : kMostChunks / groups;
  const int64_t copy = groups * n.keys * (n.width + n.value_width) * static_cast<int64_t>(sizeof(T));
  return std::clamp<int64_t>(std::min(wanted, (int64_t{64} << 20) / std::max<int64_t>(1, copy)), 1,
                             std::max<int64_t>(1, block_count<T>(n)));
}

// The blocks of chunk c of `chunks`, for all heads of a group.
template <class T>
void backward_chunk(const RowGroup<T>& group, int64_t c, int64_t chunks, const RowStatistics* statistics,
                    const Incoming<T>& incoming, const Outgoing<T>& outgoing) {
  const Sizes& n = group.problem->n;
  const int64_t blocks = block_count<T>(n), each = n.heads_per_group();
  for (int64_t h = group.g * each; h < (group.g + 1) * each; ++h)
    for (int64_t block = c * blocks / chunks; block < (c + 1) * blocks / chunks; ++block)
      row_kernels(T{}).backward(block_of(group, h, block), statistics, incoming, outgoing);
}

// Σ over chunks, in order: parts of `width` numbers for each key.
template <class T>
void add_parts(const T* parts, int64_t chunks, const Sizes& n, int64_t width, const Rows<T>& to) {
  const int64_t keys = n.batch * n.groups * n.keys;
  parallel(keys, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T* row = to.at(i / (n.groups * n.keys), i / n.keys % n.groups, i % n.keys);
      for (int64_t c = 0; c < chunks; ++c)
        for (int64_t x = 0; x < width; ++x) row[x] += parts[(c * keys + i) * width + x];
    }
  });
}

}  // namespace

template <class T>
void forward_rows(const Problem<T>& p, const RowPieces<T>& pieces, const Rows<T>& out, RowStatistics* statistics) {
  for_blocks(p, pieces, [&](const RowGroup<T>& group, int64_t h, int64_t block) {
    row_kernels(T{}).forward(block_of(group, h, block), out, statistics);
  });
}

template <class T>
void weights_of_rows(const Problem<T>& p, const RowPieces<T>& pieces, const RowStatistics* statistics,
                     const Chosen& chosen, T* weights) {
  const int64_t heads = std::ssize(chosen.heads), queries = std::ssize(chosen.queries);
  for_blocks(p, pieces, [&](const RowGroup<T>& group, int64_t h, int64_t number) {
    const BlockOfRows<T> block = block_of(group, h, number);
    std::vector<WantedRow<T>> wanted;
    for (int64_t x = 0; x < heads; ++x)
      for (int64_t i = 0; i < queries && chosen.heads[static_cast<size_t>(x)] == h; ++i)
        if (const int64_t r = chosen.queries[static_cast<size_t>(i)] - block.row; r >= 0 && r < block.rows)
          wanted.push_back({r, weights + ((group.b * heads + x) * queries + i) * p.n.keys});
    if (!wanted.empty()) row_kernels(T{}).weights(block, statistics, wanted);
  });
}

template <class T>
void backward_rows(const Problem<T>& p, const RowPieces<T>& pieces, const RowStatistics* statistics,
                   const Incoming<T>& incoming, const Outgoing<T>& outgoing) {
  struct Use;
  const Sizes& n = p.n;
  const int64_t chunks = chunk_count(n, outgoing), groups = n.batch * n.groups, keys = groups * n.keys;
  T* dk = chunks > 1 ? kernels::scratch<Use, T>(chunks * keys * (n.width + n.value_width)) : nullptr;
  T* dv = chunks > 1 ? dk + chunks * keys * n.width : nullptr;
  if (chunks > 1) std::fill_n(dk, chunks * keys * (n.width + n.value_width), T{0});
  const auto run = [&](int64_t c, int64_t i) {
    Outgoing<T> of_chunk = outgoing;
    of_chunk.dfeatures.data += c * n.batch * outgoing.dfeatures.batch;
    const auto part = [&](T* x, int64_t width) {
      return Rows<T>{x + c * keys * width, n.groups * n.keys * width, n.keys * width, width};
    };
    if (chunks > 1) of_chunk.dk = part(dk, n.width), of_chunk.dv = part(dv, n.value_width);
    const RowGroup<T> group = prepare_group(p, pieces, i / n.groups, i % n.groups, true);
    backward_chunk(group, c, chunks, statistics, incoming, of_chunk);
  };
  const auto chunk_of_all = [&](int64_t c) {
    for (int64_t i = 0; i < groups; ++i) run(c, i);
  };
  if (outgoing.shared_biases)
    parallel_items(chunks, chunk_of_all);
  else if (worth_threads(n))
    parallel_items(chunks * groups, [&](int64_t item) { run(item % chunks, item / chunks); });
  else
    chunk_of_all(0);
  if (chunks == 1) return;
  add_parts(dk, chunks, n, n.width, outgoing.dk);
  add_parts(dv, chunks, n, n.value_width, outgoing.dv);
}

template void forward_rows(const Problem<float>&, const RowPieces<float>&, const Rows<float>&, RowStatistics*);
template void forward_rows(const Problem<double>&, const RowPieces<double>&, const Rows<double>&, RowStatistics*);
template void weights_of_rows(const Problem<float>&, const RowPieces<float>&, const RowStatistics*, const Chosen&,
                              float*);
template void weights_of_rows(const Problem<double>&, const RowPieces<double>&, const RowStatistics*, const Chosen&,
                              double*);
template void backward_rows(const Problem<float>&, const RowPieces<float>&, const RowStatistics*,
                            const Incoming<float>&, const Outgoing<float>&);
template void backward_rows(const Problem<double>&, const RowPieces<double>&, const RowStatistics*,
                            const Incoming<double>&, const Outgoing<double>&);

}  // namespace heed::attention
#endif
