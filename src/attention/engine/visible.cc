#include "attention/engine/visible.h"

namespace heed::attention {

uint64_t bits_of(const Interval& keys, int64_t first) {
  const Interval in = keys & Interval{first, first + kPanel};
  if (in.empty()) return 0;
  const uint64_t from = ~uint64_t{0} << (in.begin - first);
  return in.end - first == kPanel ? from : from & ((uint64_t{1} << (in.end - first)) - 1);
}

namespace {

uint64_t bits_of(const uint8_t* bytes, int64_t count) {
  uint64_t bits = 0;
  for (int64_t j = 0; j < count; ++j) bits |= static_cast<uint64_t>(bytes[j] != 0) << j;
  return bits;
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
  if (bits != 0 && mask_.data)
    bits &=
        bits_of(mask_.data + b * mask_.batch + h * mask_.head + i * mask_.row + first, std::min(kPanel, keys_ - first));
  for (const auto& pattern : patterns_)
    if (bits != 0) bits &= pattern->bits(i, first);
  return bits;
}

}  // namespace heed::attention
