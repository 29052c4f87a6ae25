// Goto & van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34 (2008), on the tile: B is
// packed into panels of 64 columns, a block of A stays in the second cache while all panels pass by. Small products
// skip the packing, products of few rows with a transposed matrix are inner products of contiguous rows.
#include "kernels/products.h"

#include <algorithm>

#include "base/threads.h"
#include "kernels/panels.h"
#include "kernels/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/products.cc"
#include "hwy/foreach_target.h"
#include "kernels/tile-inl.h"

#ifndef HEED_KERNELS_PRODUCTS_ONCE
#define HEED_KERNELS_PRODUCTS_ONCE
namespace heed::kernels {

// 512 deep: a panel is 128 KB, a block of A at most 344 KB, together half of a second cache of 1 MB; so C is read and
// written once in 512 multiply-adds. 4096 columns: the packed panels are 8 MB of the third cache.
inline constexpr int64_t kDepthBlock = 512, kRowBlock = 168, kColumnBlock = 4096;
// Below so many multiply-adds (some ten microseconds of one core) a second thread costs more than it brings.
inline constexpr int64_t kThreadWork = int64_t{1} << 20;
// B of so many bytes is read as it is, without packing.
inline constexpr int64_t kDirectBytes = 128 << 10;
inline constexpr int64_t kInnerRows = 8;  // up to so many rows, inner products beat packing a transposed matrix
inline constexpr int64_t kDirectRows = 24;

inline constexpr int64_t kPanel = -1;  // in place of B's stride: it is a panel

constexpr int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }
template <class T>
int64_t multiply_adds(const Product<T>& p) {
  return p.rows * p.columns * p.depth;
}

// How n is cut into equal blocks: an even number, so that two threads share them well.
struct Cut {
  int64_t n, size;
  Cut(int64_t total, int64_t most)
      : n(total),
        size(std::max<int64_t>(1, total <= most / 2 ? total : ceil_divide(total, 2 * ceil_divide(total, 2 * most)))) {}
  int64_t count() const { return ceil_divide(n, size); }
  int64_t begin(int64_t i) const { return i * size; }
  int64_t length(int64_t i) const { return std::min(size, n - i * size); }
};

}  // namespace heed::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

// One tile product: a panel of B or, where it has a stride, all of it as it is, and A by rows or by columns.
template <class T>
void block_product(int64_t rows, int64_t columns, int64_t depth, const Factor<T>& a, const T* b, int64_t b_stride, T* c,
                   int64_t c_stride, bool add) {
  const auto with = [&](const auto& right) HWY_ATTR {
    const auto epilogue = store_or_add(hn::ScalableTag<T>(), c, c_stride, add);
    if (a.transposed)
      product(rows, columns, depth, by_columns(a.data, a.stride), right, epilogue);
    else
      product(rows, columns, depth, by_rows(a.data, a.stride), right, epilogue);
  };
  b_stride == kPanel ? with(panels(b, depth)) : with(matrix(b, b_stride));
}
void block_product_f32(int64_t rows, int64_t columns, int64_t depth, const Factor<float>& a, const float* b,
                       int64_t b_stride, float* c, int64_t c_stride, bool add) {
  block_product(rows, columns, depth, a, b, b_stride, c, c_stride, add);
}
void block_product_f64(int64_t rows, int64_t columns, int64_t depth, const Factor<double>& a, const double* b,
                       int64_t b_stride, double* c, int64_t c_stride, bool add) {
  block_product(rows, columns, depth, a, b, b_stride, c, c_stride, add);
}

// out[i·out_x + j·out_y] (+)= Σ_k x(i,k) y(j,k) for kX rows of x and kY rows of y, both contiguous in k.
template <int kX, int kY, class T>
HWY_INLINE void inner_tile(const T* x, int64_t x_stride, const T* y, int64_t y_stride, int64_t depth, T* out,
                           int64_t out_x, int64_t out_y, bool add) {
  const hn::ScalableTag<T> d;
  constexpr int64_t kLanes = hn::MaxLanes(d);
  hn::Vec<decltype(d)> sum[kX][kY];
  HWY_UNROLL(4) for (int i = 0; i < kX; ++i) HWY_UNROLL(4) for (int j = 0; j < kY; ++j) sum[i][j] = hn::Zero(d);
  const auto step = [&](int64_t k, auto width) HWY_ATTR {
    hn::Vec<decltype(d)> x_k[kX];
    HWY_UNROLL(4) for (int i = 0; i < kX; ++i) x_k[i] = width.load(d, x + i * x_stride + k);
    HWY_UNROLL(4) for (int j = 0; j < kY; ++j) {
      const auto y_jk = width.load(d, y + j * y_stride + k);
      HWY_UNROLL(4) for (int i = 0; i < kX; ++i) sum[i][j] = hn::MulAdd(x_k[i], y_jk, sum[i][j]);
    }
  };
  int64_t k = 0;
  for (; k + kLanes <= depth; k += kLanes) step(k, WholeVector());
  if (k < depth) step(k, PartVector{depth - k});
  HWY_UNROLL(4) for (int i = 0; i < kX; ++i) HWY_UNROLL(4) for (int j = 0; j < kY; ++j) {
    T& to = out[i * out_x + j * out_y];
    to = hn::GetLane(hn::SumOfLanes(d, sum[i][j])) + (add ? to : T{0});
  }
}

template <int kY, class T>
HWY_INLINE void inner_rows(int64_t x_rows, const T* x, int64_t x_stride, const T* y, int64_t y_stride, int64_t depth,
                           T* out, int64_t out_x, int64_t out_y, bool add) {
  int64_t i = 0;
  for (; i + 2 <= x_rows; i += 2)
    inner_tile<2, kY>(x + i * x_stride, x_stride, y, y_stride, depth, out + i * out_x, out_x, out_y, add);
  if (i < x_rows) inner_tile<1, kY>(x + i * x_stride, x_stride, y, y_stride, depth, out + i * out_x, out_x, out_y, add);
}

// Few rows of x with all rows of y.
template <class T>
void inner(int64_t x_rows, const Factor<T>& x, int64_t y_rows, const Factor<T>& y, int64_t depth, T* out, int64_t out_x,
           int64_t out_y, bool add) {
  int64_t j = 0;
  for (; j + 4 <= y_rows; j += 4)
    inner_rows<4>(x_rows, x.data, x.stride, y.data + j * y.stride, y.stride, depth, out + j * out_y, out_x, out_y, add);
  for (; j < y_rows; ++j)
    inner_rows<1>(x_rows, x.data, x.stride, y.data + j * y.stride, y.stride, depth, out + j * out_y, out_x, out_y, add);
}
void inner_f32(int64_t x_rows, const Factor<float>& x, int64_t y_rows, const Factor<float>& y, int64_t depth,
               float* out, int64_t out_x, int64_t out_y, bool add) {
  inner(x_rows, x, y_rows, y, depth, out, out_x, out_y, add);
}
void inner_f64(int64_t x_rows, const Factor<double>& x, int64_t y_rows, const Factor<double>& y, int64_t depth,
               double* out, int64_t out_x, int64_t out_y, bool add) {
  inner(x_rows, x, y_rows, y, depth, out, out_x, out_y, add);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace {

HWY_EXPORT(block_product_f32);
HWY_EXPORT(block_product_f64);
HWY_EXPORT(inner_f32);
HWY_EXPORT(inner_f64);

template <class T>
constexpr bool kSingle = sizeof(T) == sizeof(float);

template <class T>
bool finishes(const Product<T>& p) {
  return p.bias != nullptr || p.activation != Activation::none;
}
// Bias and activation of a block of C that is still in the first or second cache.
template <class T>
void finish(const Product<T>& p, int64_t row, int64_t rows, int64_t column, int64_t columns) {
  if (!finishes(p)) return;
  add_bias_activate(rows, columns, p.c + row * p.c_stride + column, p.c_stride, p.bias ? p.bias + column : nullptr,
                    p.activation);
}

template <class T>
void run_block(int64_t rows, int64_t columns, int64_t depth, const Factor<T>& a, const T* b, int64_t b_stride, T* c,
               int64_t c_stride, bool add) {
  if constexpr (kSingle<T>)
    HWY_DYNAMIC_DISPATCH(block_product_f32)(rows, columns, depth, a, b, b_stride, c, c_stride, add);
  else
    HWY_DYNAMIC_DISPATCH(block_product_f64)(rows, columns, depth, a, b, b_stride, c, c_stride, add);
}

// ---- small products: nothing is packed --------------------------------------------------------------------

template <class T>
void multiply_direct(const Product<T>& p) {
  const Cut rows(p.rows, kRowBlock);
  const Cut columns(p.columns, rows.count() > 1 ? p.columns : std::max<int64_t>(64, ceil_divide(p.columns, 128) * 64));
  const int64_t items = rows.count() * columns.count();
  parallel(items, multiply_adds(p) < kThreadWork ? items : 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t r = i % rows.count(), c = i / rows.count(), row = rows.begin(r), column = columns.begin(c);
      run_block(rows.length(r), columns.length(c), p.depth, p.a.from(row, 0), p.b.data + column, p.b.stride,
                p.c + row * p.c_stride + column, p.c_stride, p.accumulate);
      finish(p, row, rows.length(r), column, columns.length(c));
    }
  });
}

// ---- few rows, or few columns: inner products -------------------------------------------------------------

template <class T>
void run_inner(int64_t x_rows, const Factor<T>& x, int64_t y_rows, const Factor<T>& y, int64_t depth, T* out,
               int64_t out_x, int64_t out_y, bool add) {
  if constexpr (kSingle<T>)
    HWY_DYNAMIC_DISPATCH(inner_f32)(x_rows, x, y_rows, y, depth, out, out_x, out_y, add);
  else
    HWY_DYNAMIC_DISPATCH(inner_f64)(x_rows, x, y_rows, y, depth, out, out_x, out_y, add);
}

// body(begin, end) over n rows of y, in parts of whole tiles of four.
template <class T, class Body>
void each_four(const Product<T>& p, int64_t n, const Body& body) {
  const int64_t fours = ceil_divide(n, 4);
  parallel(fours, multiply_adds(p) < kThreadWork ? fours : 1,
           [&](int64_t begin, int64_t end) { body(begin * 4, std::min(n, end * 4)); });
}

template <class T>
void multiply_few_rows(const Product<T>& p) {
  each_four(p, p.columns, [&](int64_t begin, int64_t end) {
    run_inner(p.rows, p.a, end - begin, {p.b.data + begin * p.b.stride, p.b.stride}, p.depth, p.c + begin, p.c_stride,
              int64_t{1}, p.accumulate);
    finish(p, 0, p.rows, begin, end - begin);
  });
}

template <class T>
void multiply_few_columns(const Product<T>& p) {
  struct Columns;
  T* b = scratch<Columns, T>(p.columns * p.depth);
  for (int64_t j = 0; j < p.columns; ++j)
    for (int64_t k = 0; k < p.depth; ++k) b[j * p.depth + k] = *p.b.from(k, j).data;
  each_four(p, p.rows, [&](int64_t begin, int64_t end) {
    run_inner(p.columns, {b, p.depth}, end - begin, p.a.from(begin, 0), p.depth, p.c + begin * p.c_stride, int64_t{1},
              p.c_stride, p.accumulate);
    finish(p, begin, end - begin, 0, p.columns);
  });
}

// ---- large products ---------------------------------------------------------------------------------------

// A block of A as the tile likes it: close together, rows off powers of two. Not worth it for a few panels.
template <class T>
Factor<T> compact(const Factor<T>& a, int64_t rows, int64_t depth, int64_t columns) {
  const int64_t across = a.transposed ? depth : rows, along = a.transposed ? rows : depth, stride = along + 16;
  if (columns < 4 * kPanelWidth || (a.stride <= stride && a.stride % 64 != 0)) return a;
  struct BlockOfA;
  T* to = scratch<BlockOfA, T>(across * stride);
  for (int64_t i = 0; i < across; ++i) std::copy_n(a.data + i * a.stride, along, to + i * stride);
  return {to, stride, a.transposed};
}

// One pass: columns [column, column + columns) over depths [depth_begin, depth_begin + depth), B packed.
template <class T>
struct Pass {
  int64_t column, columns, depth_begin, depth;
  const T* panels;
  bool first, last;
};

template <class T>
void pack_pass(const Product<T>& p, const Pass<T>& pass, T* panels) {
  parallel(ceil_divide(pass.columns, kPanelWidth), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Factor<T> b = p.b.from(pass.depth_begin, pass.column + i * kPanelWidth);
      const int64_t columns = std::min(kPanelWidth, pass.columns - i * kPanelWidth);
      pack_panel(b, pass.depth, columns, panels + i * kPanelWidth * pass.depth);
    }
  });
}

// Rows [row, row + rows) with the panels [begin, end) of a pass.
template <class T>
void multiply_panels(const Product<T>& p, const Pass<T>& pass, int64_t row, int64_t rows, int64_t begin, int64_t end) {
  const Factor<T> a = compact(p.a.from(row, pass.depth_begin), rows, pass.depth, (end - begin) * kPanelWidth);
  for (int64_t i = begin; i < end; ++i) {
    const int64_t column = pass.column + i * kPanelWidth;
    const int64_t columns = std::min(kPanelWidth, pass.columns - i * kPanelWidth);
    run_block(rows, columns, pass.depth, a, pass.panels + i * kPanelWidth * pass.depth, kPanel,
              p.c + row * p.c_stride + column, p.c_stride, p.accumulate || !pass.first);
    if (pass.last) finish(p, row, rows, column, columns);
  }
}

template <class T>
void run_pass(const Product<T>& p, const Pass<T>& pass) {
  const Cut rows(p.rows, kRowBlock);
  const int64_t panels = ceil_divide(pass.columns, kPanelWidth);
  // Where the rows are one block, the threads share its panels.
  const Cut groups(panels, rows.count() > 1 ? 2 * panels : std::min<int64_t>(panels, 8));
  const int64_t items = rows.count() * groups.count();
  parallel(items, p.rows * pass.columns * pass.depth < kThreadWork ? items : 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t r = i / groups.count(), g = i % groups.count();
      multiply_panels(p, pass, rows.begin(r), rows.length(r), groups.begin(g), groups.begin(g) + groups.length(g));
    }
  });
}

template <class T>
void multiply_packed(const Product<T>& p) {
  const int64_t depth_blocks = ceil_divide(p.depth, kDepthBlock), depth = ceil_divide(p.depth, depth_blocks);
  const int64_t widest = ceil_divide(std::min(p.columns, kColumnBlock), kPanelWidth) * kPanelWidth;
  struct PanelsOfB;
  T* panels = scratch<PanelsOfB, T>(widest * depth);
  for (int64_t column = 0; column < p.columns; column += kColumnBlock)
    for (int64_t k = 0; k < p.depth; k += depth) {
      const Pass<T> pass{column,
                         std::min(kColumnBlock, p.columns - column),
                         k,
                         std::min(depth, p.depth - k),
                         panels,
                         k == 0,
                         k + depth >= p.depth};
      pack_pass(p, pass, panels);
      run_pass(p, pass);
    }
}

// ---- which way --------------------------------------------------------------------------------------------

template <class T>
void multiply_one(const Product<T>& p) {
  if (p.rows <= kInnerRows && p.b.transposed && !p.a.transposed) return multiply_few_rows(p);
  if (p.columns <= kInnerRows && p.rows > kInnerRows && !p.a.transposed) return multiply_few_columns(p);
  const int64_t b_bytes = p.depth * p.columns * static_cast<int64_t>(sizeof(T));
  if (p.depth == 0 || (!p.b.transposed && (p.rows <= kDirectRows || b_bytes <= kDirectBytes)))
    return multiply_direct(p);
  multiply_packed(p);
}

template <class T>
Product<T> item(const Product<T>& p, int64_t i) {
  Product<T> one = p;
  one.a.data += i * p.a.batch_stride, one.b.data += i * p.b.batch_stride, one.c += i * p.c_batch_stride;
  return one;
}

// A batch that shares B and whose rows of A and C follow each other is one product of more rows.
template <class T>
bool is_one_product(const Product<T>& p) {
  return p.b.batch_stride == 0 && !p.a.transposed && p.a.batch_stride == p.rows * p.a.stride &&
         p.c_batch_stride == p.rows * p.c_stride;
}

template <class T>
void multiply_any(const Product<T>& p) {
  if (p.rows <= 0 || p.columns <= 0 || p.batch <= 0) return;
  if (p.batch == 1) return multiply_one(p);
  if (is_one_product(p)) {
    Product<T> one = p;
    one.rows *= p.batch;
    return multiply_one(one);
  }
  const int64_t grain = std::max<int64_t>(1, kThreadWork / std::max<int64_t>(1, multiply_adds(p)));
  parallel(p.batch, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) multiply_one(item(p, i));
  });
}

}  // namespace

void multiply(const Product<float>& product) { multiply_any(product); }
void multiply(const Product<double>& product) { multiply_any(product); }

}  // namespace heed::kernels
#endif
