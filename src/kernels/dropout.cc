#include "kernels/dropout.h"

#include <cmath>
#include <cstring>

#include "base/philox.h"
#include "base/threads.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dropout.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway's own, in this order.
#include "kernels/lanes-inl.h"
#include "kernels/streaming.h"

#ifndef HEED_KERNELS_DROPOUT_ONCE
#define HEED_KERNELS_DROPOUT_ONCE
namespace heed::kernels {

constexpr int64_t kDropoutBlock = 128;

struct DropoutRule {
  uint32_t threshold;  // a half word below it drops the element
  double scale;

  explicit DropoutRule(double p)
      : threshold(static_cast<uint32_t>(std::lround(p * 65536))), scale(p < 1 ? 1 / (1 - p) : 0) {}
};

}  // namespace heed::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

using WordTag = hn::Repartition<uint32_t, FloatTag>;
using PairTag = hn::Repartition<uint64_t, FloatTag>;
using Words = hn::Vec<WordTag>;
using Pairs = hn::Vec<PairTag>;
constexpr WordTag kWords;
constexpr PairTag kPairs;

// Philox counters in the low halves of 64-bit lanes; the high halves may hold anything, the products do not read them.
struct Counters {
  Pairs word[4];
};

HWY_INLINE Words as_words(Pairs v) { return hn::BitCast(kWords, v); }

HWY_INLINE void philox_round(Counters& c, uint32_t key0, uint32_t key1) {
  const Pairs p0 = hn::MulEven(as_words(c.word[0]), hn::Set(kWords, kPhiloxMultiplier0));
  const Pairs p1 = hn::MulEven(as_words(c.word[2]), hn::Set(kWords, kPhiloxMultiplier1));
  c.word[0] = hn::Xor3(hn::ShiftRight<32>(p1), c.word[1], hn::Set(kPairs, key0));
  c.word[2] = hn::Xor3(hn::ShiftRight<32>(p0), c.word[3], hn::Set(kPairs, key1));
  c.word[1] = p1;
  c.word[3] = p0;
}

// Lane k of word w is word w of philox(key, position + k).
HWY_INLINE void philox_lanes(const DropoutKey& key, uint64_t position, Words (&words)[4]) {
  const Pairs even = hn::Add(hn::Set(kPairs, position), hn::ShiftLeft<1>(hn::Iota(kPairs, 0)));
  const Pairs odd = hn::Add(even, hn::Set(kPairs, uint64_t{1}));
  const Pairs stream = hn::Set(kPairs, key.stream), stream_high = hn::Set(kPairs, key.stream >> 32);
  Counters c[2] = {{{even, hn::ShiftRight<32>(even), stream, stream_high}},
                   {{odd, hn::ShiftRight<32>(odd), stream, stream_high}}};
  auto key0 = static_cast<uint32_t>(key.seed), key1 = static_cast<uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    philox_round(c[0], key0, key1);
    philox_round(c[1], key0, key1);
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  for (int w = 0; w < 4; ++w) words[w] = hn::OddEven(as_words(hn::ShiftLeft<32>(c[1].word[w])), as_words(c[0].word[w]));
}

// Elements [128 block, 128 block + count), count <= 128, through mask(i, kept lanes): i is even to the vector's lanes.
template <class Visit>
HWY_INLINE void visit_block(const DropoutKey& key, int64_t block, uint32_t threshold, const Visit& visit) {
  const Words limit = hn::Set(kWords, threshold), low = hn::Set(kWords, 0xFFFFu);
  for (int64_t part = 0; part < 16; part += kFloatLanes) {
    Words words[4];
    philox_lanes(key, key.position + static_cast<uint64_t>(16 * block + part), words);
    for (int64_t w = 0; w < 4; ++w) {
      const auto drop_low = hn::Lt(hn::And(words[w], low), limit);
      const auto drop_high = hn::Lt(hn::ShiftRight<16>(words[w]), limit);
      visit(32 * w + part, hn::RebindMask(kFloats, drop_low));
      visit(32 * w + 16 + part, hn::RebindMask(kFloats, drop_high));
    }
  }
}

void drop_blocks(const float* x, float* out, int64_t n, const DropoutRule& rule, const DropoutKey& key, bool stream) {
  const FloatVector scale = hn::Set(kFloats, static_cast<float>(rule.scale)), zero = hn::Zero(kFloats);
  for (int64_t begin = 0; begin < n; begin += kDropoutBlock) {
    const int64_t rest = n - begin;
    visit_block(key, begin / kDropoutBlock, rule.threshold, [&](int64_t i, auto dropped) HWY_ATTR {
      const auto kept = [&](const auto lanes) HWY_ATTR {
        return hn::IfThenElse(dropped, zero, hn::Mul(lanes.load(x + begin + i), scale));
      };
      if (i + kFloatLanes <= rest) {
        const FloatVector y = kept(WholeLanes{});
        if (stream)
          hn::Stream(y, kFloats, out + begin + i);
        else
          hn::StoreU(y, kFloats, out + begin + i);
      } else if (i < rest) {
        const FirstLanes lanes{hn::FirstN(kFloats, static_cast<size_t>(rest - i))};
        lanes.store(kept(lanes), out + begin + i);
      }
    });
  }
  if (stream) hwy::FlushStream();
}

void keep_bits(const DropoutKey& key, uint32_t threshold, int64_t block, int64_t step, int64_t count, uint64_t* keep) {
  for (int64_t r = 0; r < count; ++r, keep += 2) {
    keep[0] = keep[1] = ~uint64_t{0};
    visit_block(key, block + r * step, threshold, [&](int64_t i, auto dropped) HWY_ATTR {
      uint8_t bytes[8] = {};
      hn::StoreMaskBits(kFloats, dropped, bytes);
      uint64_t bits;
      std::memcpy(&bits, bytes, sizeof bits);
      keep[i / 64] &= ~(bits << i % 64);
    });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
HWY_EXPORT(drop_blocks);
HWY_EXPORT(keep_bits);

namespace {

// body(begin, count, key): contiguous elements that start at a block.
template <class Body>
void for_dropout_blocks(int64_t n, DropoutKey key, const Body& body) {
  parallel((n + kDropoutBlock - 1) / kDropoutBlock, 64, [&](int64_t first, int64_t last) {
    const int64_t begin = first * kDropoutBlock;
    body(begin, std::min(n, last * kDropoutBlock) - begin,
         DropoutKey{key.seed, key.stream, key.position + 16 * static_cast<uint64_t>(first)});
  });
}

uint32_t decision(const DropoutKey& key, int64_t i) {
  const auto e = static_cast<uint64_t>(i % kDropoutBlock), block = static_cast<uint64_t>(i / kDropoutBlock);
  const uint32_t word = philox(key.seed, key.stream, key.position + 16 * block + e % 16)[e / 32];
  return e % 32 < 16 ? word & 0xFFFF : word >> 16;
}

}  // namespace

void dropout_bits(const DropoutKey& key, double p, int64_t block, int64_t step, int64_t count, uint64_t* keep) {
  HWY_DYNAMIC_DISPATCH(keep_bits)(key, DropoutRule(p).threshold, block, step, count, keep);
}

void dropout(const float* x, float* out, int64_t n, double p, DropoutKey key) {
  const DropoutRule rule(p);
  const bool stream = streams(out, n, x == out) && reinterpret_cast<uintptr_t>(out) % 64 == 0;
  for_dropout_blocks(n, key, [&](int64_t begin, int64_t count, const DropoutKey& part) {
    HWY_DYNAMIC_DISPATCH(drop_blocks)(x + begin, out + begin, count, rule, part, stream);
  });
}

void dropout(const double* x, double* out, int64_t n, double p, DropoutKey key) {
  const DropoutRule rule(p);
  for_dropout_blocks(n, key, [&](int64_t begin, int64_t count, const DropoutKey& part) {
    for (int64_t i = 0; i < count; ++i)
      out[begin + i] = decision(part, i) < rule.threshold ? 0 : x[begin + i] * rule.scale;
  });
}

}  // namespace heed::kernels
#endif
