#include "kernels/elementwise.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise.cc"
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/streaming.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

struct Add {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Add(a, b);
  }
};
struct Subtract {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Sub(a, b);
  }
};
struct Multiply {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Mul(a, b);
  }
};
struct Divide {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Div(a, b);
  }
};
// The processor's own minimum drops a NaN on the left.
struct Minimum {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::IfThenElse(hn::IsNaN(a), a, hn::IfThenElse(hn::IsNaN(b), b, hn::Min(a, b)));
  }
};
struct Maximum {
  template <class D, class V>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::IfThenElse(hn::IsNaN(a), a, hn::IfThenElse(hn::IsNaN(b), b, hn::Max(a, b)));
  }
};

// An input of a row: its elements, or one that is repeated.
template <class T>
struct Elements {
  const T* data;
  template <class D>
  HWY_INLINE hn::Vec<D> load(D d, int64_t i) const {
    return hn::LoadU(d, data + i);
  }
  HWY_INLINE T get(int64_t i) const { return data[i]; }
};
template <class T>
struct Repeated {
  const T* data;
  template <class D>
  HWY_INLINE hn::Vec<D> load(D d, int64_t) const {
    return hn::Set(d, *data);
  }
  HWY_INLINE T get(int64_t) const { return *data; }
};

template <class Op, class T, class A, class B>
HWY_INLINE void one(A a, B b, T* out, int64_t i) {
  const hn::CappedTag<T, 1> d;
  hn::StoreU(Op::apply(d, hn::Set(d, a.get(i)), hn::Set(d, b.get(i))), d, out + i);
}

// A whole row; with `stream` past the caches, from the first aligned element on.
template <class Op, class T, class A, class B>
HWY_INLINE void row(A a, B b, T* HWY_RESTRICT out, int64_t n, bool stream) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  if (stream) {
    for (; i < n && reinterpret_cast<uintptr_t>(out + i) % (sizeof(T) * static_cast<size_t>(lanes)) != 0; ++i)
      one<Op>(a, b, out, i);
    for (; i + lanes <= n; i += lanes) hn::Stream(Op::apply(d, a.load(d, i), b.load(d, i)), d, out + i);
  } else {
    for (; i + lanes <= n; i += lanes) hn::StoreU(Op::apply(d, a.load(d, i), b.load(d, i)), d, out + i);
  }
  for (; i < n; ++i) one<Op>(a, b, out, i);
}

template <class Op, class T>
void walk_all(const Strides<2>& strides, const T* a, const T* b, T* out, bool stream) {
  for_pieces(strides, [&](const Piece<2>& piece) HWY_ATTR {
    const auto [a_step, b_step] = piece.step;
    const T *a_row = a + piece.at[0], *b_row = b + piece.at[1];
    T* to = out + piece.first;
    if (a_step == 1 && b_step == 1)
      row<Op>(Elements<T>{a_row}, Elements<T>{b_row}, to, piece.n, stream);
    else if (a_step == 1 && b_step == 0)
      row<Op>(Elements<T>{a_row}, Repeated<T>{b_row}, to, piece.n, stream);
    else if (a_step == 0 && b_step == 1)
      row<Op>(Repeated<T>{a_row}, Elements<T>{b_row}, to, piece.n, stream);
    else
      for (int64_t i = 0; i < piece.n; ++i)
        one<Op>(Repeated<T>{a_row + i * a_step}, Repeated<T>{b_row + i * b_step}, to + i, 0);
    if (stream) hwy::FlushStream();
  });
}

template <class T>
void BinaryWalk(Binary op, const Strides<2>& strides, const T* a, const T* b, T* out) {
  const bool stream = streams(out, strides.count(), out == a || out == b);
  switch (op) {
    case Binary::add: return walk_all<Add>(strides, a, b, out, stream);
    case Binary::subtract: return walk_all<Subtract>(strides, a, b, out, stream);
    case Binary::multiply: return walk_all<Multiply>(strides, a, b, out, stream);
    case Binary::divide: return walk_all<Divide>(strides, a, b, out, stream);
    case Binary::minimum: return walk_all<Minimum>(strides, a, b, out, stream);
    case Binary::maximum: return walk_all<Maximum>(strides, a, b, out, stream);
    case Binary::power: return;  // not by vectors
  }
}

void BinaryFloat(Binary op, const Strides<2>& s, const float* a, const float* b, float* out) {
  BinaryWalk(op, s, a, b, out);
}
void BinaryDouble(Binary op, const Strides<2>& s, const double* a, const double* b, double* out) {
  BinaryWalk(op, s, a, b, out);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace {

HWY_EXPORT(BinaryFloat);
HWY_EXPORT(BinaryDouble);

void vectors(Binary op, const Strides<2>& s, const float* a, const float* b, float* out) {
  HWY_DYNAMIC_DISPATCH(BinaryFloat)(op, s, a, b, out);
}
void vectors(Binary op, const Strides<2>& s, const double* a, const double* b, double* out) {
  HWY_DYNAMIC_DISPATCH(BinaryDouble)(op, s, a, b, out);
}

// out = f(a, b) in plain loops, which the compiler turns into vectors where a step is 0 or 1.
template <class A, class Out, class F>
void plain(const Strides<2>& strides, const A* a, const A* b, Out* out, const F& f) {
  for_pieces(strides, [&](const Piece<2>& piece) {
    const auto [a_step, b_step] = piece.step;
    const A *a_row = a + piece.at[0], *b_row = b + piece.at[1];
    Out* to = out + piece.first;
    if (a_step == 1 && b_step == 1)
      for (int64_t i = 0; i < piece.n; ++i) to[i] = f(a_row[i], b_row[i]);
    else if (a_step == 1 && b_step == 0)
      for (int64_t i = 0; i < piece.n; ++i) to[i] = f(a_row[i], *b_row);
    else
      for (int64_t i = 0; i < piece.n; ++i) to[i] = f(a_row[i * a_step], b_row[i * b_step]);
  });
}

}  // namespace

template <class T>
void binary(Binary op, const Strides<2>& strides, const T* a, const T* b, T* out) {
  if (op == Binary::power) return plain(strides, a, b, out, [](T x, T y) { return std::pow(x, y); });
  vectors(op, strides, a, b, out);
}
template void binary(Binary, const Strides<2>&, const float*, const float*, float*);
template void binary(Binary, const Strides<2>&, const double*, const double*, double*);

template <class T>
void compare(Compare op, const Strides<2>& strides, const T* a, const T* b, bool* out) {
  switch (op) {
    case Compare::equal: return plain(strides, a, b, out, [](T x, T y) { return x == y; });
    case Compare::not_equal: return plain(strides, a, b, out, [](T x, T y) { return x != y; });
    case Compare::less: return plain(strides, a, b, out, [](T x, T y) { return x < y; });
    case Compare::less_equal: return plain(strides, a, b, out, [](T x, T y) { return x <= y; });
    case Compare::greater: return plain(strides, a, b, out, [](T x, T y) { return x > y; });
    case Compare::greater_equal: return plain(strides, a, b, out, [](T x, T y) { return x >= y; });
  }
}
template void compare(Compare, const Strides<2>&, const float*, const float*, bool*);
template void compare(Compare, const Strides<2>&, const double*, const double*, bool*);
template void compare(Compare, const Strides<2>&, const int64_t*, const int64_t*, bool*);
template void compare(Compare, const Strides<2>&, const int32_t*, const int32_t*, bool*);
template void compare(Compare, const Strides<2>&, const uint8_t*, const uint8_t*, bool*);

void logical(Logical op, const Strides<2>& strides, const bool* a, const bool* b, bool* out) {
  switch (op) {
    case Logical::both: return plain(strides, a, b, out, [](bool x, bool y) { return x && y; });
    case Logical::either: return plain(strides, a, b, out, [](bool x, bool y) { return x || y; });
    case Logical::one: return plain(strides, a, b, out, [](bool x, bool y) { return x != y; });
  }
}

void logical_not(const bool* x, bool* out, int64_t n) {
  parallel(n, 1 << 16, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) out[i] = !x[i];
  });
}

template <class T>
void choose(const Strides<3>& strides, const bool* condition, const T* a, const T* b, T* out) {
  for_pieces(strides, [&](const Piece<3>& piece) {
    const auto [c_step, a_step, b_step] = piece.step;
    const bool* c_row = condition + piece.at[0];
    const T *a_row = a + piece.at[1], *b_row = b + piece.at[2];
    T* to = out + piece.first;
    if (c_step == 1 && a_step == 1 && b_step == 1)
      for (int64_t i = 0; i < piece.n; ++i) to[i] = c_row[i] ? a_row[i] : b_row[i];
    else
      for (int64_t i = 0; i < piece.n; ++i) to[i] = c_row[i * c_step] ? a_row[i * a_step] : b_row[i * b_step];
  });
}
template void choose(const Strides<3>&, const bool*, const float*, const float*, float*);
template void choose(const Strides<3>&, const bool*, const double*, const double*, double*);
template void choose(const Strides<3>&, const bool*, const int64_t*, const int64_t*, int64_t*);
template void choose(const Strides<3>&, const bool*, const int32_t*, const int32_t*, int32_t*);
template void choose(const Strides<3>&, const bool*, const uint16_t*, const uint16_t*, uint16_t*);
template void choose(const Strides<3>&, const bool*, const uint8_t*, const uint8_t*, uint8_t*);

template <class T>
void clamp(const T* x, T* out, int64_t n, double low, double high) {
  parallel(n, 1 << 14, [=, low = static_cast<T>(low), high = static_cast<T>(high)](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) out[i] = x[i] < low ? low : x[i] > high ? high : x[i];
  });
}
template void clamp(const float*, float*, int64_t, double, double);
template void clamp(const double*, double*, int64_t, double, double);

template <class T>
void clamp_backward(const T* x, const T* dy, T* dx, int64_t n, double low, double high) {
  parallel(n, 1 << 14, [=, low = static_cast<T>(low), high = static_cast<T>(high)](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) dx[i] = x[i] >= low && x[i] <= high ? dy[i] : T(0);
  });
}
template void clamp_backward(const float*, const float*, float*, int64_t, double, double);
template void clamp_backward(const double*, const double*, double*, int64_t, double, double);

template <class T>
void accumulate(const T* x, T* out, int64_t n) {
  Strides<2> flat{.rank = 1};
  flat.shape[0] = n, flat.stride[0][0] = 1, flat.stride[1][0] = 1;
  binary(Binary::add, flat, out, x, out);
}
template void accumulate(const float*, float*, int64_t);
template void accumulate(const double*, double*, int64_t);

}  // namespace heed::kernels
#endif
