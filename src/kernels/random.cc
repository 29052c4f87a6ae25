#include "kernels/random.h"

#include <bit>
#include <cmath>
#include <utility>

#include "base/philox.h"
#include "base/threads.h"

namespace heed::kernels {
namespace {

constexpr double kPi = 3.14159265358979323846, kLn2 = 0.69314718055994530942;

// ln x = e ln 2 + 2 artanh((m−1)/(m+1)) for x = m 2^e, m in [√½, √2). x is positive and normal.
double natural_log(double x) {
  uint64_t bits = std::bit_cast<uint64_t>(x);
  const uint64_t shift = bits - std::bit_cast<uint64_t>(0.70710678118654752440);
  const auto exponent = static_cast<int64_t>(shift) >> 52;
  bits -= static_cast<uint64_t>(exponent) << 52;
  const double m = std::bit_cast<double>(bits), s = (m - 1) / (m + 1), q = s * s;
  double sum = 1.0 / 21;
  for (int k = 19; k >= 1; k -= 2) sum = sum * q + 1.0 / k;
  return static_cast<double>(exponent) * kLn2 + 2 * s * sum;
}

// cos and sin of 2πu, u in [0, 1): by quarter turns, and Taylor's series within ±π/4.
std::pair<double, double> on_the_circle(double u) {
  const auto quarter = static_cast<int64_t>(u * 4 + 0.5);
  const double x = (u * 4 - static_cast<double>(quarter)) * (kPi / 2), q = x * x;
  double sine = 1, cosine = 1;
  for (int k = 16; k >= 2; k -= 2) {
    sine = 1 - sine * q / (k * (k + 1));
    cosine = 1 - cosine * q / (k * (k - 1));
  }
  sine *= x;
  switch (quarter & 3) {
    case 0: return {cosine, sine};
    case 1: return {-sine, cosine};
    case 2: return {-cosine, -sine};
    default: return {sine, -cosine};
  }
}

std::pair<double, double> box_muller(double u, double v) {
  const double radius = std::sqrt(-2 * natural_log(u));
  const auto [cosine, sine] = on_the_circle(v);
  return {radius * cosine, radius * sine};
}

// 53 bits in [0, 1), and in (0, 1) for the logarithm.
double fraction(uint32_t high, uint32_t low) {
  return static_cast<double>((uint64_t{high} << 32 | low) >> 11) * 0x1p-53;
}
double open_fraction(uint32_t high, uint32_t low) { return fraction(high, low) + 0x1p-54; }

// A float has room for 32 bits less: one word each.
double word_fraction(uint32_t word) { return word * 0x1p-32; }

// Calls four(words, numbers) or two(…) for each call of Philox, and copies what is wanted of the last one.
template <int kEach, class T, class Make>
void fill(T* out, int64_t n, const RandomKey& key, const Make& make) {
  parallel((n + kEach - 1) / kEach, 1 << 10, [&](int64_t begin, int64_t end) {
    for (int64_t call = begin; call < end; ++call) {
      T numbers[kEach];
      make(philox(key.seed, key.stream, key.position + static_cast<uint64_t>(call)), numbers);
      const int64_t count = std::min<int64_t>(kEach, n - call * kEach);
      for (int64_t i = 0; i < count; ++i) out[call * kEach + i] = numbers[i];
    }
  });
}

uint64_t join(uint32_t high, uint32_t low) { return uint64_t{high} << 32 | low; }

// x in [0, range) from 64 random bits: the upper half of the product.
uint64_t below(uint64_t bits, uint64_t range) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(bits) * range) >> 64);
}

}  // namespace

void uniform(float* out, int64_t n, const RandomKey& key) {
  fill<4>(out, n, key, [](const PhiloxWords& words, float* numbers) {
    for (size_t i = 0; i < 4; ++i) numbers[i] = static_cast<float>(words[i] >> 8) * 0x1p-24f;
  });
}

void uniform(double* out, int64_t n, const RandomKey& key) {
  fill<2>(out, n, key, [](const PhiloxWords& words, double* numbers) {
    numbers[0] = fraction(words[0], words[1]);
    numbers[1] = fraction(words[2], words[3]);
  });
}

void normal(float* out, int64_t n, const RandomKey& key) {
  fill<4>(out, n, key, [](const PhiloxWords& words, float* numbers) {
    for (size_t i = 0; i < 4; i += 2) {
      const auto [a, b] = box_muller(word_fraction(words[i]) + 0x1p-33, word_fraction(words[i + 1]));
      numbers[i] = static_cast<float>(a), numbers[i + 1] = static_cast<float>(b);
    }
  });
}

void normal(double* out, int64_t n, const RandomKey& key) {
  fill<2>(out, n, key, [](const PhiloxWords& words, double* numbers) {
    const auto [a, b] = box_muller(open_fraction(words[0], words[1]), fraction(words[2], words[3]));
    numbers[0] = a, numbers[1] = b;
  });
}

void integers(int64_t* out, int64_t n, int64_t low, int64_t high, const RandomKey& key) {
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  fill<2>(out, n, key, [=](const PhiloxWords& words, int64_t* numbers) {
    for (size_t i = 0; i < 2; ++i)
      numbers[i] =
          static_cast<int64_t>(static_cast<uint64_t>(low) + below(join(words[2 * i], words[2 * i + 1]), range));
  });
}

void permutation(int64_t* out, int64_t n, const RandomKey& key) {
  for (int64_t i = 0; i < n; ++i) out[i] = i;
  for (int64_t i = n - 1; i > 0; --i) {
    const PhiloxWords words = philox(key.seed, key.stream, key.position + static_cast<uint64_t>(i));
    std::swap(out[i], out[below(join(words[0], words[1]), static_cast<uint64_t>(i) + 1)]);
  }
}

}  // namespace heed::kernels
