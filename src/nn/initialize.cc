#include <heed/nn.h>

#include <cmath>

#include "base/check.h"
#include "nn/uninitialized.h"
#include "tensor/shape_format.h"

namespace heed::initialize {
namespace {

thread_local int skips = 0;

struct Fans {
  double in, out;
};

Fans fans(const Tensor& weight) {
  check(weight.rank() >= 2, "initialize",
        "a weight of shape {} has no inputs and outputs, wanted two dimensions or more", weight.shape());
  const double kernel = static_cast<double>(weight.numel()) / static_cast<double>(weight.dim(0) * weight.dim(1));
  return {static_cast<double>(weight.dim(1)) * kernel, static_cast<double>(weight.dim(0)) * kernel};
}

// weight = value(u) for uniform u, in the order of the elements.
template <class Value>
void set_each(Tensor& weight, const Tensor& numbers, const Value& value) {
  Tensor drawn(weight.shape(), Dtype::f64);
  const double* from = numbers.data<double>();
  double* to = drawn.data<double>();
  for (int64_t i = 0; i < drawn.numel(); ++i) to[i] = value(from[i]);
  weight.copy_from(drawn);
}

// Makes the rows of a (rows <= columns) orthonormal, one after the other (Gram-Schmidt, each row twice for accuracy).
void orthonormalise(double* a, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    double* row = a + r * columns;
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t before = 0; before < r; ++before) {
        const double* other = a + before * columns;
        double dot = 0;
        for (int64_t c = 0; c < columns; ++c) dot += row[c] * other[c];
        for (int64_t c = 0; c < columns; ++c) row[c] -= dot * other[c];
      }
    double square = 0;
    for (int64_t c = 0; c < columns; ++c) square += row[c] * row[c];
    const double norm = std::sqrt(square);
    for (int64_t c = 0; c < columns; ++c) row[c] /= norm;
  }
}

}  // namespace

Skip::Skip() { ++skips; }
Skip::~Skip() { --skips; }

void uniform(Tensor weight, double low, double high, Random& from) {
  if (skips > 0) return;
  set_each(weight, rand(weight.shape(), from, Dtype::f64), [=](double u) { return low + (high - low) * u; });
}

void normal(Tensor weight, double mean, double deviation, Random& from) {
  if (skips > 0) return;
  set_each(weight, randn(weight.shape(), from, Dtype::f64), [=](double z) { return mean + deviation * z; });
}

// Drawn again until within two deviations: round after round for all elements, so that each has its own numbers.
void truncated_normal(Tensor weight, double mean, double deviation, Random& from) {
  if (skips > 0) return;
  Tensor drawn = randn(weight.shape(), from, Dtype::f64);
  double* z = drawn.data<double>();
  for (bool again = true; again;) {
    again = false;
    const Tensor next = randn(weight.shape(), from, Dtype::f64);
    for (int64_t i = 0; i < drawn.numel(); ++i)
      if (std::abs(z[i]) > 2) z[i] = next.data<double>()[i], again |= std::abs(z[i]) > 2;
  }
  set_each(weight, drawn, [=](double z) { return mean + deviation * z; });
}

void glorot_uniform(Tensor weight, double gain, Random& from) {
  const Fans fan = fans(weight);
  const double limit = gain * std::sqrt(6 / (fan.in + fan.out));
  uniform(weight, -limit, limit, from);
}

void glorot_normal(Tensor weight, double gain, Random& from) {
  const Fans fan = fans(weight);
  normal(weight, 0, gain * std::sqrt(2 / (fan.in + fan.out)), from);
}

void he_uniform(Tensor weight, Random& from) {
  const double limit = std::sqrt(6 / fans(weight).in);
  uniform(weight, -limit, limit, from);
}

void he_normal(Tensor weight, Random& from) { normal(weight, 0, std::sqrt(2 / fans(weight).in), from); }

// The shorter side of the (out, rest) matrix is made orthonormal.
void orthogonal(Tensor weight, double gain, Random& from) {
  check(weight.rank() >= 2, "initialize", "orthogonal wants two dimensions or more, got shape {}", weight.shape());
  if (skips > 0 || weight.numel() == 0) return;
  const int64_t out = weight.dim(0), rest = weight.numel() / out;
  const int64_t rows = std::min(out, rest), columns = std::max(out, rest);
  Tensor matrix = randn({rows, columns}, from, Dtype::f64);
  orthonormalise(matrix.data<double>(), rows, columns);
  const Tensor oriented = out <= rest ? matrix : matrix.transpose(0, 1).packed();
  set_each(weight, oriented, [=](double value) { return gain * value; });
}

}  // namespace heed::initialize
