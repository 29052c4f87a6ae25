// starts: of each batch the keys from n_b on are there; what stands before is padding. So texts of different lengths
// end together, as those do that are written word by word.
#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"

namespace heed::attention {
namespace {

class Starts final : public SpanRoom {
 public:
  explicit Starts(std::vector<int64_t> firsts) : firsts_(std::move(firsts)) {
    for (const int64_t n : firsts_) check(n >= 0, "starts", "a text that begins at key {}: wanted 0 or more", n);
  }
  std::string name() const override { return "starts"; }
  bool computes_with_tensors() const override { return false; }
  void prepare(Pipeline& p) const override {
    const auto count = static_cast<int64_t>(firsts_.size());
    check(count == p.n.batch, "attend", "starts of {} texts, the batch has {}", count, p.n.batch);
    for (const int64_t n : firsts_)
      check(n <= p.n.keys, "attend", "a text that begins at key {}, of which there are {}", n, p.n.keys);
    p.visible.restrict([&](int64_t b, int64_t, int64_t) { return Interval{of(b), p.n.keys}; }, count);
  }
  bool reference(const Plain& x, int64_t, int64_t j) const override { return j >= of(x.batch); }

 private:
  int64_t of(int64_t batch) const { return firsts_[static_cast<size_t>(batch)]; }
  std::vector<int64_t> firsts_;  // one a batch
};

}  // namespace

Mechanism starts_row() {
  return {.name = "starts",
          .year = 2020,
          .paper = "Wolf et al. 2020, arXiv:1910.03771",
          .formula = "softmax(Q Kᵀ / √D, j ≥ n_b) V",
          .cost = "O(T·(S − n)·D) time, O(T) memory",
          .purpose = {"Texts that end together: those of different lengths go on side by side, padding before them.",
                      "各文本在末尾对齐：长度不同的文本可并排继续生成，填充位于文本之前。"},
          .trap = {"A word's place in its own text is j − n_b: places that are added to embeddings must be counted so.",
                   "词在自身文本中的位置是 j − n_b：加到嵌入上的位置必须这样计算。"},
          .code = "heed::attend(q, k, v, {.span = heed::causal() & heed::starts(firsts)})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes& n) {
            std::vector<int64_t> firsts;
            for (int64_t b = 0; b < n.batch; ++b) firsts.push_back(n.keys / (b + 3));
            return AttendOptions{.span = starts(firsts)};
          }};
}

}  // namespace heed::attention

namespace heed {

Span starts(const std::vector<int64_t>& firsts) { return {std::make_shared<attention::Starts>(firsts)}; }

}  // namespace heed
