// cosine: s = τ q·k / (‖q‖‖k‖): content-based addressing, Graves, Wayne & Danihelka 2014, arXiv:1410.5401 (their β is
// τ). Vectors are divided by their largest element before their norm, so that no square overflows; the quotient does
// not depend on it, so neither does the gradient. A vector of zeros scores 0, with the gradient 0.
#include <cmath>
#include <limits>

#include "attention/rows.h"
#include "attention/scores/factor.h"
#include "attention/slots.h"

namespace heed::attention {
namespace {

Tensor unit(const Tensor& x) {
  if (x.dim(-1) == 0) return x;
  const Tensor largest = max(abs(x.detach()), -1, true);
  const Tensor y = x / where(greater(largest, 0), largest, std::numeric_limits<double>::infinity());
  return y * rsqrt(clamp(sum(y * y, -1, true), 0.5));  // 1 or more, but for zeros
}

class Cosine final : public ScoreRoom {
 public:
  explicit Cosine(Factor factor) : factor_(std::move(factor)) {}
  const char* name() const override { return "cosine"; }
  void prepare(Pipeline& p) const override {
    p.q = factor_.times(unit(p.q), p.n.heads);
    p.k = unit(without_padding(p, p.k));
  }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    double qk = 0, qq = 0, kk = 0;
    for (int64_t c = 0; c < x.width; ++c) {
      qk += x.query(i)[c] * x.key(j)[c];
      qq += x.query(i)[c] * x.query(i)[c];
      kk += x.key(j)[c] * x.key(j)[c];
    }
    return qq == 0 || kk == 0 ? 0 : factor_.of(x.head) * qk / std::sqrt(qq * kk);
  }

 private:
  Factor factor_;
};

}  // namespace

Mechanism cosine_row() {
  return {
      .name = "cosine",
      .year = 2014,
      .paper = "Graves, Wayne & Danihelka 2014, arXiv:1410.5401",
      .formula = "softmax(τ Q Kᵀ / (‖q‖ ‖k‖)) V",
      .cost = "O(T·S·D) time, O((T + S)·D) memory",
      .purpose = {"Only the direction counts, not the length: no score exceeds τ, so training stays calm.",
                  "只看方向不看长度：分数不会超过 τ，训练更稳定。"},
      .trap = {"With τ = 1 the weights can hardly differ, at most by e²; take 10 or more, or learn it.",
               "τ = 1 时权重之间最多相差 e² 倍；应取 10 以上，或让它可学习。"},
      .code = "heed::attend(q, k, v, {.scores = heed::cosine(10)})",
      .learned = {{"scale", [](const Sizes& n) { return Shape{n.heads}; }, 1, 5,
                   [](const Sizes&, int64_t) { return 5.0; }}},
      .options = [](const LearnedTensors& w, const Sizes&) { return AttendOptions{.scores = cosine(w.at("scale"))}; }};
}

}  // namespace heed::attention

namespace heed {

Scores cosine(double scale) { return {std::make_shared<attention::Cosine>(attention::Factor("cosine", scale))}; }
Scores cosine(const Tensor& scale) { return {std::make_shared<attention::Cosine>(attention::Factor(scale))}; }

}  // namespace heed
