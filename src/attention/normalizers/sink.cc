// sink: one more element in the row's sum, a learned logit z_h of each head, that takes weight and brings no value.
//   p_j = e^{s_j} / (e^{z_h} + Σ e^s) = softmax(s)_j · σ(λ − z_h),  λ = log Σ e^s
// Xiao et al. 2023, arXiv:2309.17453 (keys as sinks); OpenAI 2025, arXiv:2508.10925 (a logit a head). Output and
// weights of the streaming softmax are scaled by taped ops on its log-sum-exp, so the gradients of z and λ come from
// those.
#include <cmath>

#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

class Sink final : public NormalizerRoom {
 public:
  explicit Sink(Tensor logits) : logits_(std::move(logits)) {}
  const char* name() const override { return "sink"; }
  void prepare(Pipeline& p) const override {
    check(logits_.shape() == Shape{p.n.heads}, "attend", "the sink has shape {}, wanted one logit for each of {} heads",
          logits_.shape(), p.n.heads);
    check(logits_.dtype() == p.q.dtype(), "attend", "the sink is {}, q is {}", heed::name(logits_.dtype()),
          heed::name(p.q.dtype()));
    p.has_sink = true;
  }
  void finish(Attended& y, const AttendOptions::Part& part) const override {
    const Tensor share = sigmoid(y.log_sum_exp - reshape(logits_, {logits_.numel(), 1}));
    y.out = y.out * unsqueeze(share, -1);
    if (y.weights.defined()) y.weights = y.weights * unsqueeze(some(some(share, 1, part.heads), 2, part.queries), -1);
  }
  void reference(const Plain& x, int64_t, std::vector<double>& row) const override {
    const double sink = logits_.values()[static_cast<size_t>(x.head)];
    double largest = sink, sum = 0;
    for (const double s : row) largest = std::max(largest, s);
    for (const double s : row) sum += std::exp(s - largest);
    for (double& s : row) s = std::exp(s - largest) / (sum + std::exp(sink - largest));
  }

 private:
  static Tensor some(const Tensor& x, int dim, const std::vector<int64_t>& places) {
    return places.empty() ? x : index_select(x, dim, tensor_from<int64_t>(places, {std::ssize(places)}));
  }
  Tensor logits_;  // (H)
};

}  // namespace

Mechanism sink_row() {
  return {
      .name = "sink",
      .year = 2025,
      .paper = "OpenAI 2025, arXiv:2508.10925; Xiao et al. 2023, arXiv:2309.17453",
      .formula = "e^s / (e^{z_h} + Σ e^s) V",
      .cost = "O(T·S·D) time, O(T) memory",
      .purpose = {"A head that finds nothing can look at nothing, in place of piling its weight on the first tokens.",
                  "一个头若没有找到相关内容，可以什么都不看，而不必把权重堆在开头的词上。"},
      .trap = {"The weights sum to less than 1. The log-sum-exp is that of the keys alone: parts that are merged must "
               "not each have a sink.",
               "权重之和小于 1。log-sum-exp 只含真正的键：要合并的各部分不能各自带 sink。"},
      .code = "heed::attend(q, k, v, {.normalizer = heed::sink(logits)})",
      .learned = {{"sink", [](const Sizes& n) { return Shape{n.heads}; }, -1, 1, at_zero}},
      .options = [](const LearnedTensors& w, const Sizes&) { return AttendOptions{.normalizer = sink(w.at("sink"))}; }};
}

}  // namespace heed::attention

namespace heed {

Normalizer sink(const Tensor& logits) { return {std::make_shared<attention::Sink>(logits)}; }

}  // namespace heed
