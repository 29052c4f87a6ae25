// The weights themselves, for those who ask: a second pass over the scores with the log-sum-exp of the first.
#include "attention/engine/problem.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "attention/engine/weights.cc"
#include "hwy/foreach_target.h"
// After Highway's own, in this order.
#include "attention/engine/added-inl.h"
#include "attention/engine/relative-inl.h"

#ifndef HEED_ATTENTION_ENGINE_WEIGHTS_ONCE
#define HEED_ATTENTION_ENGINE_WEIGHTS_ONCE
#include <cmath>

#include "base/threads.h"
#include "kernels/scratch.h"

namespace heed::attention {

// Queries [row, row + rows) of a head, and where their weights go: rows of S.
template <class T>
struct WeightRows {
  const Problem<T>* problem;
  const T* log_sum_exp;  // (B,H,T)
  int64_t b, h, row, rows;
  T* out;
  bool logarithms = false;  // log₂ of the weights in place of them; −∞ where hidden
};

}  // namespace heed::attention
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

template <class T>
struct Normalized {
  ScorePieces<T> pieces;
  Multipliers<T> multiplier;
  const T* log_sum_exp;  // of the block, in units of log 2
  Streaming normalizer;
  int64_t row0, first;
  T* out;
  int64_t stride;
  bool logarithms;
  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const Vector<T> (&product)[kVectors], Width) const {
    const Tag<T> d;
    row += row0, column += first;
    Vector<T> x[kVectors];
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) x[v] = product[v];
    pieces(row, column, x);
    const auto log_sum_exp_of_row = hn::Set(d, log_sum_exp[row]);
    HWY_UNROLL(4) for (int v = 0; v < kVectors; ++v) {
      const auto p = logarithms                         ? hn::Sub(x[v], log_sum_exp_of_row)
                     : normalizer == Streaming::softmax ? normalized<T>(x[v], log_sum_exp_of_row)
                                                        : weight_alone<T>(normalizer, x[v]);
      hn::StoreU(multiplier.focused(row, column + v * kLanes<T>, p), d, out + row * stride + column + v * kLanes<T>);
    }
  }
};

template <class T>
void weigh_rows(const WeightRows<T>& w) {
  struct Use;
  const Problem<T>& p = *w.problem;
  const int64_t depth = p.n.width, keys = p.n.keys;
  T* panel = kernels::scratch<Use, T>(kPanel * depth + kQueryBlock * (kPanel + depth + 1) +
                                      AddedScores<T>::size(depth, w.rows));
  T *tile = panel + kPanel * depth, *queries = tile + kQueryBlock * kPanel, *sums = queries + kQueryBlock * depth;
  for (int64_t r = 0; r < w.rows; ++r) {
    scale_row(p.q.at(w.b, w.h, w.row + r), static_cast<T>(p.scale * kLog2E), depth, queries + r * depth);
    sums[r] = w.log_sum_exp ? in_log2(w.log_sum_exp[p.n.row_number(w.b, w.h, w.row + r)]) : T{0};
  }
  const BlockView view(p.visible, w.b, w.h, w.row, w.rows);
  const AddedScores<T> added(p, w.b, w.h, w.row, w.rows, sums + kQueryBlock);
  PanelBands bands;
  RelativeBlock<T> relative(p);
  for (int64_t key = 0; key < keys; key += kPanel) {
    view.panel(key, bands);
    const int64_t count = std::min(kPanel, keys - key);
    const bool direct = bands.whole() && bands.bands[0].rows == w.rows && count == kPanel;
    if (!direct) std::fill_n(tile, w.rows * kPanel, w.logarithms ? static_cast<T>(-INFINITY) : T{0});
    if (bands.count > 0) pack_columns(p.k.at(w.b, w.h / p.n.heads_per_group(), key), p.k.row, depth, count, panel);
    const bool exponentials = p.features && bands.count > 0 && to_exponentials(panel, depth);
    ScorePieces<T> pieces(p, w.b, w.h, w.row, key, bands.bits_or_null());
    if (relative && bands.count > 0) {
      relative.set({w.b, w.h, w.row, w.rows, key, count});
      relative.multiply_queries();
      relative.add_to(pieces, 0);
    }
    const Multipliers<T> multiplier(p, w.b, w.h, w.row, key, nullptr);
    for (const Band& band : bands) {
      const Normalized<T> normalized{pieces,
                                     multiplier,
                                     sums,
                                     p.normalizer,
                                     band.row,
                                     band.begin,
                                     direct ? w.out + key : tile,
                                     direct ? keys : kPanel,
                                     w.logarithms};
      if (p.features)
        added(band, panel, exponentials, normalized);
      else
        score_band(band, depth, queries, depth, panel, normalized);
    }
    if (!direct)
      for (int64_t r = 0; r < w.rows; ++r) std::copy_n(tile + r * kPanel, count, w.out + r * keys + key);
  }
}
void weigh_rows_f32(const WeightRows<float>& w) { weigh_rows(w); }
void weigh_rows_f64(const WeightRows<double>& w) { weigh_rows(w); }

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::attention {
namespace {

HWY_EXPORT(weigh_rows_f32);
HWY_EXPORT(weigh_rows_f64);
void weigh_rows(const WeightRows<float>& w) { HWY_DYNAMIC_DISPATCH(weigh_rows_f32)(w); }
void weigh_rows(const WeightRows<double>& w) { HWY_DYNAMIC_DISPATCH(weigh_rows_f64)(w); }

}  // namespace

template <class T>
void weights(const Problem<T>& p, const T* log_sum_exp, const Chosen& chosen, T* out) {
  const auto heads = static_cast<int64_t>(chosen.heads.size()), queries = static_cast<int64_t>(chosen.queries.size());
  std::vector<Interval> runs;  // of neighbouring queries, as places in `chosen`
  for (int64_t i = 0; i < queries; ++i) {
    const auto at = static_cast<size_t>(i);
    if (!runs.empty() && runs.back().end - runs.back().begin < kQueryBlock &&
        chosen.queries[at] == chosen.queries[at - 1] + 1)
      ++runs.back().end;
    else
      runs.push_back({i, i + 1});
  }
  const auto count = static_cast<int64_t>(runs.size());
  const auto run = [&](int64_t item) {
    const Interval of = runs[static_cast<size_t>(item % count)];
    const int64_t head = item / count;
    weigh_rows({&p, log_sum_exp, head / heads, chosen.heads[static_cast<size_t>(head % heads)],
                chosen.queries[static_cast<size_t>(of.begin)], of.end - of.begin,
                out + (head * queries + of.begin) * p.n.keys});
  };
  parallel_items(p.n.batch * heads * count, worth_threads(p.n), run);
}

namespace {

// One row: x the logarithms of its weights, base 2.
template <class T>
void guided_row(const T* x, const T* aligned, int64_t keys, GuideKind kind, T& loss, T& row_term) {
  double losses = 0, terms = 0;
  for (int64_t j = 0; j < keys; ++j) {
    if (x[j] == -INFINITY) continue;
    const double a = std::exp2(static_cast<double>(x[j])), given = static_cast<double>(aligned[j]);
    if (kind == GuideKind::cross_entropy) {
      if (given != 0) losses -= given * static_cast<double>(x[j]) * 0.69314718055994530942;
      terms += given;
    } else {
      losses += (a - given) * (a - given);
      terms -= 2 * a * (a - given);
    }
  }
  loss = static_cast<T>(losses), row_term = static_cast<T>(terms);
}

}  // namespace

template <class T>
void guided(const Problem<T>& p, const T* log_sum_exp, const Guide<T>& guide, T* losses, T* row_terms) {
  const int64_t rows_at_once = 16, blocks = (p.n.queries + rows_at_once - 1) / rows_at_once;
  const auto run = [&](int64_t item) {
    struct Use;
    T* x = kernels::scratch<Use, T>(rows_at_once * p.n.keys);
    const int64_t head = item / blocks, b = head / p.n.heads, h = head % p.n.heads, row = item % blocks * rows_at_once;
    const int64_t rows = std::min(rows_at_once, p.n.queries - row);
    weigh_rows({&p, log_sum_exp, b, h, row, rows, x, true});
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t at = head * p.n.queries + row + r;
      guided_row(x + r * p.n.keys, guide.alignment.at(b, h, row + r), p.n.keys, guide.kind, losses[at], row_terms[at]);
    }
  };
  parallel_items(p.n.batch * p.n.heads * blocks, worth_threads(p.n), run);
}

template void guided(const Problem<float>&, const float*, const Guide<float>&, float*, float*);
template void guided(const Problem<double>&, const double*, const Guide<double>&, double*, double*);
template void weights(const Problem<float>&, const float*, const Chosen&, float*);
template void weights(const Problem<double>&, const double*, const Chosen&, double*);

}  // namespace heed::attention
#endif
