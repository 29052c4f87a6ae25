#include "bench/peaks.h"

#include <algorithm>
#include <cstdint>

#include "base/clock.h"
#include "base/threads.h"
#include "hwy/aligned_allocator.h"
#include "hwy/cache_control.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/peaks.cc"
#include "hwy/foreach_target.h"
// After Highway's own.
#include "kernels/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::bench {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Twelve chains keep two units of latency four (and most others) busy, and fit into sixteen registers. Returns the
// number of operations; the sum goes to `sink`, so that nothing is optimised away.
double multiply_add(int64_t rounds, float* sink) {
  const hn::ScalableTag<float> d;
  const auto a = hn::Set(d, 0.5f), b = hn::Set(d, 0.25f);
  // Different starts: of equal chains a compiler keeps one.
  const auto start = [d](int i) { return hn::Set(d, static_cast<float>(i)); };
  auto c0 = start(0), c1 = start(1), c2 = start(2), c3 = start(3), c4 = start(4), c5 = start(5), c6 = start(6),
       c7 = start(7), c8 = start(8), c9 = start(9), c10 = start(10), c11 = start(11);
  for (int64_t i = 0; i < rounds; ++i) {
    c0 = hn::MulAdd(c0, a, b), c1 = hn::MulAdd(c1, a, b), c2 = hn::MulAdd(c2, a, b), c3 = hn::MulAdd(c3, a, b);
    c4 = hn::MulAdd(c4, a, b), c5 = hn::MulAdd(c5, a, b), c6 = hn::MulAdd(c6, a, b), c7 = hn::MulAdd(c7, a, b);
    c8 = hn::MulAdd(c8, a, b), c9 = hn::MulAdd(c9, a, b), c10 = hn::MulAdd(c10, a, b), c11 = hn::MulAdd(c11, a, b);
  }
  const auto s0 = hn::Add(hn::Add(c0, c1), hn::Add(c2, c3)), s1 = hn::Add(hn::Add(c4, c5), hn::Add(c6, c7)),
             s2 = hn::Add(hn::Add(c8, c9), hn::Add(c10, c11));
  *sink = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), s2)));
  return 2.0 * 12 * static_cast<double>(hn::Lanes(d) * rounds);
}

// The same of bf16 pairs, where there are such.
double multiply_pairs([[maybe_unused]] int64_t rounds, [[maybe_unused]] float* sink) {
#if HEED_HAS_PAIRS
  namespace kn = kernels::HWY_NAMESPACE;
  const hn::ScalableTag<float> d;
  const auto a = hn::Set(d, 0.5f), b = hn::Set(d, 0.25f);
  kn::PairVector sum[12];
  for (int i = 0; i < 12; ++i) sum[i] = hn::Set(d, static_cast<float>(i));
  for (int64_t i = 0; i < rounds; ++i)
    HWY_UNROLL(12) for (int j = 0; j < 12; ++j) sum[j] = kn::add_pair_products(a, b, sum[j]);
  for (int i = 1; i < 12; ++i) sum[0] = hn::Add(sum[0], sum[i]);
  *sink = hn::GetLane(hn::SumOfLanes(d, sum[0]));
  return 4.0 * 12 * static_cast<double>(hn::Lanes(d) * rounds);
#else
  return 0;
#endif
}

// n is a multiple of 64, pointers are aligned.
float read(const float* HWY_RESTRICT x, int64_t n) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  for (int64_t i = 0; i < n; i += 4 * lanes) {
    s0 = hn::Add(s0, hn::Load(d, x + i)), s1 = hn::Add(s1, hn::Load(d, x + i + lanes));
    s2 = hn::Add(s2, hn::Load(d, x + i + 2 * lanes)), s3 = hn::Add(s3, hn::Load(d, x + i + 3 * lanes));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}

void copy(const float* HWY_RESTRICT x, float* HWY_RESTRICT y, int64_t n) {
  const hn::ScalableTag<float> d;
  for (int64_t i = 0; i < n; i += hn::Lanes(d)) hn::Stream(hn::Load(d, x + i), d, y + i);
  hwy::FlushStream();
}

void triad(const float* HWY_RESTRICT x, const float* HWY_RESTRICT y, float* HWY_RESTRICT z, int64_t n) {
  const hn::ScalableTag<float> d;
  const auto half = hn::Set(d, 0.5f);
  for (int64_t i = 0; i < n; i += hn::Lanes(d))
    hn::Stream(hn::MulAdd(half, hn::Load(d, y + i), hn::Load(d, x + i)), d, z + i);
  hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::bench {
namespace {

HWY_EXPORT(multiply_add);
HWY_EXPORT(multiply_pairs);
HWY_EXPORT(read);
HWY_EXPORT(copy);
HWY_EXPORT(triad);

volatile float sink;  // what no compiler may leave out

template <class F>
double best_seconds(int repeats, const F& f) {
  double best = 1e9;
  for (int i = 0; i < repeats; ++i) {
    const double start = seconds();
    f();
    best = std::min(best, seconds() - start);
  }
  return best;
}

// Three buffers of 64 MB: together six times the largest cache of the processors in use.
constexpr int64_t kFloats = int64_t{1} << 24;
struct Buffers {
  hwy::AlignedFreeUniquePtr<float[]> x = hwy::AllocateAligned<float>(kFloats), y = hwy::AllocateAligned<float>(kFloats),
                                     z = hwy::AllocateAligned<float>(kFloats);
  Buffers() {
    for (float* p : {x.get(), y.get(), z.get()}) std::fill(p, p + kFloats, 1.0f);
  }
};

// body(begin, end) over the floats of a buffer, in parts of whole vectors.
template <class Body>
void each_part(const Body& body) {
  parallel(kFloats / 64, 1, [&](int64_t begin, int64_t end) { body(begin * 64, end * 64); });
}

double flops_of(double (*multiply)(int64_t, float*)) {
  double operations = 0;
  const double time = best_seconds(6, [&] {
    parallel(threads(), 1, [&](int64_t begin, int64_t) {
      float sum;
      const double done = multiply(1 << 19, &sum);
      sink = sum;
      if (begin == 0) operations = done;
    });
  });
  return operations * threads() / time;
}

}  // namespace

double measure_flops() {
  return flops_of([](int64_t rounds, float* to) { return HWY_DYNAMIC_DISPATCH(multiply_add)(rounds, to); });
}
double measure_bf16_flops() {
  if (!kernels::multiplies_pairs()) return measure_flops();
  return flops_of([](int64_t rounds, float* to) { return HWY_DYNAMIC_DISPATCH(multiply_pairs)(rounds, to); });
}

double measure_bandwidth() {
  static const Buffers b;
  const auto sum = [](const float* x, int64_t n) { sink = HWY_DYNAMIC_DISPATCH(read)(x, n); };
  const double reading = best_seconds(3, [&] {
    each_part([&](int64_t i, int64_t end) { sum(b.x.get() + i, end - i); });
    each_part([&](int64_t i, int64_t end) { sum(b.y.get() + i, end - i); });
  });
  const double copying = best_seconds(2, [&] {
    each_part([&](int64_t i, int64_t end) { HWY_DYNAMIC_DISPATCH(copy)(&b.x[i], &b.y[i], end - i); });
  });
  const double adding = best_seconds(2, [&] {
    each_part([&](int64_t i, int64_t end) { HWY_DYNAMIC_DISPATCH(triad)(&b.x[i], &b.y[i], &b.z[i], end - i); });
  });
  const double bytes = 4.0 * kFloats;
  return std::max({2 * bytes / reading, 2 * bytes / copying, 3 * bytes / adding});
}

double measure_clock() {
  constexpr int64_t kProducts = 1 << 20;
  uint64_t x = 3, factor = 5;
  const double time = best_seconds(5, [&] {
    for (int64_t i = 0; i < kProducts; ++i) {
      x *= factor;
      asm volatile("" : "+r"(x), "+r"(factor));
    }
  });
  return 3.0 * kProducts / time;
}

}  // namespace heed::bench
#endif
