// keras_additive: s_ij = Σ_d c_d tanh(q_id + k_jd), the projections left to the layers before.
// Keras' AdditiveAttention; c is its weight `scale` (D), ones where use_scale is off. ∂s/∂c_d = tanh(q_id + k_jd).
#include <cmath>

#include "attention/rows.h"
#include "attention/scores/added.h"
#include "base/check.h"

namespace heed::attention {
namespace {

class KerasAdditive final : public ScoreRoom {
 public:
  explicit KerasAdditive(Tensor scale) : scale_(std::move(scale)) {}
  const char* name() const override { return "keras_additive"; }
  void prepare(Pipeline& p) const override {
    add_scores(p, p.q, p.k, scale_.defined() ? scale_ : ones({p.q.dim(-1)}, p.q.dtype()));
  }
  double reference(const Plain& x, int64_t i, int64_t j) const override {
    const std::vector<double> scale =
        scale_.defined() ? of_head(scale_, 1, x) : std::vector<double>(static_cast<size_t>(x.width), 1);
    double s = 0;
    for (int64_t c = 0; c < x.width; ++c) s += scale[static_cast<size_t>(c)] * std::tanh(x.query(i)[c] + x.key(j)[c]);
    return s;
  }

 private:
  Tensor scale_;
};

}  // namespace

Mechanism keras_additive_row() {
  return {.name = "keras_additive",
          .year = 2014,
          .paper = "Keras' AdditiveAttention, after Bahdanau, Cho & Bengio 2014, arXiv:1409.0473",
          .paper_zh = "Keras 的 AdditiveAttention，源自 Bahdanau, Cho & Bengio 2014, arXiv:1409.0473",
          .formula = "softmax(Σ_d c_d tanh(q_d + k_d)) V",
          .cost = "O(T·S·D) time (a tanh each), O(T) memory",
          .purpose = {"Models that were trained with Keras' AdditiveAttention: the same numbers from the same weights.",
                      "用于加载以 Keras 的 AdditiveAttention 训练的模型：同样的权重得到同样的数值。"},
          .trap = {"There are no projections inside: two Dense layers before it make Bahdanau's form of it.",
                   "内部没有投影：在它之前加两个 Dense 层才是 Bahdanau 的形式。"},
          .code = "heed::attend(q, k, v, {.scores = heed::keras_additive(scale)})",
          .learned = {{"scale", [](const Sizes& n) { return Shape{n.width}; }}},
          .options = [](const LearnedTensors& t, const Sizes&) {
            return AttendOptions{.scores = keras_additive(t.at("scale"))};
          }};
}

}  // namespace heed::attention

namespace heed {

Scores keras_additive(const Tensor& scale) { return {std::make_shared<attention::KerasAdditive>(scale)}; }

}  // namespace heed
