// The functions of Unary as types: value(d, x) and gradient(d, x, y, dy), the gradient under its formula.
#if defined(HEED_KERNELS_UNARY_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_UNARY_INL_H_
#undef HEED_KERNELS_UNARY_INL_H_
#else
#define HEED_KERNELS_UNARY_INL_H_
#endif

#include "hwy/highway.h"
#include "kernels/math-inl.h"
#include "kernels/math.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

// Every function states what its gradient reads; the other of x and y is then a vector of zeros.
template <bool kInput, bool kOutput>
struct Needs {
  static constexpr bool kNeedsInput = kInput, kNeedsOutput = kOutput;
  double parameter = 0;
};

template <class D>
HWY_INLINE hn::Vec<D> number(D d, double value) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(value));
}

// flat
struct Sign : Needs<false, false> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return hn::IfThenElse(hn::Or(hn::Lt(x, hn::Zero(d)), hn::Gt(x, hn::Zero(d))), hn::CopySign(number(d, 1), x), x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V, V, V) const {
    return hn::Zero(d);
  }
};

// y' = y
struct Exp : Needs<false, true> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return exp(d, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D, V, V y, V dy) const {
    return hn::Mul(dy, y);
  }
};

// y' = y ln 2
struct Exp2 : Needs<false, true> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return exp2(d, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V, V y, V dy) const {
    return hn::Mul(hn::Mul(dy, y), number(d, 0.693147180559945309417));
  }
};

// y' = 1/x
struct Log : Needs<true, false> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return log(d, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D, V x, V, V dy) const {
    return hn::Div(dy, x);
  }
};

// y' = 1 / (2y)
struct Sqrt : Needs<false, true> {
  template <class D, class V>
  HWY_INLINE V value(D, V x) const {
    return hn::Sqrt(x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V, V y, V dy) const {
    return hn::Div(hn::Mul(dy, number(d, 0.5)), y);
  }
};

// y' = -y^3 / 2
struct Rsqrt : Needs<false, true> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return hn::Div(number(d, 1), hn::Sqrt(x));
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V, V y, V dy) const {
    return hn::Mul(hn::Mul(dy, number(d, -0.5)), hn::Mul(y, hn::Mul(y, y)));
  }
};

// y' = 2x
struct Square : Needs<true, false> {
  template <class D, class V>
  HWY_INLINE V value(D, V x) const {
    return hn::Mul(x, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D, V x, V, V dy) const {
    return hn::Mul(hn::Add(x, x), dy);
  }
};

// y' = -y^2
struct Reciprocal : Needs<false, true> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return hn::Div(number(d, 1), x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D, V, V y, V dy) const {
    return hn::Neg(hn::Mul(dy, hn::Mul(y, y)));
  }
};

// y' = cos x
struct Sin : Needs<true, false> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return sin(d, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V x, V, V dy) const {
    return hn::Mul(dy, cos(d, x));
  }
};

// y' = -sin x
struct Cos : Needs<true, false> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return cos(d, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V x, V, V dy) const {
    return hn::Neg(hn::Mul(dy, sin(d, x)));
  }
};

// y' = 1 - y^2
struct Tanh : Needs<false, true> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return tanh(d, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V, V y, V dy) const {
    return hn::Mul(dy, hn::NegMulAdd(y, y, number(d, 1)));
  }
};

// y' = y (1 - y)
struct Sigmoid : Needs<false, true> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return sigmoid(d, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V, V y, V dy) const {
    return hn::Mul(hn::Mul(dy, y), hn::Sub(number(d, 1), y));
  }
};

// y' = 2/sqrt(pi) e^(-x^2)
struct Erf : Needs<true, false> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return erf(d, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V x, V, V dy) const {
    return hn::Mul(hn::Mul(dy, number(d, 1.12837916709551257390)),
                   exp_of_square<D, V>(d, clamp_keeping_nan<D, V>(d, x, -40, 40), 1));
  }
};

struct Gelu : Needs<true, false> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return gelu(d, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V x, V, V dy) const {
    return hn::Mul(dy, gelu_derivative(d, x));
  }
};

struct GeluTanh : Needs<true, false> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return gelu_tanh(d, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V x, V, V dy) const {
    return hn::Mul(dy, gelu_tanh_derivative(d, x));
  }
};

struct Silu : Needs<true, false> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return silu(d, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V x, V, V dy) const {
    return hn::Mul(dy, silu_derivative(d, x));
  }
};

// y' = sigmoid x
struct Softplus : Needs<true, false> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return softplus(d, x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V x, V, V dy) const {
    return hn::Mul(dy, sigmoid(d, x));
  }
};

// y' = [y > 0]
struct Relu : Needs<false, true> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return hn::Max(hn::Zero(d), x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V, V y, V dy) const {
    return hn::IfThenElseZero(hn::Gt(y, hn::Zero(d)), dy);
  }
};

// y' = x > 0 ? 1 : parameter
struct LeakyRelu : Needs<true, false> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return hn::IfThenElse(hn::Le(x, hn::Zero(d)), hn::Mul(x, number(d, parameter)), x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V x, V, V dy) const {
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), dy, hn::Mul(dy, number(d, parameter)));
  }
};

// y' = x > 0 ? 1 : parameter e^x
struct Elu : Needs<true, false> {
  template <class D, class V>
  HWY_INLINE V value(D d, V x) const {
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, hn::Mul(number(d, parameter), expm1_nonpositive(d, x)));
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V x, V, V dy) const {
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), dy, hn::Mul(hn::Mul(dy, number(d, parameter)), exp(d, x)));
  }
};

struct Neg : Needs<false, false> {
  template <class D, class V>
  HWY_INLINE V value(D, V x) const {
    return hn::Neg(x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D, V, V, V dy) const {
    return hn::Neg(dy);
  }
};

// y' = sign x
struct Abs : Needs<true, false> {
  template <class D, class V>
  HWY_INLINE V value(D, V x) const {
    return hn::Abs(x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V x, V, V dy) const {
    return hn::Mul(dy, Sign().value(d, x));
  }
};

// flat
struct Floor : Needs<false, false> {
  template <class D, class V>
  HWY_INLINE V value(D, V x) const {
    return hn::Floor(x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V, V, V) const {
    return hn::Zero(d);
  }
};

// flat
struct Ceil : Needs<false, false> {
  template <class D, class V>
  HWY_INLINE V value(D, V x) const {
    return hn::Ceil(x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V, V, V) const {
    return hn::Zero(d);
  }
};

// flat
struct Round : Needs<false, false> {
  template <class D, class V>
  HWY_INLINE V value(D, V x) const {
    return hn::Round(x);
  }
  template <class D, class V>
  HWY_INLINE V gradient(D d, V, V, V) const {
    return hn::Zero(d);
  }
};

// Calls body(function) with the type that stands for `function`.
template <class Body>
HWY_INLINE void with_function(Unary function, double parameter, const Body& body) {
  switch (function) {
    case Unary::exp: return body(Exp{{parameter}});
    case Unary::exp2: return body(Exp2{{parameter}});
    case Unary::log: return body(Log{{parameter}});
    case Unary::sqrt: return body(Sqrt{{parameter}});
    case Unary::rsqrt: return body(Rsqrt{{parameter}});
    case Unary::square: return body(Square{{parameter}});
    case Unary::reciprocal: return body(Reciprocal{{parameter}});
    case Unary::sin: return body(Sin{{parameter}});
    case Unary::cos: return body(Cos{{parameter}});
    case Unary::tanh: return body(Tanh{{parameter}});
    case Unary::sigmoid: return body(Sigmoid{{parameter}});
    case Unary::erf: return body(Erf{{parameter}});
    case Unary::gelu: return body(Gelu{{parameter}});
    case Unary::gelu_tanh: return body(GeluTanh{{parameter}});
    case Unary::silu: return body(Silu{{parameter}});
    case Unary::softplus: return body(Softplus{{parameter}});
    case Unary::relu: return body(Relu{{parameter}});
    case Unary::leaky_relu: return body(LeakyRelu{{parameter}});
    case Unary::elu: return body(Elu{{parameter}});
    case Unary::neg: return body(Neg{{parameter}});
    case Unary::abs: return body(Abs{{parameter}});
    case Unary::sign: return body(Sign{{parameter}});
    case Unary::floor: return body(Floor{{parameter}});
    case Unary::ceil: return body(Ceil{{parameter}});
    case Unary::round: return body(Round{{parameter}});
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#endif  // HEED_KERNELS_UNARY_INL_H_
