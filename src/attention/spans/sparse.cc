// Spans that are no interval of keys; i' = i + S − T is the query's place among the keys.
//   block_sparse   the blocks of keys that are listed for the query's block
//   dilated(w, s)  j = i' + s·n, |n| <= w                                 Beltagy, Peters & Cohan 2020,
//   arXiv:2004.05150 strided(l)     i' − l <= j <= i', or (i' − j) mod l = 0               Child et al. 2019,
//   arXiv:1904.10509 strided_fixed(l, c)  ⌊j/l⌋ = ⌊i'/l⌋, or j mod l >= l − c; j <= i'     the same
// The two heads of Child's factorised attention are here one, their union.
#include <fmt/format.h>

#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"

namespace heed::attention {
namespace {

// Of the 64 keys from `first` on, those that are `at` modulo `step`.
uint64_t every(int64_t step, int64_t at, int64_t first) {
  uint64_t bits = 0;
  for (int64_t j = ((at - first) % step + step) % step; j < kPanel; j += step) bits |= uint64_t{1} << j;
  return bits;
}

// A span whose keys are told 64 at a time, in an interval beyond which there are none.
class Sparse : public SpanRoom {
 public:
  virtual Interval hull(int64_t place) const = 0;
  virtual uint64_t bits(int64_t place, int64_t first) const = 0;
  void prepare(Pipeline& p) const final {
    const int64_t shift = p.n.keys - p.n.queries;
    p.visible.restrict([&](int64_t, int64_t, int64_t i) { return hull(i + shift); });
    p.visible.add(std::make_shared<Keys>(clone(), shift));
  }

 private:
  struct Keys final : Pattern {
    Keys(std::unique_ptr<Sparse> of, int64_t shift) : of(std::move(of)), shift(shift) {}
    uint64_t bits(int64_t i, int64_t first) const override { return of->bits(i + shift, first); }
    std::unique_ptr<Sparse> of;
    int64_t shift;
  };
  virtual std::unique_ptr<Sparse> clone() const = 0;
};

class Dilated final : public Sparse {
 public:
  Dilated(int64_t window, int64_t step) : window_(window), step_(step) {}
  std::string name() const override { return fmt::format("dilated({}, {})", window_, step_); }
  bool computes_with_tensors() const override { return false; }
  Interval hull(int64_t place) const override { return {place - window_ * step_, place + window_ * step_ + 1}; }
  uint64_t bits(int64_t place, int64_t first) const override { return every(step_, place, first); }
  bool reference(const Plain& x, int64_t i, int64_t j) const override {
    const int64_t distance = std::abs(x.place(i) - j);
    return distance % step_ == 0 && distance / step_ <= window_;
  }

 private:
  std::unique_ptr<Sparse> clone() const override { return std::make_unique<Dilated>(*this); }
  int64_t window_, step_;
};

class Strided final : public Sparse {
 public:
  explicit Strided(int64_t step) : step_(step) {}
  std::string name() const override { return fmt::format("strided({})", step_); }
  Interval hull(int64_t place) const override { return {0, place + 1}; }
  uint64_t bits(int64_t place, int64_t first) const override {
    return bits_of({place - step_, place + 1}, first) | every(step_, place, first);
  }
  bool reference(const Plain& x, int64_t i, int64_t j) const override {
    const int64_t back = x.place(i) - j;
    return back >= 0 && (back <= step_ || back % step_ == 0);
  }

 private:
  std::unique_ptr<Sparse> clone() const override { return std::make_unique<Strided>(*this); }
  int64_t step_;
};

class StridedFixed final : public Sparse {
 public:
  StridedFixed(int64_t step, int64_t summary) : step_(step), summary_(summary) {}
  std::string name() const override { return fmt::format("strided_fixed({}, {})", step_, summary_); }
  bool counts_from_first() const override { return true; }
  Interval hull(int64_t place) const override { return {0, place + 1}; }
  uint64_t bits(int64_t place, int64_t first) const override {
    uint64_t seen = bits_of({place / step_ * step_, place + 1}, first);
    for (int64_t j = 0; j < kPanel; ++j)
      if ((first + j) % step_ >= step_ - summary_) seen |= uint64_t{1} << j;
    return seen;
  }
  bool reference(const Plain& x, int64_t i, int64_t j) const override {
    const int64_t place = x.place(i);
    return j <= place && (j / step_ == place / step_ || j % step_ >= step_ - summary_);
  }

 private:
  std::unique_ptr<Sparse> clone() const override { return std::make_unique<StridedFixed>(*this); }
  int64_t step_, summary_;
};

class BlockSparse final : public SpanRoom {
 public:
  BlockSparse(std::vector<std::vector<int64_t>> blocks, int64_t size) : blocks_(std::move(blocks)), size_(size) {}
  std::string name() const override { return fmt::format("block_sparse of blocks of {}", size_); }
  bool counts_from_first() const override { return true; }
  bool computes_with_tensors() const override { return false; }
  void prepare(Pipeline& p) const override {
    const int64_t rows = (p.n.queries + size_ - 1) / size_, columns = (p.n.keys + size_ - 1) / size_;
    check(static_cast<int64_t>(blocks_.size()) == rows, "attend",
          "block_sparse lists {} blocks of queries, {} queries have {}", blocks_.size(), p.n.queries, rows);
    auto keys = std::make_shared<Keys>(size_);
    for (const auto& row : blocks_) {
      keys->seen.emplace_back(static_cast<size_t>(columns), false);
      for (const int64_t block : row) {
        check(block < columns, "attend", "block_sparse lists block {} of {}", block, columns);
        keys->seen.back()[static_cast<size_t>(block)] = true;
      }
    }
    p.visible.restrict([&](int64_t, int64_t, int64_t i) { return hull(i); });
    p.visible.add(std::move(keys));
  }
  bool reference(const Plain&, int64_t i, int64_t j) const override {
    const auto& row = blocks_[static_cast<size_t>(i / size_)];
    return std::find(row.begin(), row.end(), j / size_) != row.end();
  }

 private:
  struct Keys final : Pattern {
    explicit Keys(int64_t size) : size(size) {}
    uint64_t bits(int64_t i, int64_t first) const override {
      const auto& row = seen[static_cast<size_t>(i / size)];
      uint64_t bits = 0;
      for (int64_t b = first / size; b * size < first + kPanel && b < static_cast<int64_t>(row.size()); ++b)
        if (row[static_cast<size_t>(b)]) bits |= bits_of({b * size, (b + 1) * size}, first);
      return bits;
    }
    int64_t size;
    std::vector<std::vector<bool>> seen;  // [block of queries][block of keys]
  };
  Interval hull(int64_t i) const {
    Interval all;
    for (const int64_t block : blocks_[static_cast<size_t>(i / size_)])
      all = all | Interval{block * size_, (block + 1) * size_};
    return all;
  }
  std::vector<std::vector<int64_t>> blocks_;
  int64_t size_;
};

// Each block of queries sees its own block, the one before, and the first.
std::vector<std::vector<int64_t>> example_blocks(const Sizes& n, int64_t size) {
  const int64_t columns = (n.keys + size - 1) / size;
  std::vector<std::vector<int64_t>> blocks;
  for (int64_t row = 0; row * size < n.queries; ++row) {
    blocks.emplace_back();
    for (const int64_t block : {int64_t{0}, row - 1, row})
      if (block >= 0 && block < columns) blocks.back().push_back(block);
  }
  return blocks;
}

}  // namespace

Mechanism block_sparse_row() {
  return {.name = "block_sparse",
          .year = 2019,
          .paper = "Child et al. 2019, arXiv:1904.10509",
          .formula = "softmax(Q Kᵀ / √D, ⌊j / n⌋ ∈ B(⌊i / n⌋)) V",
          .cost = "O(|B|·n²·D) time, O(T) memory",
          .purpose = {"Any pattern of blocks, listed: what is not listed is not computed.",
                      "任意的块状模式，逐块列出；未列出的块不参与计算。"},
          .trap = {"Blocks of fewer than 32 keys save little: that is the width of what is computed at once.",
                   "小于 32 个键的块几乎省不了时间：这是一次计算的宽度。"},
          .code = "heed::attend(q, k, v, {.span = heed::block_sparse({{0}, {0, 1}, {0, 2}}, 64)})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes& n) {
            return AttendOptions{.span = block_sparse(example_blocks(n, 4), 4)};
          }};
}

Mechanism dilated_row() {
  return {.name = "dilated",
          .year = 2020,
          .paper = "Beltagy, Peters & Cohan 2020, arXiv:2004.05150",
          .formula = "softmax(Q Kᵀ / √D, j = i + s·n, |n| ≤ w) V",
          .cost = "O(T·w·s·D) time, O(T) memory",
          .purpose = {"A window with gaps: few layers reach far, each at the cost of a window.",
                      "带间隔的窗口：少数几层即可看得很远，每层代价仍与窗口相当。"},
          .trap = {"With the same step in all heads most pairs never meet; let heads or layers differ.",
                   "若所有头步长相同，大多数位置对永远不会相遇；应让不同的头或层使用不同步长。"},
          .code = "heed::attend(q, k, v, {.span = heed::dilated(8, 4)})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.span = dilated(5, 3)}; }};
}

Mechanism strided_row() {
  return {.name = "strided",
          .year = 2019,
          .paper = "Child et al. 2019, arXiv:1904.10509",
          .formula = "softmax(Q Kᵀ / √D, 0 ≤ i − j ≤ l ∨ i − j ≡ 0 (mod l)) V",
          .cost = "O(T·√S·D) time for l = √S, O(T) memory",
          .purpose = {"Every pair is two steps apart: the last l places, and every l-th. For images and sound.",
                      "任意两个位置两步可达：最近的 l 个位置，以及每隔 l 个取一个。适用于图像与声音。"},
          .trap = {"Data without a period of l (texts) do better with strided_fixed.",
                   "对没有周期 l 的数据（如文本），strided_fixed 更合适。"},
          .code = "heed::attend(q, k, v, {.span = heed::strided(64)})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.span = strided(3)}; }};
}

Mechanism strided_fixed_row() {
  return {.name = "strided_fixed",
          .year = 2019,
          .paper = "Child et al. 2019, arXiv:1904.10509",
          .formula = "softmax(Q Kᵀ / √D, j ≤ i, ⌊j / l⌋ = ⌊i / l⌋ ∨ j mod l ≥ l − c) V",
          .cost = "O(T·√S·D) time for l = √S, O(T) memory",
          .purpose = {"Each block of l is seen by itself and, by its last c places, by all that come later. For texts.",
                      "每个长为 l 的块内部可见，其末尾 c 个位置作为摘要供之后所有位置查看。适用于文本。"},
          .trap = {"With c = 1 one place carries a whole block; the paper takes 8 to 32, and another part of the "
                   "summary for each head.",
                   "c = 1 时一个位置要承载整个块；论文取 8 至 32，且每个头取摘要的不同部分。"},
          .code = "heed::attend(q, k, v, {.span = heed::strided_fixed(128, 8)})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.span = strided_fixed(5, 2)}; }};
}

}  // namespace heed::attention

namespace heed {

Span block_sparse(const std::vector<std::vector<int64_t>>& blocks, int64_t size) {
  check(size > 0, "block_sparse", "blocks of {} keys: wanted at least 1", size);
  for (const auto& row : blocks)
    for (const int64_t block : row) check(block >= 0, "block_sparse", "block {}: wanted 0 or more", block);
  return {std::make_shared<attention::BlockSparse>(blocks, std::min(size, attention::kFar))};
}
Span dilated(int64_t window, int64_t step) {
  check(window >= 0 && step >= 1, "dilated",
        "a window of {} with a step of {}: neither may be negative, and the step not 0", window, step);
  using attention::kFar;
  return {std::make_shared<attention::Dilated>(std::min(window, kFar / step), std::min(step, kFar))};
}
Span strided(int64_t step) {
  check(step >= 1, "strided", "a step of {}: wanted at least 1", step);
  return {std::make_shared<attention::Strided>(std::min(step, attention::kFar))};
}
Span strided_fixed(int64_t step, int64_t summary) {
  check(step >= 1 && summary >= 1 && summary <= step, "strided_fixed",
        "a summary of {} places of a block of {}: wanted 1 to {}", summary, step, step);
  using attention::kFar;
  return {std::make_shared<attention::StridedFixed>(std::min(step, kFar), std::min(summary, kFar))};
}

}  // namespace heed
