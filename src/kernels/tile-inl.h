// The tile: a product of matrices that ends in registers. Every fused kernel (products, attention, recurrent cells,
// linear with loss) is a loop around it.
//
//   C(i,j) = Σ_k A(i,k) B(k,j),   i < rows, j < columns, k < depth
//
// A is read a scalar at a time and broadcast, by rows or by columns; B is read in whole vectors, from packed panels or
// from a plain matrix. C is never stored by the tile: each row of accumulators is handed to a copy of the caller's
// epilogue while it is in registers, and the epilogue adds a bias, takes an exponential, computes an LSTM's cell,
// stores or accumulates.
//
//   const hn::ScalableTag<float> d;
//   // C = A·B
//   product(rows, columns, depth, by_rows(a, a_stride), matrix(b, b_stride), store_to(d, c, c_stride));
//   // C += Aᵀ·B, B packed in panels (kernels/panels.h)
//   product(rows, columns, depth, by_columns(a, a_stride), panels(b, depth), add_to(d, c, c_stride));
//   // P = exp(A·B + bias): an epilogue of one's own, called for each vector of the result
//   product(rows, columns, depth, by_rows(a, depth), panels(b, depth),
//           per_vector([&](int64_t row, int64_t column, auto x, auto width) HWY_ATTR {
//             const auto y = Exp(d, hn::Add(x, width.load(d, bias + column)));
//             width.store(y, d, p + row * p_stride + column);
//           }));
//   // An epilogue that wants the vectors of a row together (the four gates of an LSTM, a row's sum) is called as
//   //   epilogue(row, column, x, width)   with an array x of 1 to Shape::kVectors vectors;
//   // the last of them holds width.lanes(d) columns. If it has a member prefetch(row, column, lines), that is
//   // called for each row before the sum starts.
//
// `product<Shape, Columns::whole>` promises that columns is a multiple of the tile's width, and compiles six tiles in
// place of thirty: fused kernels whose panels are padded want it; `Columns::vectors` that it is one of a vector's.
// Nothing is read past the last column of a plain matrix, nor beyond the padding of a panel.
#include <cstdint>
#include <type_traits>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "kernels/pairs-inl.h"
#include "kernels/panels.h"

#if defined(HEED_KERNELS_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_TILE_INL_H_
#undef HEED_KERNELS_TILE_INL_H_
#else
#define HEED_KERNELS_TILE_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// ---- its shape ---------------------------------------------------------------------------------------------

// Accumulators of a tile: rows × vectors. 24 of 32 registers leave room for a row of B and a scalar of A; so do 12
// of 16.
template <int rows, int vectors>
struct Shape {
  static constexpr int kRows = rows, kVectors = vectors;
};
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
using BestShape = Shape<6, 4>;
#else
using BestShape = Shape<6, 2>;
#endif

// ---- what the tile multiplies -----------------------------------------------------------------------------

// Numbers, whose sums are of their kind, or pairs of bf16, whose sums are f32.
template <class T>
using SumOf = std::conditional_t<std::is_same_v<T, Bf16Pair>, float, T>;
template <class T>
HWY_INLINE const SumOf<T>* lanes_at(const T* from) {
  if constexpr (std::is_same_v<T, Bf16Pair>)
    return &from->bits;
  else
    return from;
}
template <class T>
HWY_INLINE SumOf<T> number(const T& x) {
  return *lanes_at(&x);
}
// sum + a·b
template <class T, class V>
HWY_INLINE V multiply_add(V a, V b, V sum) {
  if constexpr (std::is_same_v<T, Bf16Pair>)
    return add_pair_products(a, b, sum);
  else
    return hn::MulAdd(a, b, sum);
}

// ---- what the tile reads ----------------------------------------------------------------------------------

// A(i,k) = data[i·stride + k]
template <class T>
struct ByRows {
  const T* data;
  int64_t stride;
  HWY_INLINE ByRows from_row(int64_t i) const { return {data + i * stride, stride}; }
  template <int kRows>
  struct Cursor {  // on A(·,k) of so many rows, k from 0 on
    const T* row[kRows];
    int64_t k = 0;
    HWY_INLINE explicit Cursor(const ByRows& a) {
      HWY_UNROLL(8) for (int r = 0; r < kRows; ++r) row[r] = a.data + r * a.stride;
    }
    HWY_INLINE T get(int r) const { return row[r][k]; }
    HWY_INLINE void next() { ++k; }
  };
};
// A(i,k) = data[k·stride + i]
template <class T>
struct ByColumns {
  const T* data;
  int64_t stride;
  HWY_INLINE ByColumns from_row(int64_t i) const { return {data + i, stride}; }
  template <int kRows>
  struct Cursor {
    const T* at;
    int64_t stride;
    HWY_INLINE explicit Cursor(const ByColumns& a) : at(a.data), stride(a.stride) {}
    HWY_INLINE T get(int r) const { return at[r]; }
    HWY_INLINE void next() { at += stride; }
  };
};
template <class T>
HWY_INLINE ByRows<T> by_rows(const T* data, int64_t stride) {
  return {data, stride};
}
template <class T>
HWY_INLINE ByColumns<T> by_columns(const T* data, int64_t stride) {
  return {data, stride};
}

// B(k,j) = data[k·stride + j]
template <class T>
struct Matrix {
  using Value = T;
  const T* data;
  int64_t stride;
  HWY_INLINE const T* column(int64_t j) const { return data + j; }
  HWY_INLINE int64_t row_stride() const { return stride; }
};
// B(k,j) = data[strip_column(first + j, depth, W) + k·W]; no tile may reach over the end of a strip.
template <class T>
struct Panels {
  using Value = T;
  static constexpr int64_t kStrip = BestShape::kVectors * HWY_LANES(SumOf<T>);
  const T* data;
  int64_t depth, first = 0;
  HWY_INLINE const T* column(int64_t j) const { return data + strip_column(first + j, depth, kStrip); }
  HWY_INLINE int64_t row_stride() const { return kStrip; }
  HWY_INLINE Panels from_column(int64_t j) const { return {data, depth, first + j}; }
};
template <class T>
HWY_INLINE Matrix<T> matrix(const T* data, int64_t stride) {
  return {data, stride};
}
template <class T>
HWY_INLINE Panels<T> panels(const T* data, int64_t depth) {
  return {data, depth};
}

// ---- how wide the last vector of a row is -----------------------------------------------------------------

struct WholeVector {
  template <class D>
  HWY_INLINE hn::Vec<D> load(D d, const hn::TFromD<D>* from) const {
    return hn::LoadU(d, from);
  }
  template <class D>
  HWY_INLINE void store(hn::Vec<D> x, D d, hn::TFromD<D>* to) const {
    hn::StoreU(x, d, to);
  }
  template <class D>
  HWY_INLINE int64_t lanes(D d) const {
    return static_cast<int64_t>(hn::Lanes(d));
  }
};
struct PartVector {
  int64_t count;  // lanes that exist; the others are zero when loaded and not written when stored
  template <class D>
  HWY_INLINE hn::Vec<D> load(D d, const hn::TFromD<D>* from) const {
    return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(count)), d, from);
  }
  template <class D>
  HWY_INLINE void store(hn::Vec<D> x, D d, hn::TFromD<D>* to) const {
    hn::BlendedStore(x, hn::FirstN(d, static_cast<size_t>(count)), d, to);
  }
  template <class D>
  HWY_INLINE int64_t lanes(D) const {
    return count;
  }
};

// ---- epilogues --------------------------------------------------------------------------------------------

// f(row, column, x, width) for each vector x of the result.
template <class F>
struct PerVector {
  F f;
  template <class V, int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const V (&x)[kVectors], Width width) {
    constexpr int64_t kLanes = hn::MaxLanes(hn::DFromV<V>());
    HWY_UNROLL(8)
    for (int v = 0; v + 1 < kVectors; ++v) f(row, column + v * kLanes, x[v], WholeVector());
    f(row, column + (kVectors - 1) * kLanes, x[kVectors - 1], width);
  }
};
template <class F>
HWY_INLINE PerVector<F> per_vector(F f) {
  return {f};
}

// C = the product.
template <class D>
HWY_INLINE auto store_to(D d, hn::TFromD<D>* c, int64_t stride) {
  return per_vector([=](int64_t row, int64_t column, auto x, auto width)
                        HWY_ATTR { width.store(x, d, c + row * stride + column); });
}

// C += the product. The lines of C are fetched while the sum runs.
template <class D>
struct AddTo {
  D d;
  hn::TFromD<D>* c;
  int64_t stride;
  HWY_INLINE void prefetch(int64_t row, int64_t column, int lines) const {
    const char* line = reinterpret_cast<const char*>(c + row * stride + column);
    for (int i = 0; i < lines; ++i) hwy::Prefetch(line + 64 * i);
  }
  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const hn::Vec<D> (&x)[kVectors], Width width) const {
    per_vector([this](int64_t i, int64_t j, auto y, auto w) HWY_ATTR {
      hn::TFromD<D>* to = c + i * stride + j;
      w.store(hn::Add(y, w.load(d, to)), d, to);
    })(row, column, x, width);
  }
};
template <class D>
HWY_INLINE AddTo<D> add_to(D d, hn::TFromD<D>* c, int64_t stride) {
  return {d, c, stride};
}

// ---- the tile ---------------------------------------------------------------------------------------------
// C = the product or C += it, as is known only at run time.
template <class D>
struct StoreOrAdd {
  AddTo<D> to;
  bool add;
  HWY_INLINE void prefetch(int64_t row, int64_t column, int lines) const {
    if (add) to.prefetch(row, column, lines);
  }
  template <int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const hn::Vec<D> (&x)[kVectors], Width width) const {
    if (add) return to(row, column, x, width);
    store_to(to.d, to.c, to.stride)(row, column, x, width);
  }
};
template <class D>
HWY_INLINE StoreOrAdd<D> store_or_add(D d, hn::TFromD<D>* c, int64_t stride, bool add) {
  return {{d, c, stride}, add};
}

// Few accumulators would wait for each other: the sum over k is cut into so many, added at the end.
constexpr int separate_sums(int accumulators) { return accumulators >= 8 ? 1 : accumulators >= 4 ? 2 : 4; }

// Loads x once: g++ would load it anew for each of two or three rows, and the loads would be what limits the tile.
template <class V>
HWY_INLINE void keep_in_register(V& x) {
#if HWY_ARCH_X86 && (HWY_COMPILER_GCC || HWY_COMPILER_CLANG)
  asm("" : "+v"(x.raw));
#else
  (void)x;
#endif
}

// sum(r,v) += A(r,k) B(k,v) for the next k.
template <int kRows, int kVectors, class V, class Cursor, class T, class Width>
HWY_INLINE void add_next(V (&sum)[kRows][kVectors], Cursor& a, const T* HWY_RESTRICT& b, int64_t b_stride,
                         Width width) {
  const hn::ScalableTag<SumOf<T>> d;
  constexpr int64_t kLanes = hn::MaxLanes(d);
  V b_k[kVectors];
  HWY_UNROLL(8) for (int v = 0; v + 1 < kVectors; ++v) b_k[v] = hn::LoadU(d, lanes_at(b + v * kLanes));
  b_k[kVectors - 1] = width.load(d, lanes_at(b + (kVectors - 1) * kLanes));
  if constexpr (kRows == 2 || kRows == 3) HWY_UNROLL(8) for (int v = 0; v < kVectors; ++v) keep_in_register(b_k[v]);
  HWY_UNROLL(8) for (int r = 0; r < kRows; ++r) {
    const V a_rk = hn::Set(d, number(a.get(r)));
    HWY_UNROLL(8) for (int v = 0; v < kVectors; ++v) sum[r][v] = multiply_add<T>(a_rk, b_k[v], sum[r][v]);
  }
  a.next();
  b += b_stride;
}

// One tile of kRows × kVectors vectors. b points at the first column's B(0,·), b_stride from one k to the next. Not
// inlined: among other tiles g++ no longer finds the registers (.65 of the peak in place of .95).
template <int kRows, int kVectors, class A, class T, class Width, class Epilogue>
HWY_NOINLINE void tile(int64_t row, int64_t column, int64_t depth, A a, const T* HWY_RESTRICT b, int64_t b_stride,
                       Width width, Epilogue& epilogue) {
  const hn::ScalableTag<SumOf<T>> d;
  using V = hn::Vec<decltype(d)>;
  constexpr int64_t kLanes = hn::MaxLanes(d);
  constexpr int kSums = separate_sums(kRows * kVectors);
  V sum[kSums][kRows][kVectors];
  HWY_UNROLL(8) for (int r = 0; r < kRows; ++r) {
    if constexpr (requires { epilogue.prefetch(row, column, 1); })
      epilogue.prefetch(row + r, column, static_cast<int>((kVectors * kLanes * sizeof(T) + 63) / 64));
    HWY_UNROLL(8)
    for (int v = 0; v < kVectors; ++v) HWY_UNROLL(4) for (int s = 0; s < kSums; ++s) sum[s][r][v] = hn::Zero(d);
  }
  typename A::template Cursor<kRows> cursor(a);
  int64_t left = depth;
  for (; left >= kSums; left -= kSums)
    HWY_UNROLL(4) for (int s = 0; s < kSums; ++s) add_next(sum[s], cursor, b, b_stride, width);
  if constexpr (kSums > 1)
    for (; left > 0; --left) add_next(sum[0], cursor, b, b_stride, width);
  Epilogue own = epilogue;  // to which nothing else points: its members stay in registers from store to store
  HWY_UNROLL(8) for (int r = 0; r < kRows; ++r) {
    HWY_UNROLL(8)
    for (int v = 0; v < kVectors; ++v)
      HWY_UNROLL(4) for (int s = 1; s < kSums; ++s) sum[0][r][v] = hn::Add(sum[0][r][v], sum[s][r][v]);
    own(row + r, column, sum[0][r], width);
  }
}

// ---- any number of rows and columns -----------------------------------------------------------------------

// Seven to eleven rows make two tiles of about the same height, since tiles of one or two rows are slow.
template <int kRows>
HWY_INLINE int64_t rows_of_next_tile(int64_t left) {
  return left <= kRows ? left : left >= 2 * kRows ? kRows : (left + 1) / 2;
}

// All rows of a column of tiles.
template <class Shape, int kVectors, class A, class T, class Width, class Epilogue>
HWY_INLINE void tile_rows(int64_t rows, int64_t column, int64_t depth, A a, const T* b, int64_t b_stride, Width width,
                          Epilogue& epilogue) {
  static_assert(Shape::kRows <= 6);
  for (int64_t row = 0; row < rows;) {
    const int64_t now = rows_of_next_tile<Shape::kRows>(rows - row);
    const auto run = [&](auto count) HWY_ATTR {
      if constexpr (count() <= Shape::kRows)
        tile<count(), kVectors>(row, column, depth, a.from_row(row), b, b_stride, width, epilogue);
    };
    switch (now) {
      case 1: run(std::integral_constant<int, 1>()); break;
      case 2: run(std::integral_constant<int, 2>()); break;
      case 3: run(std::integral_constant<int, 3>()); break;
      case 4: run(std::integral_constant<int, 4>()); break;
      case 5: run(std::integral_constant<int, 5>()); break;
      case 6: run(std::integral_constant<int, 6>()); break;
    }
    row += now;
  }
}

enum class Columns { any, vectors, whole };

// The last columns, fewer than a tile's; the last of their vectors is `width` wide.
template <class Shape, class A, class B, class Width, class Epilogue>
HWY_INLINE void last_columns(int64_t rows, int64_t column, int64_t vectors, int64_t depth, const A& a, const B& b,
                             Width width, Epilogue& epilogue) {
  const auto run = [&](auto count) HWY_ATTR {
    if constexpr (count() <= Shape::kVectors)
      tile_rows<Shape, count()>(rows, column, depth, a, b.column(column), b.row_stride(), width, epilogue);
  };
  switch (vectors) {
    case 1: run(std::integral_constant<int, 1>()); break;
    case 2: run(std::integral_constant<int, 2>()); break;
    case 3: run(std::integral_constant<int, 3>()); break;
    case 4: run(std::integral_constant<int, 4>()); break;
  }
}

// The whole product: for each column of tiles all rows, so that a panel of B stays in the first cache.
template <class Shape = BestShape, Columns kColumns = Columns::any, class A, class B, class Epilogue>
HWY_INLINE void product(int64_t rows, int64_t columns, int64_t depth, const A& a, const B& b, Epilogue&& epilogue) {
  static_assert(Shape::kVectors <= 4);
  constexpr int64_t kLanes = hn::MaxLanes(hn::ScalableTag<SumOf<typename B::Value>>()),
                    kWidth = Shape::kVectors * kLanes;
  int64_t column = 0;
  for (; column + kWidth <= columns; column += kWidth)
    tile_rows<Shape, Shape::kVectors>(rows, column, depth, a, b.column(column), b.row_stride(), WholeVector(),
                                      epilogue);
  if (kColumns == Columns::whole || column == columns) return;
  const int64_t vectors = (columns - column + kLanes - 1) / kLanes;
  if constexpr (kColumns == Columns::vectors)
    last_columns<Shape>(rows, column, vectors, depth, a, b, WholeVector(), epilogue);
  if constexpr (kColumns == Columns::any)
    last_columns<Shape>(rows, column, vectors, depth, a, b, PartVector{columns - column - (vectors - 1) * kLanes},
                        epilogue);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#endif  // HEED_KERNELS_TILE_INL_H_
