// adaptive: each head learns how far it looks. m_z(x) = clamp((R + z − x)/R, 0, 1), x = |i' − j|, multiplies the
// exponentials of the softmax before they are normalised, which is a bias log m; where m = 0 nothing is computed.
// ∂/∂z goes through the bias: ∂log m/∂z = 1/(R + z − x) on the slope, 0 elsewhere.
// Sukhbaatar et al. 2019, arXiv:1905.07799: a loss λ·mean z, z clamped to [0, most] after each step.
#include <cmath>

#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

class Adaptive final : public SpanRoom {
 public:
  Adaptive(Tensor z, double ramp) : z_(std::move(z)), ramp_(ramp) {}
  std::string name() const override { return "adaptive"; }
  void prepare(Pipeline& p) const override {
    check(z_.shape() == Shape{p.n.heads} || z_.numel() == 1, "attend",
          "the adaptive span has shape {}, wanted one number or one for each of {} heads", z_.shape(), p.n.heads);
    check(z_.dtype() == p.q.dtype(), "attend", "the adaptive span is {}, q is {}", heed::name(z_.dtype()),
          heed::name(p.q.dtype()));
    p.renormalized = name();
    if (p.n.queries == 0 || p.n.keys == 0) return;
    p.biases.push_back({log_mask(p), true});
    const std::vector<double> z = z_.detach().values();
    const int64_t shift = p.n.keys - p.n.queries;
    p.visible.restrict([&](int64_t, int64_t h,
                           int64_t i) { return around(i + shift, z[z.size() == 1 ? 0 : static_cast<size_t>(h)], p.n); },
                       1, static_cast<int64_t>(z.size()));
  }
  bool reference(const Plain& x, int64_t i, int64_t j) const override { return mask(x, i, j) > 0; }
  double bias(const Plain& x, int64_t i, int64_t j) const override { return std::log(mask(x, i, j)); }

 private:
  // (H or 1, S+T−1), at x + S − 1 for the distance x = j − i'. The smallest number keeps the logarithm finite.
  Tensor log_mask(const Pipeline& p) const {
    const int64_t last = p.n.keys - 1;
    const Tensor distance = abs(arange(p.n.queries + p.n.keys - 1, p.q.dtype()) - static_cast<double>(last));
    const Tensor room = reshape(z_, {z_.numel(), 1}) + ramp_ - distance;
    return log(clamp(room / ramp_, 1e-30, 1));
  }
  // Keys nearer than R + z; all where that is no number.
  Interval around(int64_t place, double z, const Sizes& n) const {
    const double reach = std::min(ramp_ + z, static_cast<double>(n.keys + n.queries));
    if (std::isnan(reach)) return {0, n.keys};
    const auto steps = static_cast<int64_t>(std::ceil(std::max(reach, 0.0)));
    return {place - steps + 1, place + steps};
  }
  double mask(const Plain& x, int64_t i, int64_t j) const {
    const double z = z_.values()[static_cast<size_t>(z_.numel() == 1 ? 0 : x.head)];
    const double room = ramp_ + z - static_cast<double>(std::abs(x.place(i) - j));
    return std::clamp(room / ramp_, 0.0, 1.0);
  }
  Tensor z_;
  double ramp_;
};

}  // namespace

Mechanism adaptive_row() {
  return {
      .name = "adaptive",
      .year = 2019,
      .paper = "Sukhbaatar et al. 2019, arXiv:1905.07799",
      .formula = "softmax(Q Kᵀ / √D + log clamp((R + z_h − |i − j|) / R, 0, 1)) V",
      .cost = "O(T·(z + R)·D) time, O(T + S) memory",
      .purpose = {"Each head learns how far it has to look; most turn out short, and cost accordingly little.",
                  "每个头学习自己需要看多远；多数头都很近，计算也因此很省。"},
      .trap = {"Without the loss on z heads stay long; without the clamp after each step z leaves the range and has "
               "no gradient back.",
               "若不对 z 加损失，各头不会变短；若每步之后不截断，z 会越界且没有梯度能拉回。"},
      .code = "heed::attend(q, k, v, {.span = heed::adaptive(z, 32) & heed::causal()})",
      .learned = {{"z", [](const Sizes& n) { return Shape{n.heads}; }, 1, 6,
                   [](const Sizes&, int64_t) { return 16.0; }}},
      .options = [](const LearnedTensors& w, const Sizes&) { return AttendOptions{.span = adaptive(w.at("z"), 4)}; }};
}

}  // namespace heed::attention

namespace heed {

Span adaptive(const Tensor& z, double ramp) {
  check(std::isfinite(ramp) && ramp > 0, "adaptive", "a ramp of {}: wanted a positive number", ramp);
  return {std::make_shared<attention::Adaptive>(z, ramp)};
}
Tensor adaptive_loss(const Tensor& z, double strength) { return mean(z) * strength; }
void adaptive_clamp(Tensor& z, double most) {
  check(most >= 0, "adaptive_clamp", "a longest span of {}: wanted 0 or more", most);
  const NoGrad off;
  z.copy_from(clamp(z.detach(), 0, most));
}

}  // namespace heed
