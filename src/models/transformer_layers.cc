#include "models/transformer_layers.h"

#include <cmath>

#include "base/check.h"

namespace heed {

Norm::Norm(const LayerConfig& c) : weight(Tensor::full({c.width}, 1).requires_grad(true)), epsilon(c.norm_epsilon) {
  if (c.norm == NormKind::layer) bias = heed::weight({c.width});
}
Tensor Norm::operator()(const Tensor& x) const {
  return bias.defined() ? layer_norm(x, weight, bias, epsilon) : rms_norm(x, weight, epsilon);
}
Tensor Norm::of_sum(const Tensor& x, const Tensor& residual) const {
  return bias.defined() ? layer_norm_residual(x, residual, weight, bias, epsilon).norm
                        : rms_norm_residual(x, residual, weight, epsilon).norm;
}

namespace {

// sin(p·10000^(−2c/D)) in column 2c, the cosine in column 2c + 1; or the sines of all c, then the cosines.
Tensor sinusoids(int64_t places, const LayerConfig& config) {
  const int64_t width = config.width, sines = (width + 1) / 2;
  const bool halves = config.position == "sinusoidal_halves";
  Tensor table({places, width});
  float* x = table.data<float>();
  for (int64_t p = 0; p < places; ++p)
    for (int64_t c = 0; c < width; ++c) {
      const auto even = static_cast<double>(c - c % 2);
      const double angle = static_cast<double>(p) * std::pow(10000.0, -even / static_cast<double>(width));
      const int64_t column = halves ? c / 2 + c % 2 * sines : c;
      x[p * width + column] = static_cast<float>(c % 2 ? std::cos(angle) : std::sin(angle));
    }
  return table;
}

// Where each place stands in its own text.
Tensor places_within(const Tensor& documents) {
  Tensor places(documents.shape(), Dtype::i64);
  const auto of = documents.span<int64_t>();
  int64_t* place = places.data<int64_t>();
  const int64_t width = documents.dim(1);
  for (int64_t n = 0; n < documents.numel(); ++n) {
    const bool begins = n % width == 0 || of[static_cast<size_t>(n)] != of[static_cast<size_t>(n - 1)];
    place[n] = begins ? 0 : place[n - 1] + 1;
  }
  return places;
}

}  // namespace

PlacedEmbedding::PlacedEmbedding(int64_t count, const LayerConfig& c) : words(count, c.width), config(c) {
  if (c.position == "learned") initialize::normal(places = weight({c.longest, c.width}), 0, 0.02);
  if (is_sinusoidal(c)) places = sinusoids(c.longest, c);
}

Tensor PlacedEmbedding::operator()(const Tensor& ids, const Places& read, const Pass& pass,
                                   const Tensor& documents) const {
  Tensor x = pass.shown("words", words(ids));
  if (config.scale_embedding) x = x * std::sqrt(static_cast<double>(config.width));
  if (!places.defined()) return dropped(x, config.dropout, pass);
  const int64_t last = read.furthest(ids.dim(1));
  check(last <= config.longest || is_sinusoidal(config), "transformer",
        "a text of {} tokens: places are learned for {}", last, config.longest);
  const Tensor table = last <= config.longest ? places : sinusoids(last, config);
  x = x + (documents.defined() ? embedding(table, places_within(documents)) : read.rows_of(table, ids.dim(1)));
  return dropped(x, config.dropout, pass);
}

}  // namespace heed
