// Vectors by the distance x of a key from its query (Shaw et al. 2018, arXiv:1803.02155; Dai et al. 2019,
// arXiv:1901.02860): a in the scores, b in the values.
//   s_ij += scale·r_i·a_x      o_i += Σ_j w_ij b_x           w the weights times their multipliers
//   dw_ij += do_i·b_x          dr_i = scale Σ_j ds_ij a_x    da_x = scale Σ_{j−i=x} ds_ij r_i    db_x = Σ_{j−i=x} w_ij
//   do_i
//
// A block of queries and 128 keys span 255 distances: row r and column c of the block meet at place c − r + 127 of the
// span. Products are made for 16 queries at a time, which span keys + 15 distances, and what is indexed by row and
// column is read as if it were indexed by row and place: along diagonals, with a stride that is longer or shorter by
// one.
#include <algorithm>
#include <utility>

#include "attention/engine/pieces-inl.h"
#include "kernels/scratch.h"

#if defined(HEED_ATTENTION_ENGINE_RELATIVE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_ATTENTION_ENGINE_RELATIVE_INL_H_
#undef HEED_ATTENTION_ENGINE_RELATIVE_INL_H_
#else
#define HEED_ATTENTION_ENGINE_RELATIVE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

inline constexpr int64_t kSpanKeys = 128, kSpan = kQueryBlock + kSpanKeys, kSpanOrigin = kQueryBlock - 1;
inline constexpr int64_t kDiagonalRows = 16;  // queries whose products are made together
inline constexpr int64_t kFewRows = 4;

// A block of queries, and at most 128 keys.
struct BlockPlace {
  int64_t b, h, row, rows, key, keys;
};

// The entries of a table that a block spans, those beyond its ends being its first and last.
template <class T>
struct Spanned {
  const T* rows;  // entry of place x at rows + x·stride
  int64_t stride, width;
  int64_t first;       // which row of the table place 0 is; it may lie outside
  int64_t begin, end;  // the places in use
  int64_t only = -1;   // the one row of the table, where all places in use lie beyond the same end

  // `copy` has room for [kSpan][width].
  Spanned(const ByDistance<T>& table, const Sizes& n, const BlockPlace& at, T* copy)
      : stride(table.rows.row),
        width(table.width),
        first(at.key - at.row - (n.keys - n.queries) - kSpanOrigin - table.first),
        begin(kQueryBlock - at.rows),
        end(kSpanOrigin + at.keys) {
    const T* data = table.rows.at(at.b, at.h, 0);
    if (first + end <= 1) only = 0;
    if (first + begin >= table.count - 1) only = table.count - 1;
    rows = data + std::max<int64_t>(0, only >= 0 ? only : first) * stride;
    if (only >= 0 || (first >= 0 && first + kSpan <= table.count)) return;
    for (int64_t x = 0; x < kSpan; ++x) std::copy_n(data + clipped(x, table) * stride, width, copy + x * width);
    rows = copy, stride = width;
  }
  int64_t clipped(int64_t x, const ByDistance<T>& table) const {
    return std::clamp<int64_t>(first + x, 0, table.count - 1);
  }
};

// What is indexed by row and column of a block, with zeros around: [rows][keys].
template <class T>
struct Padded {
  static constexpr int64_t kStride = kSpanKeys + kDiagonalRows;
  static constexpr int64_t kSize = (kQueryBlock + 2) * kStride;
  T* data;  // of row 0

  T* take(T* memory) {
    data = memory + kStride;
    clear();
    return memory + kSize;
  }
  void clear() { std::fill_n(data - kStride, kSize, T{0}); }
  // From a tile whose rows are `stride` apart, a band of a panel that begins at `column`.
  void copy(const Band& band, int64_t column, const T* tile, int64_t stride, T factor) {
    for (int64_t r = band.row; r < band.row + band.rows; ++r)
      scale_row(tile + r * stride + band.begin, factor, band.columns(), data + r * kStride + column + band.begin);
  }
  T sum_of_row(int64_t r) const {
    const Tag<T> d;
    auto sum = hn::Zero(d);
    for (int64_t c = 0; c < kSpanKeys; c += kLanes<T>) sum = hn::Add(sum, hn::LoadU(d, data + r * kStride + c));
    return hn::GetLane(hn::SumOfLanes(d, sum));
  }
  // Rows [row, …) by place, the first place being that of the 15th column before them.
  const T* diagonal(int64_t row) const { return data + row * kStride - (kDiagonalRows - 1); }
};

// y_i += factor·x_i
template <class T>
HWY_INLINE void add_scaled(const T* x, T factor, int64_t n, T* y) {
  const Tag<T> d;
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>)
    hn::StoreU(hn::MulAdd(hn::LoadU(d, x + i), hn::Set(d, factor), hn::LoadU(d, y + i)), d, y + i);
  for (; i < n; ++i) y[i] += factor * x[i];
}
template <class T>
HWY_INLINE T dot_of(const T* a, const T* b, int64_t n) {
  const Tag<T> d;
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) sum = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum);
  T total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < n; ++i) total += a[i] * b[i];
  return total;
}

// Its working memory belongs to the thread: one Relative at a time.
template <class T>
class RelativeBlock {
 public:
  static constexpr int64_t kStride = kSpan + 16;  // of products: off powers of two

  explicit RelativeBlock(const Problem<T>& problem) : problem_(problem) {
    if (!problem.relative) return;
    struct Use;
    const int64_t width = std::max(problem.relative.keys.width, problem.relative.values.width);
    T* at = kernels::scratch<Use, T>(3 * kSpan * width + 2 * kQueryBlock * kStride + 2 * Padded<T>::kSize);
    const auto take = [&](int64_t size) { return std::exchange(at, at + size); };
    copy_ = take(kSpan * width), panels_ = take(kSpan * width), sums_ = take(kSpan * width);
    scores_ = take(kQueryBlock * kStride), dweights_ = take(kQueryBlock * kStride);
    weights.take(dscores.take(at));
  }

  explicit operator bool() const { return static_cast<bool>(problem_.relative); }
  void set(const BlockPlace& place) { at_ = place; }

  // The term of the scores: its products, and where ScorePieces finds those of a panel that begins at `column`.
  HWY_NOINLINE void multiply_queries() {
    const Relative<T>& r = problem_.relative;
    multiply(r.keys, r.queries, static_cast<T>(r.scale), scores_);
  }
  void add_to(ScorePieces<T>& pieces, int64_t column) const {
    pieces.add({scores_ + kSpanOrigin + column, kStride - 1});
  }
  // The same for dO and the values' table: do_i·b_x times the scale that dO·Vᵀ carries.
  HWY_NOINLINE void multiply_gradients(const Rows<const T>& dout, T scale) {
    multiply(problem_.relative.values, dout, scale, dweights_);
  }
  // Of the block's first query and the key in `column`; the next query's is kDiagonal further.
  const T* dweights(int64_t column) const { return dweights_ + kSpanOrigin + column; }
  static constexpr int64_t kDiagonal = kStride - 1;

  Padded<T> dscores{}, weights{};  // what is added along diagonals
  // to_r += Σ_c x(r,c)·entry
  HWY_NOINLINE void add_entries(const Padded<T>& x, const ByDistance<T>& table, T* to, int64_t stride) const {
    const Spanned<T> span(table, problem_.n, at_, copy_);
    if (span.only >= 0) {
      for (int64_t r = 0; r < at_.rows; ++r) add_scaled(span.rows, x.sum_of_row(r), span.width, to + r * stride);
      return;
    }
    for (int64_t r = 0; r < at_.rows; r += kDiagonalRows)
      add_product(std::min(kDiagonalRows, at_.rows - r), span.width, at_.keys + kDiagonalRows - 1,
                  kn::by_rows(x.diagonal(r), Padded<T>::kStride + 1),
                  RowStrips<T>{span.rows + first_place(r) * span.stride, span.stride}, to + r * stride, stride);
  }
  // entry += Σ x(r,c)·row_r, to be found where the table's entry is
  HWY_NOINLINE void add_rows(const Padded<T>& x, const ByDistance<T>& table, const Rows<const T>& rows,
                             const Rows<T>& to) const {
    const Spanned<T> span(table, problem_.n, at_, copy_);
    const T* row = rows.at(at_.b, at_.h, at_.row);
    if (span.only >= 0) {
      T* entry = to.at(at_.b, at_.h, span.only);
      for (int64_t r = 0; r < at_.rows; ++r) add_scaled(row + r * rows.row, x.sum_of_row(r), span.width, entry);
      return;
    }
    std::fill_n(sums_, kSpan * span.width, T{0});
    for (int64_t place = span.begin / kDiagonalRows * kDiagonalRows; place < span.end; place += kDiagonalRows)
      add_rows_at(place, x, row, rows.row, span.width);
    for (int64_t place = span.begin; place < span.end; ++place)
      add_scaled(sums_ + place * span.width, T{1}, span.width, to.at(at_.b, at_.h, span.clipped(place, table)));
  }

 private:
  // The place where row r + 15 of the block meets its first column.
  static int64_t first_place(int64_t r) { return kSpanOrigin - (kDiagonalRows - 1) - r; }

  // to(r,x) = scale·x_r·entry, for the places x that row r and its 15 neighbours meet.
  void multiply(const ByDistance<T>& table, const Rows<const T>& x, T scale, T* to) {
    const Spanned<T> span(table, problem_.n, at_, copy_);
    const T* rows = x.at(at_.b, at_.h, at_.row);
    const int64_t columns = (at_.keys + kPanel - 1) / kPanel * kPanel;
    if (span.only >= 0) {
      for (int64_t r = 0; r < at_.rows; ++r)
        std::fill_n(to + r * kStride + kSpanOrigin - r, columns,
                    scale * dot_of(rows + r * x.row, span.rows, span.width));
      return;
    }
    if (at_.rows <= kFewRows) return multiply_few(span, rows, x.row, scale, to);
    const int64_t packed = (span.end + kPanel - 1) / kPanel * kPanel;
    pack(span, table.rows.at(at_.b, at_.h, 0), packed);
    for (int64_t r = 0; r < at_.rows; r += kDiagonalRows) {
      const int64_t end = std::min(packed, first_place(r) + columns + kDiagonalRows);
      for (int64_t place = first_place(r), next; place < end; place = next) {
        next = std::min(end, place / kPanel * kPanel + kPanel);
        multiply_places(r, place, next - place, rows, x.row, span.width, scale, to);
      }
    }
  }
  // The entries in use, in panels of 64. Two neighbouring blocks of keys share half of their panels: what is there is
  // not packed again.
  void pack(const Spanned<T>& span, const T* table, int64_t end) {
    if (held_table_ != table) held_table_ = table, std::fill_n(held_, kSpan / kPanel, kNothing);
    first_slot_ = static_cast<int64_t>(static_cast<uint64_t>(span.first) % kSpan) / kPanel;
    for (int64_t place = span.begin / kPanel * kPanel; place < end; place += kPanel) {
      int64_t& held = held_[slot(place)];
      if (held == span.first + place) continue;
      held = span.first + place;
      pack_columns(span.rows + place * span.stride, span.stride, span.width, kPanel,
                   panels_ + slot(place) * kPanel * span.width);
    }
  }
  int64_t slot(int64_t place) const { return (first_slot_ + place / kPanel) % (kSpan / kPanel); }
  // Where packing costs more than it brings.
  void multiply_few(const Spanned<T>& span, const T* rows, int64_t stride, T scale, T* to) const {
    for (int64_t r = 0; r < at_.rows; ++r)
      for (int64_t c = 0; c < at_.keys; c += kPanel) {
        const int64_t place = kSpanOrigin - r + c, count = std::min(kPanel, at_.keys - c);
        inner_products(rows + r * stride, span.rows + place * span.stride, span.stride, span.width, count,
                       to + r * kStride + place);
        scale_row(to + r * kStride + place, scale, count, to + r * kStride + place);
      }
  }
  // Places of one panel.
  void multiply_places(int64_t r, int64_t place, int64_t places, const T* rows, int64_t stride, int64_t width, T scale,
                       T* to) const {
    const Tag<T> d;
    const auto factor = hn::Set(d, scale);
    kn::product<ShapeOf<T>, kn::Columns::vectors>(
        std::min(kDiagonalRows, at_.rows - r), places, width, kn::by_rows(rows + r * stride, stride),
        kn::panels(panels_ + slot(place) * kPanel * width, width).from_column(place % kPanel),
        kn::per_vector([=](int64_t i, int64_t j, auto y, auto)
                           HWY_ATTR { hn::StoreU(hn::Mul(y, factor), d, to + (r + i) * kStride + place + j); }));
  }
  // 16 places, and the rows that meet one of them in a column.
  void add_rows_at(int64_t place, const Padded<T>& x, const T* rows, int64_t stride, int64_t width) const {
    const int64_t first = std::max<int64_t>(0, kSpanOrigin - (kDiagonalRows - 1) - place),
                  end = std::min(at_.rows, kSpanOrigin - place + at_.keys);
    if (first >= end) return;
    add_product(kDiagonalRows, width, end - first,
                kn::by_columns(x.data + first * (Padded<T>::kStride + 1) + place - kSpanOrigin, Padded<T>::kStride + 1),
                RowStrips<T>{rows + first * stride, stride}, sums_ + place * width, width);
  }

  const Problem<T>& problem_;
  BlockPlace at_{};
  T *copy_ = nullptr, *panels_ = nullptr, *sums_ = nullptr;  // [kSpan][width]; 4 panels; [kSpan][width]
  T *scores_ = nullptr, *dweights_ = nullptr;                // [rows][kStride]
  static constexpr int64_t kNothing = INT64_MIN;
  const T* held_table_ = nullptr;  // whose entries are packed
  int64_t held_[kSpan / kPanel];   // the entry of place 0 of each panel, or kNothing
  int64_t first_slot_ = 0;         // the panel of the block's place 0
};

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#endif  // HEED_ATTENTION_ENGINE_RELATIVE_INL_H_
