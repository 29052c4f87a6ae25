// transformer_xl: A_ij = ((q_i + u)·k_j + (q_i + v)·(W_R R_{i'−j})) / √D, R_x = [sin(xω), cos(xω)], ω_c = 10000^(−2c/M)
//   du = Σ_i dq_i of the first product    dv = Σ_i of the second    dW_R = Σ_x (da_x) R_xᵀ, a_x = W_R R_x
// Dai et al. 2019, arXiv:1901.02860. u, v (H, D) and W_R (H·D, M) are learned. So q becomes q + u for the scores, and
// (q_i + v)·a_{i'−j} / √D is added to them whatever they are. Memory, keys and values in front of those of the text, is
// the caller's to prepend.
#include <cmath>

#include "attention/rows.h"
#include "attention/slots.h"
#include "base/check.h"
#include "tensor/shape_format.h"

namespace heed::attention {
namespace {

class TransformerXl final : public PositionRoom {
 public:
  TransformerXl(Tensor u, Tensor v, Tensor w) : u_(std::move(u)), v_(std::move(v)), w_(std::move(w)) {}
  const char* name() const override { return "transformer_xl"; }

  void prepare(Pipeline& p) const override {
    const Shape biases{p.n.heads, p.n.width};
    check(u_.shape() == biases, "attend", "transformer_xl's u and v have shape {}, q's heads want {}", u_.shape(),
          biases.text());
    check(u_.dtype() == p.q.dtype(), "attend", "transformer_xl's u and v are {}, q is {}", heed::name(u_.dtype()),
          heed::name(p.q.dtype()));
    const Tensor q = p.q;
    p.q = q + unsqueeze(u_, 1);
    if (p.n.queries == 0 || p.n.keys == 0) return;
    p.relative = {q + unsqueeze(v_, 1), keys(p.n), {}, 1 - p.n.keys, 1 / std::sqrt(static_cast<double>(p.n.width))};
  }

  void move(Plain& x) const override {
    for (size_t i = 0; i < x.q.size(); ++i) x.q[i] += u_.value({x.head, static_cast<int64_t>(i) % x.width});
  }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    const auto distance = static_cast<double>(x.place(i) - j);
    double s = 0;
    for (int64_t m = 0; m < 2 * half(); ++m) {
      const double angle = distance * frequency(m % half()), r = m < half() ? std::sin(angle) : std::cos(angle);
      for (int64_t c = 0; c < x.width; ++c) {
        const double q = x.query(i)[c] - u_.value({x.head, c});  // it has been moved by u
        s += (q + v_.value({x.head, c})) * w_.value({x.head * x.width + c, m}) * r;
      }
    }
    return s / std::sqrt(static_cast<double>(x.width));
  }

 private:
  int64_t half() const { return w_.dim(1) / 2; }
  double frequency(int64_t c) const {
    return std::pow(10000.0, -static_cast<double>(2 * c) / static_cast<double>(w_.dim(1)));
  }
  // (H, S+T−1, D): W_R R_{i'−j}, by j − i' from 1 − S on.
  Tensor keys(const Sizes& n) const {
    Tensor frequencies({half()}, Dtype::f64);
    for (int64_t c = 0; c < half(); ++c) frequencies.at<double>({c}) = frequency(c);
    const int64_t distances = n.queries + n.keys - 1;
    const Tensor distance = static_cast<double>(n.keys - 1) - arange(distances, Dtype::f64);
    const Tensor angles = unsqueeze(distance, 1) * frequencies;
    const Tensor table = linear(concat({sin(angles), cos(angles)}, 1).to(w_.dtype()), w_);
    return permute(reshape(table, {distances, n.heads, n.width}), {1, 0, 2});
  }
  Tensor u_, v_, w_;
};

}  // namespace

Mechanism transformer_xl_row() {
  return {
      .name = "transformer_xl",
      .year = 2019,
      .paper = "Dai et al. 2019, arXiv:1901.02860",
      .formula = "softmax(((q_i + u)·k_j + (q_i + v)·(W_R R_{i−j})) / √D) V",
      .cost = "O(T·S·D) time, O((T + S)·H·D) memory",
      .purpose = {"Relative positions that go on across segments: the text before is remembered as keys and values "
                  "without gradients.",
                  "可跨片段延续的相对位置：之前的文本以不带梯度的键和值的形式被记住。"},
      .trap = {"The sinusoids are concatenated, [sin, cos], not interleaved; u and v are per head, and the distance "
               "is i − j.",
               "正弦与余弦是拼接 [sin, cos]，不是交错；u、v 每个头各有一份；距离是 i − j。"},
      .code = "heed::attend(q, k, v, {.position = heed::transformer_xl(u, v, w), .span = heed::causal()})",
      .learned = {{"u",
                   [](const Sizes& n) {
                     return Shape{n.heads, n.width};
                   },
                   -1, 1, at_zero},
                  {"v_bias",
                   [](const Sizes& n) {
                     return Shape{n.heads, n.width};
                   },
                   -1, 1, at_zero},
                  {"w_relative",
                   [](const Sizes& n) {
                     return Shape{n.heads * n.width, inner_width(6)};
                   },
                   -0.5, 0.5}},
      .options = [](const LearnedTensors& w, const Sizes&) {
        return AttendOptions{.position = transformer_xl(w.at("u"), w.at("v_bias"), w.at("w_relative")),
                             .span = causal()};
      }};
}

}  // namespace heed::attention

namespace heed {

Position transformer_xl(const Tensor& u, const Tensor& v, const Tensor& w) {
  check(u.rank() == 2 && v.shape() == u.shape(), "transformer_xl", "u has shape {} and v {}, wanted (H, D) of both",
        u.shape(), v.shape());
  check(w.rank() == 2 && w.dim(0) == u.numel(), "transformer_xl", "W_R has shape {}, wanted ({}, M)", w.shape(),
        u.numel());
  check(w.dim(1) > 0 && w.dim(1) % 2 == 0, "transformer_xl",
        "W_R has {} columns: sines and cosines want an even number", w.dim(1));
  check(u.dtype() == v.dtype() && v.dtype() == w.dtype(), "transformer_xl",
        "u is {}, v is {}, W_R is {}: wanted one dtype", name(u.dtype()), name(v.dtype()), name(w.dtype()));
  return {std::make_shared<attention::TransformerXl>(u, v, w)};
}

}  // namespace heed
