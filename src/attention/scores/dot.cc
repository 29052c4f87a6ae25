// dot: s = q·k, times a scale. Luong, Pham & Manning 2015, arXiv:1508.04025; scaled by 1/√D, which keeps the variance
// of the scores at 1: Vaswani et al. 2017, arXiv:1706.03762. A learned scale is part of q: ∂s/∂c = q·k.
#include <cmath>

#include "attention/rows.h"
#include "attention/scores/factor.h"
#include "attention/slots.h"
#include "base/check.h"

namespace heed::attention {
namespace {

class Dot final : public ScoreRoom {
 public:
  const char* name() const override { return "dot"; }
  bool computes_with_tensors() const override { return false; }
  void prepare(Pipeline&) const override {}
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    double s = 0;
    for (int64_t c = 0; c < x.width; ++c) s += x.query(i)[c] * x.key(j)[c];
    return s;
  }
};

class ScaledDot final : public ScoreRoom {
 public:
  explicit ScaledDot(std::optional<double> scale) : scale_(scale) {}
  const char* name() const override { return "scaled_dot"; }
  bool computes_with_tensors() const override { return false; }
  void prepare(Pipeline& p) const override { p.scale = scale(p.n.width); }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    return Dot().reference(x, i, j) * scale(x.width);
  }

 private:
  double scale(int64_t width) const {
    return scale_ ? *scale_ : 1 / std::sqrt(static_cast<double>(std::max<int64_t>(1, width)));
  }
  std::optional<double> scale_;
};

class LearnedScale final : public ScoreRoom {
 public:
  explicit LearnedScale(Tensor scale) : factor_(std::move(scale)) {}
  const char* name() const override { return "scaled_dot"; }
  void prepare(Pipeline& p) const override { p.q = factor_.times(p.q, p.n.heads); }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    return Dot().reference(x, i, j) * factor_.of(x.head);
  }

 private:
  Factor factor_;
};

}  // namespace

Mechanism dot_row() {
  return {
      .name = "dot",
      .year = 2015,
      .paper = "Luong, Pham & Manning 2015, arXiv:1508.04025",
      .formula = "softmax(Q Kᵀ) V",
      .cost = "O(T·S·D) time, O(T) memory",
      .purpose =
          {"The plainest score: how far query and key point the same way. For narrow vectors, or vectors of norm 1.",
           "最朴素的打分：查询与键的方向有多一致。适用于窄向量或已归一化的向量。"},
      .trap = {"For wide vectors the scores grow with √D and the softmax saturates; then take scaled_dot.",
               "向量较宽时分数随 √D 增大，softmax 会饱和；此时应使用 scaled_dot。"},
      .code = "heed::attend(q, k, v, {.scores = heed::dot()})",
      .learned = {},
      .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.scores = dot()}; }};
}

Mechanism scaled_dot_row() {
  return {
      .name = "scaled_dot",
      .year = 2017,
      .paper = "Vaswani et al. 2017, arXiv:1706.03762",
      .formula = "softmax(Q Kᵀ / √D) V",
      .cost = "O(T·S·D) time, O(T) memory",
      .purpose =
          {"The attention of the Transformer, and the default. The factor 1/√D keeps the variance of the scores at 1.",
           "Transformer 的注意力，也是默认选项。因子 1/√D 使分数的方差保持为 1。"},
      .trap = {"Scaling does not lower the complexity; it must come before the mask, and V belongs to the formula.",
               "缩放并不降低复杂度；缩放必须在掩码之前进行；公式里不能漏掉 V。"},
      .code = "heed::attend(q, k, v)",
      .learned = {},
      .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.scores = scaled_dot()}; },
      .worked =
          [] {
            return Worked{
                .q = {{1, 2, 3}, {4, 5, 6}},
                .k = {{7, 9, 11}, {8, 10, 12}},
                .v = {{1, 0}, {0, 1}},
                .steps = {{"Q Kᵀ", {.scores = dot()}}},
                .remark = {"A well-known tutorial prints Q Kᵀ of these Q and K as [[64, 72], [128, 152]], and "
                           "all that follows from it: all four figures are wrong.",
                           "一篇广为流传的教程把这组 Q、K 的 Q Kᵀ 写成 [[64, 72], [128, 152]]，并据此往下算："
                           "这四个数全都错了。"}};
          }};
}

Mechanism learned_scale_row() {
  return {.name = "learned_scale",
          .year = 2020,
          .paper = "Henry et al. 2020, arXiv:2010.04245",
          .formula = "softmax(c_h Q Kᵀ) V",
          .cost = "O(T·S·D) time, O(T) memory",
          .purpose = {"Each head learns how sharply it looks.", "每个头自行学习注视的锐度。"},
          .trap = {"Start the scale at 1/√D (or at 1 for normalised vectors), not at 0: a scale of 0 has no gradient "
                   "into q and k.",
                   "缩放应从 1/√D 开始（向量已归一化时从 1 开始），不要从 0 开始：为 0 时 q、k 得不到梯度。"},
          .code = "heed::attend(q, k, v, {.scores = heed::scaled_dot(scale)})",
          .learned = {{"scale", [](const Sizes& n) { return Shape{n.heads}; }, 0.1, 1, one_over_root}},
          .options = [](const LearnedTensors& w, const Sizes&) {
            return AttendOptions{.scores = scaled_dot(w.at("scale"))};
          }};
}

}  // namespace heed::attention

namespace heed {

Scores dot() { return {std::make_shared<attention::Dot>()}; }
Scores scaled_dot() { return {std::make_shared<attention::ScaledDot>(std::nullopt)}; }
Scores scaled_dot(double scale) {
  check(std::isfinite(scale) && scale != 0, "scaled_dot", "a scale of {}: wanted a finite number other than 0", scale);
  return {std::make_shared<attention::ScaledDot>(scale)};
}
Scores scaled_dot(const Tensor& scale) { return {std::make_shared<attention::LearnedScale>(scale)}; }

}  // namespace heed
