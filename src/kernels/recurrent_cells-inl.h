// The cells of recurrent.h on 16 hidden units of one sentence, forward and backward; each backward quotes what it
// differentiates. P: this row's product, strips `between` numbers apart, at unit u of the layer.
#if defined(HEED_KERNELS_RECURRENT_CELLS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_RECURRENT_CELLS_INL_H_
#undef HEED_KERNELS_RECURRENT_CELLS_INL_H_
#else
#define HEED_KERNELS_RECURRENT_CELLS_INL_H_
#endif

#include "hwy/highway.h"
#include "kernels/exponential-inl.h"
#include "kernels/recurrent_stage.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::recurrent {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kUnits>;
using Vec = hn::Vec<Lanes>;

HWY_INLINE Vec sigmoid(Vec x) { return kernels::HWY_NAMESPACE::sigmoid(Lanes(), x); }
HWY_INLINE Vec tanh(Vec x) { return kernels::HWY_NAMESPACE::tanh(Lanes(), x); }
// 1 − x, 1 − x², x (1 − x)
HWY_INLINE Vec complement(Vec x) { return hn::Sub(hn::Set(Lanes(), 1.0f), x); }
HWY_INLINE Vec tanh_slope(Vec y) { return hn::NegMulAdd(y, y, hn::Set(Lanes(), 1.0f)); }
HWY_INLINE Vec sigmoid_slope(Vec y) { return hn::NegMulAdd(y, y, y); }

// Lanes of one sentence at one step: the row's place in every buffer.
class Place {
 public:
  HWY_INLINE Place(const Step& step, const float* product, int64_t between, int64_t row, int64_t u)
      : step_(step),
        product_(product),
        between_(between),
        gate_(row * step.gates_stride + u),
        state_(row * step.state_stride + u),
        row_(row),
        u_(u) {}

  HWY_INLINE Vec product(int64_t strip) const { return load(product_ + strip * between_); }
  HWY_INLINE Vec gate(int64_t strip) const { return load(step_.gates + gate_ + strip * step_.strip); }
  HWY_INLINE void gate(int64_t strip, Vec v) const { store(v, step_.gates + gate_ + strip * step_.strip); }
  // W_ih x + b of a strip, to which the product may be added
  HWY_INLINE Vec input(int64_t strip) const { return hn::Add(gate(strip), bias(strip)); }
  HWY_INLINE Vec bias(int64_t strip) const { return load(step_.bias + strip * step_.strip + u_); }
  HWY_INLINE Vec h() const { return load(step_.h + state_); }
  HWY_INLINE Vec c() const { return load(step_.c + state_); }
  HWY_INLINE Vec c_next() const { return load(step_.c_next + state_); }
  HWY_INLINE void c_next(Vec v) const { store(v, step_.c_next + state_); }
  HWY_INLINE Vec dh() const { return load(step_.dh + state_); }
  HWY_INLINE void dh(Vec v) const { store(v, step_.dh + state_); }
  HWY_INLINE Vec dc() const { return load(step_.dc + state_); }
  HWY_INLINE void dc(Vec v) const { store(v, step_.dc + state_); }
  HWY_INLINE void h_next(Vec v) const {
    store(v, step_.h_next + state_);
    y(v);
  }
  HWY_INLINE void y(Vec v) const {
    if (step_.y) store_units(v, step_.y + row_ * step_.H + u_);
  }
  // The gradient by the state after the step: by y, by the next step through its product, by the next step directly.
  HWY_INLINE Vec total() const {
    const Vec next = hn::Add(product(0), dh());
    return step_.dy ? hn::Add(next, load_units(step_.dy + row_ * step_.H + u_)) : next;
  }

 private:
  static HWY_INLINE Vec load(const float* p) { return hn::LoadU(Lanes(), p); }
  static HWY_INLINE void store(Vec v, float* p) { hn::StoreU(v, Lanes(), p); }
  // y and dy are the caller's, without padding.
  HWY_INLINE void store_units(Vec v, float* p) const {
    const Lanes d;
    const int64_t units = step_.H - u_, lanes = hn::Lanes(d);
    if (units >= lanes) return store(v, p);
    HWY_ALIGN float buffer[kUnits];
    store(v, buffer);
    for (int64_t i = 0; i < units; ++i) p[i] = buffer[i];
  }
  HWY_INLINE Vec load_units(const float* p) const {
    const Lanes d;
    const int64_t units = step_.H - u_, lanes = hn::Lanes(d);
    if (units >= lanes) return load(p);
    HWY_ALIGN float buffer[kUnits] = {};
    for (int64_t i = 0; i < units; ++i) buffer[i] = p[i];
    return load(buffer);
  }

  const Step& step_;
  const float* product_;
  int64_t between_, gate_, state_, row_, u_;
};

// c' = f c + i g,  h' = o tanh(c')
HWY_INLINE void lstm(const Place& at) {
  const Vec i = sigmoid(hn::Add(at.input(0), at.product(0))), f = sigmoid(hn::Add(at.input(1), at.product(1)));
  const Vec g = tanh(hn::Add(at.input(2), at.product(2))), o = sigmoid(hn::Add(at.input(3), at.product(3)));
  const Vec c = hn::MulAdd(f, at.c(), hn::Mul(i, g));
  at.gate(0, i), at.gate(1, f), at.gate(2, g), at.gate(3, o);
  at.c_next(c);
  at.h_next(hn::Mul(o, tanh(c)));
}

// c' = f c + i g, h' = o tanh(c'):
//   dc' += dh' o (1 − tanh²(c')),  di = dc' g,  df = dc' c,  dg = dc' i,  do = dh' tanh(c'),  dc = dc' f
HWY_INLINE void lstm_backward(const Place& at) {
  const Vec i = at.gate(0), f = at.gate(1), g = at.gate(2), o = at.gate(3), t = tanh(at.c_next()), dh = at.total();
  const Vec dc = hn::MulAdd(hn::Mul(dh, o), tanh_slope(t), at.dc());
  at.gate(0, hn::Mul(hn::Mul(dc, g), sigmoid_slope(i)));
  at.gate(1, hn::Mul(hn::Mul(dc, at.c()), sigmoid_slope(f)));
  at.gate(2, hn::Mul(hn::Mul(dc, i), tanh_slope(g)));
  at.gate(3, hn::Mul(hn::Mul(dh, t), sigmoid_slope(o)));
  at.dc(hn::Mul(dc, f));
  at.dh(hn::Zero(Lanes()));
}

// n = tanh(a_n + inner),  h' = (1 − z) n + z h = n + z (h − n)
HWY_INLINE void new_state(const Place& at, Vec z, Vec inner) {
  const Vec n = tanh(hn::Add(at.input(kNew), inner));
  at.gate(kNew, n);
  at.h_next(hn::MulAdd(z, hn::Sub(at.h(), n), n));
}

// Reset after: r, z, q = u_n,  inner = r q
HWY_INLINE void gru(const Place& at) {
  const Vec r = sigmoid(hn::Add(at.input(kReset), at.product(kReset)));
  const Vec z = sigmoid(hn::Add(at.input(kUpdate), at.product(kUpdate)));
  const Vec q = hn::Add(at.product(kInner), at.bias(kInner));
  at.gate(kReset, r), at.gate(kUpdate, z), at.gate(kInner, q);
  new_state(at, z, hn::Mul(r, q));
}

// Reset before: r, z, q = r h; and then, P = W_n q: inner = P
HWY_INLINE void gru_gates(const Place& at) {
  const Vec r = sigmoid(hn::Add(at.input(kReset), at.product(0)));
  at.gate(kReset, r);
  at.gate(kUpdate, sigmoid(hn::Add(at.input(kUpdate), at.product(1))));
  at.gate(kInner, hn::Mul(r, at.h()));
}
HWY_INLINE void gru_state(const Place& at) { new_state(at, at.gate(kUpdate), at.product(0)); }

// h' = (1 − z) n + z h:  dz = dh' (h − n),  dn = dh' (1 − z),  dh = dh' z.  Returns the gradient inside n's tanh.
HWY_INLINE Vec new_state_backward(const Place& at) {
  const Vec z = at.gate(kUpdate), n = at.gate(kNew), dh = at.total();
  const Vec dn = hn::Mul(hn::Mul(dh, complement(z)), tanh_slope(n));
  at.gate(kUpdate, hn::Mul(hn::Mul(dh, hn::Sub(at.h(), n)), sigmoid_slope(z)));
  at.gate(kNew, dn);
  at.dh(hn::Mul(dh, z));
  return dn;
}
HWY_INLINE void gru_state_backward(const Place& at) { new_state_backward(at); }

// Reset after, inner = r q:  dr = dn q,  dq = dn r
HWY_INLINE void gru_backward(const Place& at) {
  const Vec r = at.gate(kReset), q = at.gate(kInner), dn = new_state_backward(at);
  at.gate(kReset, hn::Mul(hn::Mul(dn, q), sigmoid_slope(r)));
  at.gate(kInner, hn::Mul(dn, r));
}

// Reset before, q = r h, P = dq:  dr = dq h,  dh += dq r.  q itself stays: dW_n = Σ dn qᵀ.
HWY_INLINE void gru_gates_backward(const Place& at) {
  const Vec r = at.gate(kReset), dq = at.product(0);
  at.gate(kReset, hn::Mul(hn::Mul(dq, at.h()), sigmoid_slope(r)));
  at.dh(hn::MulAdd(dq, r, at.dh()));
}

// h' = tanh(a + u):  da = dh' (1 − h'²);  h' = max(0, a + u):  da = dh' where h' > 0
HWY_INLINE void elman(const Place& at, Vec h) {
  at.gate(0, h);
  at.h_next(h);
}
HWY_INLINE void elman_backward(const Place& at, Vec da) {
  at.gate(0, da);
  at.dh(hn::Zero(Lanes()));
}
HWY_INLINE void tanh_cell(const Place& at) { elman(at, tanh(hn::Add(at.input(0), at.product(0)))); }
HWY_INLINE void tanh_backward(const Place& at) { elman_backward(at, hn::Mul(at.total(), tanh_slope(at.gate(0)))); }
HWY_INLINE void relu_cell(const Place& at) {
  elman(at, hn::Max(hn::Zero(Lanes()), hn::Add(at.input(0), at.product(0))));
}
HWY_INLINE void relu_backward(const Place& at) {
  elman_backward(at, hn::IfThenElseZero(hn::Gt(at.gate(0), hn::Zero(Lanes())), at.total()));
}

// Beyond a sentence's end the state stays as it is and y is 0; the gradient by the state passes, the gates' is 0.
HWY_INLINE void beyond_end(const Place& at, bool lstm) {
  at.h_next(at.h());
  at.y(hn::Zero(Lanes()));
  if (lstm) at.c_next(at.c());
}
HWY_INLINE void beyond_end_backward(const Place& at, int64_t strips) {
  at.dh(hn::Add(at.dh(), at.product(0)));
  for (int64_t strip = 0; strip < strips; ++strip) at.gate(strip, hn::Zero(Lanes()));
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::recurrent
HWY_AFTER_NAMESPACE();

#endif
