#include "kernels/recurrent_cell.h"

#include "base/runtime.h"
#include "base/threads.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/recurrent_cell.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/arrays-inl.h"
#include "kernels/exponential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

// x (1 − x), 1 − x²
template <class D, class V = hn::Vec<D>>
HWY_INLINE V sigmoid_slope(D, V y) {
  return hn::NegMulAdd(y, y, y);
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V tanh_slope(D d, V y) {
  return hn::NegMulAdd(y, y, hn::Set(d, 1));
}

// c' = f c + i g,  h' = o tanh(c')
template <class Real>
void lstm_row(int64_t H, const CellForward<Real>& at) {
  const hn::ScalableTag<Real> d;
  write_array(d, at.h_next, H, false, [&](int64_t j, auto lanes) HWY_ATTR {
    const auto sum = [&](int64_t strip) HWY_ATTR {
      return hn::Add(lanes.load(at.a + strip * H + j), lanes.load(at.u + strip * H + j));
    };
    const auto i = sigmoid(d, sum(0)), f = sigmoid(d, sum(1)), g = tanh(d, sum(2)), o = sigmoid(d, sum(3));
    const auto c = hn::MulAdd(f, lanes.load(at.c + j), hn::Mul(i, g)), t = tanh(d, c);
    lanes.store(i, at.kept + j), lanes.store(f, at.kept + H + j), lanes.store(g, at.kept + 2 * H + j);
    lanes.store(o, at.kept + 3 * H + j), lanes.store(t, at.kept + 4 * H + j);
    lanes.store(c, at.c_next + j);
    return hn::Mul(o, t);
  });
}
// dc' += dh' o (1 − tanh²(c')),  di = dc' g,  df = dc' c,  dg = dc' i,  do = dh' tanh(c'),  dc = dc' f
template <class Real>
void lstm_row_backward(int64_t H, const CellBackward<Real>& at) {
  const hn::ScalableTag<Real> d;
  write_array(d, at.dc, H, false, [&](int64_t j, auto lanes) HWY_ATTR {
    const auto i = lanes.load(at.kept + j), f = lanes.load(at.kept + H + j), g = lanes.load(at.kept + 2 * H + j);
    const auto o = lanes.load(at.kept + 3 * H + j), t = lanes.load(at.kept + 4 * H + j);
    const auto dh = lanes.load(at.dh_next + j);
    const auto dc = hn::MulAdd(hn::Mul(dh, o), tanh_slope(d, t), lanes.load(at.dc_next + j));
    lanes.store(hn::Mul(hn::Mul(dc, g), sigmoid_slope(d, i)), at.da + j);
    lanes.store(hn::Mul(hn::Mul(dc, lanes.load(at.c + j)), sigmoid_slope(d, f)), at.da + H + j);
    lanes.store(hn::Mul(hn::Mul(dc, i), tanh_slope(d, g)), at.da + 2 * H + j);
    lanes.store(hn::Mul(hn::Mul(dh, t), sigmoid_slope(d, o)), at.da + 3 * H + j);
    return hn::Mul(dc, f);
  });
}

// r = σ(aᵣ + uᵣ),  z = σ(a_z + u_z),  n = tanh(a_n + r u_n),  h' = n + z (h − n)
template <class Real>
void gru_row(int64_t H, const CellForward<Real>& at) {
  const hn::ScalableTag<Real> d;
  write_array(d, at.h_next, H, false, [&](int64_t j, auto lanes) HWY_ATTR {
    const auto r = sigmoid(d, hn::Add(lanes.load(at.a + j), lanes.load(at.u + j)));
    const auto z = sigmoid(d, hn::Add(lanes.load(at.a + H + j), lanes.load(at.u + H + j)));
    const auto inner = lanes.load(at.u + 2 * H + j), n = tanh(d, hn::MulAdd(r, inner, lanes.load(at.a + 2 * H + j)));
    lanes.store(r, at.kept + j), lanes.store(z, at.kept + H + j);
    lanes.store(n, at.kept + 2 * H + j), lanes.store(inner, at.kept + 3 * H + j);
    return hn::MulAdd(z, hn::Sub(lanes.load(at.h + j), n), n);
  });
}
// dz = dh' (h − n),  dn = dh' (1 − z),  da_n = dn (1 − n²),  dr = da_n u_n,  du_n = da_n r,  dh = dh' z
template <class Real>
void gru_row_backward(int64_t H, const CellBackward<Real>& at) {
  const hn::ScalableTag<Real> d;
  write_array(d, at.dh, H, false, [&](int64_t j, auto lanes) HWY_ATTR {
    const auto r = lanes.load(at.kept + j), z = lanes.load(at.kept + H + j), n = lanes.load(at.kept + 2 * H + j);
    const auto dh = lanes.load(at.dh_next + j), dn = hn::Mul(hn::NegMulAdd(dh, z, dh), tanh_slope(d, n));
    const auto dr = hn::Mul(hn::Mul(dn, lanes.load(at.kept + 3 * H + j)), sigmoid_slope(d, r));
    const auto dz = hn::Mul(hn::Mul(dh, hn::Sub(lanes.load(at.h + j), n)), sigmoid_slope(d, z));
    for (Real* both : {at.da, at.du}) lanes.store(dr, both + j), lanes.store(dz, both + H + j);
    lanes.store(dn, at.da + 2 * H + j), lanes.store(hn::Mul(dn, r), at.du + 2 * H + j);
    return hn::Mul(dh, z);
  });
}

// h' = tanh(a + u), max(0, a + u)
template <class Real>
void elman_row(Cell cell, int64_t H, const CellForward<Real>& at) {
  const hn::ScalableTag<Real> d;
  write_array(d, at.h_next, H, false, [&](int64_t j, auto lanes) HWY_ATTR {
    const auto sum = hn::Add(lanes.load(at.a + j), lanes.load(at.u + j));
    const auto y = cell == Cell::tanh ? tanh(d, sum) : hn::Max(sum, hn::Zero(d));
    lanes.store(y, at.kept + j);
    return y;
  });
}
template <class Real>
void elman_row_backward(Cell cell, int64_t H, const CellBackward<Real>& at) {
  const hn::ScalableTag<Real> d;
  write_array(d, at.da, H, false, [&](int64_t j, auto lanes) HWY_ATTR {
    const auto y = lanes.load(at.kept + j), dh = lanes.load(at.dh_next + j);
    return cell == Cell::tanh ? hn::Mul(dh, tanh_slope(d, y)) : hn::IfThenElseZero(hn::Gt(y, hn::Zero(d)), dh);
  });
}

template <class Real>
void forward_row(const CellShape& shape, const CellForward<Real>& at) {
  if (shape.cell == Cell::lstm) return lstm_row(shape.H, at);
  if (shape.cell == Cell::gru_reset_after) return gru_row(shape.H, at);
  elman_row(shape.cell, shape.H, at);
}
template <class Real>
void backward_row(const CellShape& shape, const CellBackward<Real>& at) {
  if (shape.cell == Cell::lstm) return lstm_row_backward(shape.H, at);
  if (shape.cell == Cell::gru_reset_after) return gru_row_backward(shape.H, at);
  elman_row_backward(shape.cell, shape.H, at);
}
void ForwardSingle(const CellShape& shape, const CellForward<float>& at) { forward_row(shape, at); }
void ForwardDouble(const CellShape& shape, const CellForward<double>& at) { forward_row(shape, at); }
void BackwardSingle(const CellShape& shape, const CellBackward<float>& at) { backward_row(shape, at); }
void BackwardDouble(const CellShape& shape, const CellBackward<double>& at) { backward_row(shape, at); }

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace {

HWY_EXPORT(ForwardSingle);
HWY_EXPORT(ForwardDouble);
HWY_EXPORT(BackwardSingle);
HWY_EXPORT(BackwardDouble);

constexpr int64_t kGrain = 1 << 14;  // hidden units worth a thread

void run(const CellShape& shape, const CellForward<float>& at) { HWY_DYNAMIC_DISPATCH(ForwardSingle)(shape, at); }
void run(const CellShape& shape, const CellForward<double>& at) { HWY_DYNAMIC_DISPATCH(ForwardDouble)(shape, at); }
void run(const CellShape& shape, const CellBackward<float>& at) { HWY_DYNAMIC_DISPATCH(BackwardSingle)(shape, at); }
void run(const CellShape& shape, const CellBackward<double>& at) { HWY_DYNAMIC_DISPATCH(BackwardDouble)(shape, at); }

// run(shape, row) for each row; row_of(i) is where row i of every array stands.
template <class RowOf>
void for_rows(const CellShape& shape, const RowOf& row_of) {
  start_runtime();
  parallel(shape.rows, 1 + kGrain / (1 + shape.H), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) run(shape, row_of(i));
  });
}

template <class Real>
Real* moved(Real* array, int64_t by) {
  return array ? array + by : nullptr;
}

}  // namespace

template <class Real>
void cell_forward(const CellShape& shape, const CellForward<Real>& cell) {
  const int64_t H = shape.H, G = gate_count(shape.cell) * H, kept = kept_count(shape.cell) * H;
  for_rows(shape, [&](int64_t i) {
    return CellForward<Real>{cell.a + i * G,       cell.u + i * G,      moved(cell.h, i * H),
                             moved(cell.c, i * H), cell.h_next + i * H, moved(cell.c_next, i * H),
                             cell.kept + i * kept};
  });
}
template <class Real>
void cell_backward(const CellShape& shape, const CellBackward<Real>& cell) {
  const int64_t H = shape.H, G = gate_count(shape.cell) * H, kept = kept_count(shape.cell) * H;
  for_rows(shape, [&](int64_t i) {
    return CellBackward<Real>{moved(cell.h, i * H),  moved(cell.c, i * H),       cell.kept + i * kept,
                              cell.dh_next + i * H,  moved(cell.dc_next, i * H), cell.da + i * G,
                              moved(cell.du, i * G), moved(cell.dh, i * H),      moved(cell.dc, i * H)};
  });
}

template void cell_forward<float>(const CellShape&, const CellForward<float>&);
template void cell_forward<double>(const CellShape&, const CellForward<double>&);
template void cell_backward<float>(const CellShape&, const CellBackward<float>&);
template void cell_backward<double>(const CellShape&, const CellBackward<double>&);

}  // namespace heed::kernels
#endif
