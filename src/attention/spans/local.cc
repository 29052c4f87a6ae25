// Luong's local attention: a window around one place of the source, p_t ± D.
//   local_m  p_t = t: the source and the target run side by side
//   local_p  p_t = S·σ(v_pᵀ tanh(W_p h_t)), h_t the query; after the softmax, and not renormalised, each weight is
//            multiplied by m = exp(−(j − p_t)²/2σ²), σ = D/2. ∂m/∂p_t = m (j − p_t)/σ², from where the tape goes on.
// Luong, Pham & Manning 2015, arXiv:1508.04025 (D = 10).
#include <fmt/format.h>

#include <cmath>

#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

class LocalM final : public SpanRoom {
 public:
  LocalM(int64_t reach, int64_t first) : reach_(reach), first_(first) {}
  std::string name() const override { return fmt::format("local_m({})", reach_); }
  bool counts_from_first() const override { return true; }
  bool computes_with_tensors() const override { return false; }
  void prepare(Pipeline& p) const override {
    p.visible.restrict([&](int64_t, int64_t, int64_t i) {
      return Interval{first_ + i - reach_, first_ + i + reach_ + 1};
    });
  }
  bool reference(const Plain&, int64_t i, int64_t j) const override { return std::abs(j - first_ - i) <= reach_; }

 private:
  int64_t reach_, first_;
};

class LocalP final : public SpanRoom {
 public:
  LocalP(Tensor w, Tensor v, int64_t reach) : w_(std::move(w)), v_(std::move(v)), reach_(static_cast<double>(reach)) {
    check((w_.rank() == 2 && v_.rank() == 1) || (w_.rank() == 3 && v_.rank() == 2 && w_.dim(0) == v_.dim(0)), "local_p",
          "W_p has shape {} and v_p {}: wanted (P, D) and (P), or (H, P, D) and (H, P)", w_.shape(), v_.shape());
    check(w_.dim(-2) == v_.dim(-1), "local_p", "W_p makes {} features, v_p takes {}", w_.dim(-2), v_.dim(-1));
  }
  std::string name() const override { return fmt::format("local_p({})", reach_); }
  bool counts_from_first() const override { return true; }
  void prepare(Pipeline& p) const override {
    check(!p.focus.centre.defined(), "attend", "the spans {} and {} do not combine: a query has one centre", p.focus.of,
          name());
    p.focus = {centres(p), reach_ / 2, name()};
    const Tensor centre = p.focus.centre.detach();
    p.visible.restrict(
        [&](int64_t b, int64_t h, int64_t i) {
          return around(centre.value({b, h, i}), p.n.keys);
        },
        p.n.batch, p.n.heads);
  }
  bool reference(const Plain& x, int64_t i, int64_t j) const override {
    return std::abs(static_cast<double>(j) - centre(x, i)) <= reach_;
  }
  double multiplier(const Plain& x, int64_t i, int64_t j) const override {
    const double away = (static_cast<double>(j) - centre(x, i)) / (reach_ / 2);
    return std::exp(-away * away / 2);
  }

 private:
  // (B,H,T)
  Tensor centres(const Pipeline& p) const {
    const Tensor& q = p.query;
    check(w_.dim(-1) == q.dim(3), "attend", "local_p: W_p takes vectors of {}, q is {} wide", w_.dim(-1), q.dim(3));
    check(w_.rank() == 2 || w_.dim(0) == p.n.heads, "attend", "local_p: W_p is for {} heads, q has {}", w_.dim(0),
          p.n.heads);
    const Tensor features = tanh(matmul(q, transpose(w_)));  // (B,H,T,P)
    const Tensor share = sigmoid(sum(features * reshape(v_, {-1, 1, v_.dim(-1)}), -1));
    if (!p.lengths.defined()) return share * static_cast<double>(p.n.keys);
    return share * reshape(p.lengths.to(q.dtype()), {p.n.batch, 1, 1});
  }
  // What cannot be placed looks everywhere: NaN stays NaN.
  Interval around(double centre, int64_t keys) const {
    if (!std::isfinite(centre)) return {0, keys};
    return {static_cast<int64_t>(std::ceil(centre - reach_)), static_cast<int64_t>(std::floor(centre + reach_)) + 1};
  }
  double centre(const Plain& x, int64_t i) const {
    double score = 0;
    for (int64_t f = 0; f < v_.dim(-1); ++f) {
      double sum = 0;
      for (int64_t c = 0; c < x.width; ++c)
        sum += (w_.rank() == 3 ? w_.value({x.head, f, c}) : w_.value({f, c})) * x.query(i)[c];
      score += (v_.rank() == 2 ? v_.value({x.head, f}) : v_.value({f})) * std::tanh(sum);
    }
    return static_cast<double>(x.length) / (1 + std::exp(-score));
  }
  Tensor w_, v_;
  double reach_;
};

}  // namespace

Mechanism local_m_row() {
  return {.name = "local_m",
          .year = 2015,
          .paper = "Luong, Pham & Manning 2015, arXiv:1508.04025",
          .formula = "softmax(Q Kᵀ / √D, |j − t| ≤ D) V",
          .cost = "O(T·D_w·D) time, O(T) memory",
          .purpose = {"Source and target run side by side: the t-th word looks around the t-th place.",
                      "源与目标大致同步：第 t 个词只看第 t 个位置附近。"},
          .trap = {"t counts from the beginning of the source, also where source and target differ in length; a window "
                   "is aligned to the end.",
                   "即使源与目标长度不同，t 也从源的开头数起；而 window 是与末尾对齐的。"},
          .code = "heed::attend(q, k, v, {.span = heed::local_m(10)})",
          .learned = {},
          .options = [](const LearnedTensors&, const Sizes&) { return AttendOptions{.span = local_m(3)}; }};
}

Mechanism local_p_row() {
  return {.name = "local_p",
          .year = 2015,
          .paper = "Luong, Pham & Manning 2015, arXiv:1508.04025",
          .formula = "softmax(Q Kᵀ / √D, |j − p| ≤ D)·exp(−(j − p)² / 2σ²) V, p = S·σ(v_pᵀ tanh(W_p q)), σ = D/2",
          .cost = "O(T·D_w·D + T·P·D) time, O(T) memory",
          .purpose = {"Each query predicts the place where it looks; a Gaussian makes the place learnable.",
                      "每个查询预测自己要看的位置；高斯因子使该位置可以学习。"},
          .trap = {"The Gaussian comes after the softmax and is not renormalised: the weights sum to less than 1.",
                   "高斯因子在 softmax 之后相乘且不再归一化：权重之和小于 1。"},
          .code = "heed::attend(q, k, v, {.span = heed::local_p(w_p, v_p, 10)})",
          .learned = {{"w_p",
                       [](const Sizes& n) {
                         return Shape{inner_width(3), n.width};
                       }},
                      {"v_p", [](const Sizes&) { return Shape{inner_width(3)}; }}},
          .options = [](const LearnedTensors& w, const Sizes&) {
            return AttendOptions{.span = local_p(w.at("w_p"), w.at("v_p"), 3)};
          }};
}

}  // namespace heed::attention

namespace heed {

Span local_m(int64_t reach, int64_t first) {
  check(reach >= 0 && first >= 0, "local_m", "a reach of {} from place {} on: neither may be negative", reach, first);
  using attention::kFar;
  return {std::make_shared<attention::LocalM>(std::min(reach, kFar), std::min(first, kFar))};
}
Span local_p(const Tensor& w, const Tensor& v, int64_t reach) {
  check(reach >= 1, "local_p", "a reach of {}: wanted at least 1", reach);
  return {std::make_shared<attention::LocalP>(w, v, reach)};
}

}  // namespace heed
