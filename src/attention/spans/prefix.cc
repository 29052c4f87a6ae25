// prefix(n): j < n or j <= i', i' = i + S − T: a beginning that is read as a whole, then a text that is written word by
// word. Liu et al. 2018, arXiv:1801.10198; Raffel et al. 2020, arXiv:1910.10683 (prefix LM).
#include <fmt/format.h>

#include <algorithm>

#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"

namespace heed::attention {
namespace {

class Prefix final : public SpanRoom {
 public:
  explicit Prefix(std::vector<int64_t> lengths) : lengths_(std::move(lengths)) {
    for (const int64_t n : lengths_) check(n >= 0, "prefix", "a prefix of {} keys: wanted 0 or more", n);
  }
  std::string name() const override { return lengths_.size() == 1 ? fmt::format("prefix({})", lengths_[0]) : "prefix"; }
  bool computes_with_tensors() const override { return false; }
  bool counts_from_first() const override { return true; }
  void prepare(Pipeline& p) const override {
    const auto count = static_cast<int64_t>(lengths_.size());
    check(count == 1 || count == p.n.batch, "attend", "the prefix has {} lengths, the batch is {}", count, p.n.batch);
    for (const int64_t n : lengths_)
      check(n <= p.n.keys, "attend", "a prefix of {} keys, of which there are {}", n, p.n.keys);
    const int64_t shift = p.n.keys - p.n.queries;
    p.visible.restrict(
        [&](int64_t b, int64_t, int64_t i) {
          return Interval{0, std::max(of(b), i + shift + 1)};
        },
        count);
  }
  bool reference(const Plain& x, int64_t i, int64_t j) const override { return j < of(x.batch) || j <= x.place(i); }

 private:
  int64_t of(int64_t batch) const { return lengths_[lengths_.size() == 1 ? 0 : static_cast<size_t>(batch)]; }
  std::vector<int64_t> lengths_;  // one, or one a batch
};

}  // namespace

Mechanism prefix_row() {
  return {
      .name = "prefix",
      .year = 2018,
      .paper = "Liu et al. 2018, arXiv:1801.10198",
      .formula = "softmax(Q Kᵀ / √D, j < n ∨ j ≤ i + S − T) V",
      .cost = "O(T·S·D) time, O(T) memory",
      .purpose = {"One stack reads and writes: the prompt is seen as a whole, what follows is causal.",
                  "一个网络既读又写：提示部分互相全部可见，其后的部分按因果方式。"},
      .trap = {"The words of the prefix see each other in both directions, so they give no loss of a language model.",
               "前缀中的词双向可见，因此不能在前缀上计算语言模型的损失。"},
      .code = "heed::attend(q, k, v, {.span = heed::prefix(16)})",
      .learned = {},
      .options = [](const LearnedTensors&, const Sizes& n) { return AttendOptions{.span = prefix(n.keys / 3)}; }};
}

}  // namespace heed::attention

namespace heed {

Span prefix(int64_t length) { return {std::make_shared<attention::Prefix>(std::vector<int64_t>{length})}; }
Span prefix(const Tensor& lengths) {
  return {std::make_shared<attention::Prefix>(attention::integers("the prefix's lengths", lengths))};
}

}  // namespace heed
