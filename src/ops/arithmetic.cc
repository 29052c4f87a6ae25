// Arithmetic. What was broadcast is summed back by Gradients::add. Backward functions hold inputs as they are: inputs
// are older than the op, so no cycle arises, and nothing is recorded while a gradient is computed.
#include <heed/ops.h>

#include <cmath>

#include "ops/operands.h"

namespace heed {

using kernels::Binary;

// da = dy, db = dy
Tensor operator+(const Tensor& a, const Tensor& b) {
  return record("add", binary(Binary::add, "add", a, b), {a, b}, [](const Tensor& dy, Gradients& d) {
    d.add(0, dy);
    d.add(1, dy);
  });
}

// da = dy, db = -dy
Tensor operator-(const Tensor& a, const Tensor& b) {
  return record("subtract", binary(Binary::subtract, "subtract", a, b), {a, b}, [](const Tensor& dy, Gradients& d) {
    d.add(0, dy);
    if (d.needs(1)) d.add(1, -dy);
  });
}

// da = dy b, db = dy a
Tensor operator*(const Tensor& a, const Tensor& b) {
  return record("multiply", binary(Binary::multiply, "multiply", a, b), {a, b}, [a, b](const Tensor& dy, Gradients& d) {
    if (d.needs(0)) d.add(0, dy * b);
    if (d.needs(1)) d.add(1, dy * a);
  });
}

// da = dy/b, db = -dy a/b²
Tensor operator/(const Tensor& a, const Tensor& b) {
  return record("divide", binary(Binary::divide, "divide", a, b), {a, b}, [a, b](const Tensor& dy, Gradients& d) {
    const Tensor da = dy / b;
    d.add(0, da);
    if (d.needs(1)) d.add(1, -(da * a / b));
  });
}

// dx = dy
Tensor operator+(const Tensor& a, double b) {
  return record("add", binary(Binary::add, "add", a, b), {a}, [](const Tensor& dy, Gradients& d) { d.add(0, dy); });
}
Tensor operator+(double a, const Tensor& b) { return b + a; }
Tensor operator-(const Tensor& a, double b) {
  return record("subtract", binary(Binary::subtract, "subtract", a, b), {a},
                [](const Tensor& dy, Gradients& d) { d.add(0, dy); });
}

// dx = -dy
Tensor operator-(double a, const Tensor& b) {
  return record("subtract", binary(Binary::subtract, "subtract", a, b), {b},
                [](const Tensor& dy, Gradients& d) { d.add(0, -dy); });
}
Tensor operator-(const Tensor& x) {
  return record("negative", binary(Binary::multiply, "negative", x, -1), {x},
                [](const Tensor& dy, Gradients& d) { d.add(0, -dy); });
}

// da = dy b
Tensor operator*(const Tensor& a, double b) {
  return record("multiply", binary(Binary::multiply, "multiply", a, b), {a},
                [b](const Tensor& dy, Gradients& d) { d.add(0, dy * b); });
}
Tensor operator*(double a, const Tensor& b) { return b * a; }

// da = dy/b
Tensor operator/(const Tensor& a, double b) {
  return record("divide", binary(Binary::divide, "divide", a, b), {a},
                [b](const Tensor& dy, Gradients& d) { d.add(0, dy / b); });
}

// y = a/b: db = -dy y/b
Tensor operator/(double a, const Tensor& b) {
  const Tensor y = binary(Binary::divide, "divide", a, b);
  return record("divide", y, {b}, [b, y](const Tensor& dy, Gradients& d) { d.add(0, -(dy * y / b)); });
}

// y = aᵇ: da = dy b aᵇ⁻¹ (0 where b = 0), db = dy y ln a (0 where y = 0)
Tensor pow(const Tensor& a, const Tensor& b) {
  const Tensor y = binary(Binary::power, "pow", a, b);
  return record("pow", y, {a, b}, [a, b, y](const Tensor& dy, Gradients& d) {
    if (d.needs(0)) d.add(0, where(equal(b, 0), 0, dy * b * pow(a, b - 1)));
    if (d.needs(1)) d.add(1, where(equal(y, 0), 0, dy * y * log(a)));
  });
}

// dx = dy p xᵖ⁻¹
Tensor pow(const Tensor& x, double p) {
  Tensor y = p == 2 ? binary(Binary::multiply, "pow", x, x) : binary(Binary::power, "pow", x, p);
  return record("pow", y, {x}, [x, p](const Tensor& dy, Gradients& d) {
    d.add(0, p == 0 ? Tensor::zeros(x.shape(), x.dtype()) : p == 2 ? dy * x * 2 : dy * pow(x, p - 1) * p);
  });
}

// y = aˣ: dx = dy y ln a
Tensor pow(double a, const Tensor& x) {
  const Tensor y = binary(Binary::power, "pow", a, x);
  return record("pow", y, {x}, [a, y](const Tensor& dy, Gradients& d) { d.add(0, dy * y * std::log(a)); });
}

namespace {

// dy where `winner` holds, half of it where a = b, 0 elsewhere.
Tensor shared(const Tensor& dy, const Tensor& winner, const Tensor& a, const Tensor& b) {
  return where(winner, dy, where(equal(a, b), dy * 0.5, 0));
}

}  // namespace

// da = dy where a < b, db = dy where b < a, dy/2 each where they are equal
Tensor minimum(const Tensor& a, const Tensor& b) {
  return record("minimum", binary(Binary::minimum, "minimum", a, b), {a, b}, [a, b](const Tensor& dy, Gradients& d) {
    if (d.needs(0)) d.add(0, shared(dy, less(a, b), a, b));
    if (d.needs(1)) d.add(1, shared(dy, less(b, a), a, b));
  });
}

// da = dy where a > b, db = dy where b > a, dy/2 each where they are equal
Tensor maximum(const Tensor& a, const Tensor& b) {
  return record("maximum", binary(Binary::maximum, "maximum", a, b), {a, b}, [a, b](const Tensor& dy, Gradients& d) {
    if (d.needs(0)) d.add(0, shared(dy, greater(a, b), a, b));
    if (d.needs(1)) d.add(1, shared(dy, greater(b, a), a, b));
  });
}

// dx = dy where low <= x <= high
Tensor clamp(const Tensor& x, double low, double high) {
  check(low <= high, "clamp", "got {} as the lower bound and {} as the upper", low, high);
  return dispatch_floating(x.dtype(), "clamp", [&](auto zero) {
    using T = decltype(zero);
    const Tensor in = x.packed();
    Tensor y(x.shape(), x.dtype());
    kernels::clamp(in.data<T>(), y.data<T>(), y.numel(), low, high);
    return record("clamp", y, {x}, [=](const Tensor& dy, Gradients& d) {
      const Tensor packed = dy.packed();
      Tensor dx(dy.shape(), dy.dtype());
      kernels::clamp_backward(in.data<T>(), packed.data<T>(), dx.data<T>(), dx.numel(), low, high);
      d.add(0, dx);
    });
  });
}

}  // namespace heed
