#include "kernels/math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/runtime.h"
#include "support/close.h"

namespace heed::kernels {
namespace {

constexpr double kParameter = 0.3;

// The formulas, in the C library's arithmetic of a wider type.
template <class R>
R reference(Unary function, R x) {
  const R parameter = kParameter, pi = std::acos(R(-1));
  switch (function) {
    case Unary::exp: return std::exp(x);
    case Unary::exp2: return std::exp2(x);
    case Unary::log: return std::log(x);
    case Unary::sqrt: return std::sqrt(x);
    case Unary::rsqrt: return 1 / std::sqrt(x);
    case Unary::square: return x * x;
    case Unary::reciprocal: return 1 / x;
    case Unary::sin: return std::sin(x);
    case Unary::cos: return std::cos(x);
    case Unary::tanh: return std::tanh(x);
    case Unary::sigmoid: return 1 / (1 + std::exp(-x));
    case Unary::erf: return std::erf(x);
    case Unary::gelu: return x == -INFINITY ? 0 : x / 2 * std::erfc(-x / std::sqrt(R(2)));
    case Unary::gelu_tanh:
      return x < -1000 ? 0 : x / (1 + std::exp(-2 * std::sqrt(2 / pi) * (x + R(0.044715L) * x * x * x)));
    case Unary::silu: return x == -INFINITY ? 0 : x / (1 + std::exp(-x));
    case Unary::softplus: return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
    case Unary::relu: return x > 0 || x != x ? x : 0;
    case Unary::leaky_relu: return x > 0 ? x : parameter * x;
    case Unary::elu: return x > 0 ? x : parameter * std::expm1(x);
    case Unary::neg: return -x;
    case Unary::abs: return std::abs(x);
    case Unary::sign: return x > 0 ? 1 : x < 0 ? -1 : x;
    case Unary::floor: return std::floor(x);
    case Unary::ceil: return std::ceil(x);
    case Unary::round: return std::nearbyint(x);
  }
  return 0;
}

// The distance in units of the last place of the wanted value; what overflows T is infinite.
template <class T, class R>
double error_in_ulp(T got, R want) {
  const T rounded = static_cast<T>(want);
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got) ? 0 : INFINITY;
  if (std::isinf(rounded) || std::isinf(got)) return rounded == got ? 0 : INFINITY;
  if (std::abs(rounded) < std::numeric_limits<T>::min())
    return static_cast<double>(std::abs(R(got) - want) / R(std::numeric_limits<T>::denorm_min()));
  const R ulp = std::ldexp(R(1), std::ilogb(rounded) - std::numeric_limits<T>::digits + 1);
  return static_cast<double>(std::abs(R(got) - want) / ulp);
}

// What math.h and docs/accuracy.md state. Products with a tail that is denormal lose its digits: `from` leaves them
// out.
struct Bound {
  Unary function;
  double f32, f64;
  double from32 = -INFINITY, from64 = -INFINITY;
};
constexpr Bound kBounds[] = {
    {Unary::exp, 1.1, 1.1},          {Unary::exp2, 1.1, 1.1},
    {Unary::log, 0.9, 0.9},          {Unary::tanh, 2.6, 2.6},
    {Unary::sigmoid, 2.4, 2.4},      {Unary::sin, 1.6, 1.6},
    {Unary::cos, 1.6, 1.6},          {Unary::erf, 6, 2},
    {Unary::gelu, 7, 7, -12.5, -37}, {Unary::silu, 3.3, 3.3, -86, -707},
    {Unary::softplus, 1.8, 1.8},     {Unary::elu, 2.1, 2.1},
    {Unary::rsqrt, 1.5, 1.5},        {Unary::reciprocal, .5, .5},
    {Unary::sqrt, .5, .5},           {Unary::square, .5, .5},
};

template <class T, class R>
double largest_error(Unary function, const std::vector<T>& x, T* where, double from = -INFINITY) {
  std::vector<T> y(x.size());
  map(function, x.data(), y.data(), static_cast<int64_t>(x.size()), kParameter);
  double largest = -1;
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] < from) continue;
    const double error = error_in_ulp(y[i], reference<R>(function, x[i]));
    if (error > largest) largest = error, *where = x[i];
  }
  return largest;
}

// Bit patterns of all floats at a step: every sign and exponent, denormals, infinities and NaN among them.
std::vector<float> floats(uint32_t step) {
  std::vector<float> x = {0.f, -0.f, INFINITY, -INFINITY, NAN};
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += step)
    x.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  return x;
}
std::vector<double> doubles(int count) {
  std::vector<double> x = {0., -0., INFINITY, -INFINITY, NAN, 0x1p-1074};
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  for (int i = 0; i < count; ++i) {
    x.push_back(std::bit_cast<double>(random()));
    x.push_back(normal(random));
    x.push_back(normal(random) * 20);
    x.push_back(normal(random) * 300);
    x.push_back(normal(random) * 1e6);
  }
  return x;
}

TEST(Math, LargestErrorsOfFloats) {
  const std::vector<float> x = floats(1499);
  for (const Bound& bound : kBounds) {
    float where = 0;
    const double error = largest_error<float, double>(bound.function, x, &where, bound.from32);
    std::printf("f32 %-10s %.2f ULP at %.9g\n", name(bound.function), error, where);
    EXPECT_LE(error, bound.f32) << name(bound.function) << " at " << where;
  }
}

TEST(Math, LargestErrorsOfDoubles) {
  const std::vector<double> x = doubles(100000);
  for (const Bound& bound : kBounds) {
    double where = 0;
    const double error = largest_error<double, long double>(bound.function, x, &where, bound.from64);
    std::printf("f64 %-10s %.2f ULP at %.17g\n", name(bound.function), error, where);
    EXPECT_LE(error, bound.f64) << name(bound.function) << " at " << where;
  }
}

TEST(Math, FunctionsThatAreExact) {
  for (const Unary f : {Unary::relu, Unary::neg, Unary::abs, Unary::sign, Unary::floor, Unary::ceil, Unary::round}) {
    float where32 = 0;
    double where64 = 0;
    EXPECT_EQ((largest_error<float, double>(f, floats(99991), &where32)), 0) << name(f) << where32;
    EXPECT_EQ((largest_error<double, long double>(f, doubles(5000), &where64)), 0) << name(f) << where64;
  }
}

// Its exponent grows like x^3, and with it the rounding error of the exponent.
TEST(Math, GeluByTanhIsCloseAbsolutely) {
  for (const float x : floats(9973)) {
    float y;
    map(Unary::gelu_tanh, &x, &y, 1);
    const double want = reference<double>(Unary::gelu_tanh, x);
    if (std::isnan(want)) {
      EXPECT_TRUE(std::isnan(y));
    } else if (std::isfinite(want)) {
      EXPECT_LE(std::abs(y - want), 2e-7 * std::max(1., std::abs(want))) << x;
    }
  }
}

TEST(Math, SignsOfZero) {
  for (const Unary f : {Unary::sin, Unary::tanh, Unary::erf, Unary::gelu, Unary::silu}) {
    const double x = -0.;
    double y = 1;
    map(f, &x, &y, 1);
    EXPECT_TRUE(y == 0 && std::signbit(y)) << name(f);
  }
}

// Central differences of the formula in long double.
template <class T>
void gradient_matches(Unary function, double tolerance) {
  std::vector<T> x, dy, dx, y;
  std::vector<double> want;
  std::mt19937 random(7);
  std::uniform_real_distribution<T> uniform(-6, 6);
  const bool positive = function == Unary::log || function == Unary::sqrt || function == Unary::rsqrt;
  for (int i = 0; i < 403; ++i) {
    T at = uniform(random);
    if (positive || function == Unary::reciprocal) at = std::abs(at) + T(0.1);
    const long double h = 1e-5L;
    const long double slope =
        (reference<long double>(function, at + h) - reference<long double>(function, at - h)) / (2 * h);
    x.push_back(at);
    dy.push_back(uniform(random));
    want.push_back(static_cast<double>(slope * dy.back()));
  }
  const auto n = static_cast<int64_t>(x.size());
  y.resize(x.size());
  dx.resize(x.size());
  map(function, x.data(), y.data(), n, kParameter);
  map_backward(function, gradient_needs_input(function) ? x.data() : nullptr,
               gradient_needs_output(function) ? y.data() : nullptr, dy.data(), dx.data(), n, kParameter);
  EXPECT_TRUE(testing::close(dx, want, tolerance)) << name(function);
}

TEST(Math, GradientsMatchDifferences) {
  for (int f = 0; f < kUnaryCount; ++f) {
    gradient_matches<double>(static_cast<Unary>(f), 3e-8);
    gradient_matches<float>(static_cast<Unary>(f), 4e-6);
  }
}

TEST(Math, GradientsAtTheEndsAreNoNaN) {
  for (const Unary f : {Unary::tanh, Unary::sigmoid, Unary::erf, Unary::gelu, Unary::gelu_tanh, Unary::silu,
                        Unary::softplus, Unary::relu, Unary::elu}) {
    const std::vector<float> x = {INFINITY, -INFINITY, 1e30f, -1e30f}, dy = {1, 1, 1, 1};
    std::vector<float> y(4), dx(4);
    map(f, x.data(), y.data(), 4, kParameter);
    map_backward(f, x.data(), y.data(), dy.data(), dx.data(), 4, kParameter);
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(std::isfinite(dx[i]) && dx[i] >= 0 && dx[i] <= 1) << name(f) << x[i];
  }
}

// Every length and offset, nothing written beside; large arrays take the streaming path; threads change no bit.
TEST(Math, TailsOffsetsAndThreads) {
  for (int64_t n = 0; n < 70; ++n) {
    for (int64_t offset = 0; offset < 3; ++offset) {
      std::vector<float> x(n + 8, 0.5f), y(n + 8, -7.f);
      map(Unary::square, x.data() + offset, y.data() + offset, n);
      for (int64_t i = 0; i < n + 8; ++i) EXPECT_EQ(y[i], i >= offset && i < offset + n ? 0.25f : -7.f);
    }
  }
  const int64_t n = (int64_t{3} << 20) + 5;
  std::vector<float> x(n), one(n + 1), two(n + 1);
  for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(i % 1000) * 0.01f - 5;
  const int before = threads();
  set_threads(1);
  map(Unary::tanh, x.data(), one.data() + 1, n);
  set_threads(2);
  map(Unary::tanh, x.data(), two.data(), n);
  set_threads(before);
  EXPECT_TRUE(std::equal(two.begin(), two.begin() + n, one.begin() + 1));
  EXPECT_NEAR(two[n - 1], std::tanh(x[n - 1]), 1e-6);
}

}  // namespace
}  // namespace heed::kernels
