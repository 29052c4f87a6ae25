#include "attention/engine/visible.h"

#include <type_traits>

#include "hwy/cache_control.h"
#include "hwy/highway.h"

namespace heed::attention {

uint64_t bits_of(const Interval& keys, int64_t first) {
  const Interval in = keys & Interval{first, first + kPanel};
  if (in.empty()) return 0;
  const uint64_t from = ~uint64_t{0} << (in.begin - first);
  return in.end - first == kPanel ? from : from & ((uint64_t{1} << (in.end - first)) - 1);
}

namespace {

// A bit for each of at most 64 bytes that is not 0.
uint64_t bits_of(const uint8_t* bytes, int64_t count) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::CappedTag<uint8_t, kPanel> d;
  // As many bits as a vector has bytes: read as they were written, they stay in a register.
  using Bits = std::conditional_t<hn::MaxLanes(d) == 64, uint64_t,
                                  std::conditional_t<hn::MaxLanes(d) == 32, uint32_t, uint16_t>>;
  constexpr int64_t kBytes = 8 * sizeof(Bits);
  uint64_t all = 0;
  int64_t j = 0;
  for (; j + kBytes <= count; j += kBytes) {
    Bits bits = 0;
    hn::StoreMaskBits(d, hn::Ne(hn::LoadU(d, bytes + j), hn::Zero(d)), reinterpret_cast<uint8_t*>(&bits));
    all |= static_cast<uint64_t>(bits) << j;
  }
  for (; j < count; ++j) all |= static_cast<uint64_t>(bytes[j] != 0) << j;
  return all;
}

}  // namespace

// Gives each batch and each head intervals of its own.
void Visible::spread(int64_t batches, int64_t heads) {
  if (batches <= batches_ && heads <= heads_) return;
  batches = std::max(batches, batches_), heads = std::max(heads, heads_);
  std::vector<Interval> all;
  all.reserve(static_cast<size_t>(batches * heads * queries_));
  for (int64_t b = 0; b < batches; ++b)
    for (int64_t h = 0; h < heads; ++h) all.insert(all.end(), row(b, h, 0), row(b, h, 0) + queries_);
  intervals_ = std::move(all), batches_ = batches, heads_ = heads;
}

uint64_t Visible::bits(int64_t b, int64_t h, int64_t i, int64_t first) const {
  uint64_t bits = bits_of(*row(b, h, i), first);
  if (bits != 0 && mask_.data) {
    // A line of each of many rows, far apart: those of the next panel, on whichever side, are asked for ahead.
    const uint8_t* at = mask_.data + b * mask_.batch + h * mask_.head + i * mask_.row + first;
    if (first >= kPanel) hwy::Prefetch(at - kPanel);
    if (first + kPanel < keys_) hwy::Prefetch(at + kPanel);
    bits &= bits_of(at, std::min(kPanel, keys_ - first));
  }
  for (const auto& pattern : patterns_)
    if (bits != 0) bits &= pattern->bits(i, first);
  return bits;
}

}  // namespace heed::attention
