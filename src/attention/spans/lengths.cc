// lengths: of each batch only the first n_b keys are there; the rest is padding, which is never read.
#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

class Lengths final : public SpanRoom {
 public:
  explicit Lengths(Tensor lengths) : lengths_(std::move(lengths)) {}
  std::string name() const override { return "lengths"; }
  bool computes_with_tensors() const override { return false; }
  Tensor lengths() const override { return lengths_; }
  void prepare(Pipeline& p) const override {
    const std::vector<int64_t> all = integers("key_lengths", lengths_);
    check(lengths_.shape() == Shape{p.n.batch}, "attend", "key_lengths have shape {}, wanted ({})", lengths_.shape(),
          p.n.batch);
    for (size_t b = 0; b < all.size(); ++b)
      check(all[b] >= 0 && all[b] <= p.n.keys, "attend", "key_lengths[{}] is {}, wanted 0 to {}", b, all[b], p.n.keys);
    p.visible.restrict(
        [&](int64_t b, int64_t, int64_t) {
          return Interval{0, all[static_cast<size_t>(b)]};
        },
        p.n.batch);
  }
  bool reference(const Plain& x, int64_t, int64_t j) const override {
    return static_cast<double>(j) < lengths_.value({x.batch});
  }

 private:
  Tensor lengths_;
};

}  // namespace

Mechanism lengths_row() {
  return {.name = "lengths",
          .year = 2014,
          .paper = "Bahdanau, Cho & Bengio 2014, arXiv:1409.0473",
          .formula = "softmax(Q Kᵀ / √D, j < n_b) V",
          .cost = "O(T·n·D) time, O(T) memory",
          .purpose = {"Sequences of different lengths in one batch: padding is neither looked at nor computed.",
                      "同一批中长度不同的序列：填充既不被关注，也不参与计算。"},
          .trap = {"Padding must be hidden before the softmax; weights set to 0 after it no longer sum to 1.",
                   "填充必须在 softmax 之前遮住；若在之后才把权重置零，其和就不再是 1。"},
          .code = "heed::attend(q, k, v, {.key_lengths = lengths})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes& n) {
            Tensor all({n.batch}, Dtype::i64);
            for (int64_t b = 0; b < n.batch; ++b) all.at<int64_t>({b}) = n.keys * (b + 2) / (b + 3);
            return AttendOptions{.span = lengths(all)};
          }};
}

}  // namespace heed::attention

namespace heed {

Span lengths(const Tensor& key_lengths) { return {std::make_shared<attention::Lengths>(key_lengths)}; }

}  // namespace heed
