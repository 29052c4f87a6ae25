// Who may look where: for each query an interval of keys, and within it, where there is a mask or a pattern, single
// keys. The engine asks for a panel of 64 keys at a time: a bit a key.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

namespace heed::attention {

inline constexpr int64_t kPanel = 64;

// The keys [begin, end).
constexpr int64_t kFar = INT64_MAX / 4;  // farther than any key: places and distances up to here add up safely
struct Interval {
  int64_t begin = 0, end = 0;
  bool empty() const { return begin >= end; }
  bool contains(const Interval& o) const { return begin <= o.begin && o.end <= end; }
  Interval operator&(const Interval& o) const { return {std::max(begin, o.begin), std::min(end, o.end)}; }
  // The smallest interval that holds both.
  Interval operator|(const Interval& o) const {
    if (empty()) return o;
    if (o.empty()) return *this;
    return {std::min(begin, o.begin), std::max(end, o.end)};
  }
};

// Of the 64 keys from `first` on, those in the interval, a bit a key.
uint64_t bits_of(const Interval& keys, int64_t first);

// A set of keys that is no interval: dilated, strided, by blocks.
class Pattern {
 public:
  virtual ~Pattern() = default;
  // Of the 64 keys from `first` on, those that query i may look at.
  virtual uint64_t bits(int64_t i, int64_t first) const = 0;
};

// A boolean tensor (B,H,T,S) by its strides; the last is 1.
struct Mask {
  const uint8_t* data = nullptr;
  int64_t batch = 0, head = 0, row = 0;
};

class Visible {
 public:
  Visible() = default;
  Visible(int64_t queries, int64_t keys)
      : keys_(keys), queries_(queries), intervals_(static_cast<size_t>(queries), {0, keys}) {}

  // Cuts each query's interval: may(b, h, i) -> Interval, for as many batches and heads as it differs by.
  template <class May>
  void restrict(const May& may, int64_t batches = 1, int64_t heads = 1) {
    spread(batches, heads);
    for (int64_t b = 0, at = 0; b < batches_; ++b)
      for (int64_t h = 0; h < heads_; ++h)
        for (int64_t i = 0; i < queries_; ++i, ++at) {
          Interval& interval = intervals_[static_cast<size_t>(at)];
          interval = interval & may(b, h, i);
          if (interval.empty()) interval = {};
        }
  }
  void set_mask(const Mask& mask) { mask_ = mask; }
  void add(std::shared_ptr<const Pattern> pattern) { patterns_.push_back(std::move(pattern)); }

  int64_t keys() const { return keys_; }
  int64_t queries() const { return queries_; }
  bool only_intervals() const { return mask_.data == nullptr && patterns_.empty(); }
  // Of query i and those after it.
  const Interval* row(int64_t b, int64_t h, int64_t i) const {
    return intervals_.data() + ((batches_ > 1 ? b * heads_ : 0) + (heads_ > 1 ? h : 0)) * queries_ + i;
  }
  // Of query i, the keys [first, first + 64): a bit for each that it may look at.
  uint64_t bits(int64_t b, int64_t h, int64_t i, int64_t first) const;

 private:
  void spread(int64_t batches, int64_t heads);

  int64_t keys_ = 0, queries_ = 0, batches_ = 1, heads_ = 1;
  std::vector<Interval> intervals_;  // (batches_, heads_, T)
  Mask mask_;
  std::vector<std::shared_ptr<const Pattern>> patterns_;
};

}  // namespace heed::attention
